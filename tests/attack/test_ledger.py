"""Changing what the ledger says of the past (P4)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.audit import reading
from callcenter.audit.reading import records_of_call
from callcenter.kernel.errors import IntegrityError
from callcenter.store.schema import APP, OWNER
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack
from tests.attack.ground import Ground
from tests.attack.scene import TILLEULS

LEDGER = ("audit_record", "audit_outbox", "audit_subject")


REFUSALS = ("permission denied", "only ever added to", "only the sealer")


def _the_app_may_everything(sabotage: Sabotage) -> None:
    sabotage.sql(f"GRANT ALL ON {', '.join(LEDGER)}, audio TO {APP}")


def _no_trigger(sabotage: Sabotage) -> None:
    for table in LEDGER:
        sabotage.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")


RIGHTS = Defence("the app role may only add", "P4: the ledger is append-only by role", _the_app_may_everything)
TRIGGERS = Defence("triggers refuse changes", "P4: the ledger is append-only by trigger", _no_trigger)


async def does(ground: Ground, role: str, *statements: str) -> Outcome:
    """Whether ``role``, in the practice whose ledger it is, can do this to it, one statement after the other."""
    async with ground.session(role) as connection:
        await connection.execute(text("SELECT set_config('app.practice', :it, false)"), {"it": str(TILLEULS)})
        try:
            for statement in statements:
                assert (await connection.exec_driver_sql(statement)).rowcount != 0, f"{statement}: nothing to change"
        except DBAPIError as error:
            if not any(refusal in str(error.orig) for refusal in REFUSALS):
                raise  # something else was in the way
            return FOILED
    return SUCCEEDED


#: What refers to records must go before them; all of it is the same attack.
CHANGES = {
    "changed": (r"UPDATE audit_record SET body = body || ' ', leaf = sha256('\x00'::bytea || body || ' ')",),
    "removed": ("DELETE FROM audit_outbox", "DELETE FROM audio", "DELETE FROM audit_record"),
    "emptied": ("TRUNCATE audit_record CASCADE",),
    "sealed out of order": ("UPDATE audit_outbox SET n = DEFAULT",),
}


@pytest.mark.parametrize("statements", CHANGES.values(), ids=CHANGES)
@attack(stopped_by=(RIGHTS, TRIGGERS))
async def test_p4_the_server_changes_what_it_has_written(told_ground: Ground, statements: Sequence[str]) -> Outcome:
    """Somebody who can make the server run SQL."""
    return await does(told_ground, APP, *statements)


@attack(stopped_by=(RIGHTS, TRIGGERS))
async def test_p4_the_server_takes_records_out_of_the_sealers_queue(told_ground: Ground) -> Outcome:
    return await does(told_ground, APP, "DELETE FROM audit_outbox")


@attack(stopped_by=RIGHTS)
async def test_p4_the_server_unlinks_the_ledger_from_a_person(told_ground: Ground) -> Outcome:
    return await does(told_ground, APP, "DELETE FROM audit_subject")


@attack(stopped_by=(RIGHTS, TRIGGERS))
async def test_p4_the_server_says_that_the_ledger_means_somebody_else(told_ground: Ground) -> Outcome:
    return await does(told_ground, APP, "UPDATE audit_subject SET token = gen_random_uuid()")


@pytest.mark.parametrize("statements", CHANGES.values(), ids=CHANGES)
@attack(stopped_by=TRIGGERS)
async def test_p4_an_accident_of_the_owner_changes_the_ledger(
    told_ground: Ground, statements: Sequence[str]
) -> Outcome:
    return await does(told_ground, OWNER, *statements)


class _AnyLeaf:
    def __ne__(self, _: object) -> bool:
        return False


def _leaves_are_not_checked(sabotage: Sabotage) -> None:
    sabotage.replace(reading, "leaf_of", lambda _: _AnyLeaf())


def _chains_are_not_checked(sabotage: Sabotage) -> None:
    sabotage.replace(reading, "_follows", lambda *_: True)


LEAF = Defence("a record has its leaf", "P4: an edited ledger does not verify", _leaves_are_not_checked)
CHAIN = Defence("a record names the one before", "P4: an edited ledger does not verify", _chains_are_not_checked)

_REFUSED_INSTEAD = "convert_to(replace(convert_from(body, 'UTF8'), '\"granted\"', '\"refused\"'), 'UTF8')"
_FIRST_GRANT = "seq = (SELECT min(seq) FROM audit_record WHERE convert_from(body, 'UTF8') LIKE '%\"granted\"%')"


async def goes_unnoticed(ground: Ground, *edit: str) -> Outcome:
    """Whether the call's ledger still reads as if nothing had been done to it, by somebody whom nothing binds."""
    async with ground.session() as superuser:
        await superuser.exec_driver_sql("ALTER TABLE audit_record DISABLE TRIGGER ALL")  # no foreign key either
        await superuser.exec_driver_sql("ALTER TABLE audit_record DROP CONSTRAINT ck_audit_record_leaf_is_of_its_body")
        for statement in edit:
            assert (await superuser.exec_driver_sql(statement)).rowcount != 0, f"{statement}: nothing to change"
    (call,) = await ground.rows("SELECT id FROM call")
    async with ground.app.practice(TILLEULS) as tx:
        try:
            await records_of_call(tx, call.id)
        except IntegrityError:
            return FOILED
    return SUCCEEDED


@attack(stopped_by=LEAF)
async def test_p4_an_administrator_edits_a_record(told_ground: Ground) -> Outcome:
    return await goes_unnoticed(told_ground, f"UPDATE audit_record SET body = {_REFUSED_INSTEAD} WHERE {_FIRST_GRANT}")


EDITS = {
    "edits a record and its leaf": (
        f"UPDATE audit_record SET leaf = sha256('\\x00' || {_REFUSED_INSTEAD}), body = {_REFUSED_INSTEAD} "
        f"WHERE {_FIRST_GRANT}",
    ),
    "removes a record": (f"DELETE FROM audit_record WHERE {_FIRST_GRANT}",),
    "lets two change places": (
        "ALTER TABLE audit_record DROP CONSTRAINT uq_audit_record_stream_seq",
        "UPDATE audit_record SET seq = 5 - seq WHERE seq IN (2, 3)",
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@attack(stopped_by=CHAIN)
async def test_p4_an_administrator_rewrites_the_past(told_ground: Ground, edit: Sequence[str]) -> Outcome:
    """Only an inner record: who cuts the end off, or writes all that follows anew, is found out by seals, not yet."""
    return await goes_unnoticed(told_ground, *edit)
