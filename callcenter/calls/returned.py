"""How a call of ours begins: the line on file has answered, and the code of the request is due there."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from callcenter.calls.documents import token_hash
from callcenter.calls.outreach import FORGET_CLAIM, WANTED, claim_place
from callcenter.flow.language import ReachKind
from callcenter.identity.challenges import Challenges, Claim, GivenOut, Opened
from callcenter.practice.patients import Patients
from callcenter.store.database import Transaction
from callcenter.store.sealed import Sealer


async def take_answered(
    tx: Transaction, sealer: Sealer, challenges: Challenges, patients: Patients, call: UUID, token: str, now: datetime
) -> tuple[UUID, Opened | None] | None:
    """The request that ``token`` names, and the challenge of its code in ``call``; ``None`` when there is none.

    A token serves one call. The challenge is about the patient whose line rings, as the file stands now: a mark that
    was set meanwhile, or a telephone that has left the file, leaves a decoy, which no code opens. There is none when
    the line was slow to answer.
    """
    row = (await tx.connection.execute(_TAKE, {"token_hash": token_hash(token), "call": call})).one_or_none()
    if row is None:
        return None
    until = row.asked_at + WANTED[ReachKind.RETURN_CALL]
    if row.claim is None or now >= until:
        return row.id, None
    born, telephone, secret = json.loads(sealer.open_text(row.claim, claim_place(tx.practice, row.id)))
    flags = await patients.flags_if_any(tx, row.patient_id)
    contacts = await patients.code_contacts(tx, row.patient_id)
    contact = next((contact for contact in contacts if contact.id == row.contact_id), None)
    if flags is None or flags.gets_no_message:
        contact = None
    said = sealer.blind_index(tx.practice, "challenge.claim", f"{born}|{telephone}")
    given_out = GivenOut(bytes.fromhex(secret), until)
    opened = await challenges.open(tx, call, row.patient_id, contact, Claim(said, None), given_out)
    await tx.connection.execute(FORGET_CLAIM, {"id": row.id})
    return row.id, opened


#: The row's own lock lets one of two calls with one token pass.
_TAKE = text(
    """
    UPDATE outreach SET reached_call_id = :call WHERE token_hash = :token_hash AND reached_call_id IS NULL
    RETURNING id, claim, asked_at, patient_id, contact_id
    """
)
