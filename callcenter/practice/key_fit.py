"""Whether the key file fits the database, which may have been filled before keys were marked."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from callcenter.kernel.errors import IntegrityError
from callcenter.practice.everywhere import all_practices
from callcenter.practice.file import PatientFile
from callcenter.practice.tables import patient
from callcenter.store.database import Database, Transaction
from callcenter.store.key_marks import WrongKeys, has_marks, mark_keys
from callcenter.store.sealed import Sealer


async def check_keys(database: Database, sealer: Sealer, *, mark: bool = True) -> None:
    """Check that ``sealer`` has the keys that the database was filled with.

    Arguments:
        mark: mark keys that the database does not know yet, so that others are noticed from now on.

    Raises:
        WrongKeys: it has others; nothing was marked.
    """
    async with database.house() as connection:
        known = await has_marks(connection, sealer.keys)
    for practice_id in [] if known else await all_practices(database):
        async with database.practice(practice_id) as tx:
            if not await _opens_what_is_on_file(tx, sealer):
                raise WrongKeys
    if mark:
        async with database.house() as connection:
            await mark_keys(connection, sealer.keys)


async def _opens_what_is_on_file(tx: Transaction, sealer: Sealer) -> bool:
    """Whether the fields of a patient open, and give the index under which the patient is found; true without any."""
    columns = (patient.c.id, patient.c.birth_name, patient.c.birth_date, patient.c.birth_name_index)
    query = select(*columns).where(patient.c.practice_id == tx.practice).limit(1)
    row = (await tx.connection.execute(query)).one_or_none()
    if row is None:
        return True
    file, patient_id = PatientFile(sealer, tx.practice), UUID(str(row.id))
    try:
        birth_name = file.open("patient", "birth_name", patient_id, row.birth_name)
        birth_date = file.open_birth_date(patient_id, row.birth_date)
    except IntegrityError:
        return False
    return file.birth_name_index(birth_date, birth_name) == bytes(row.birth_name_index)
