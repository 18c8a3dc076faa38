"""The job that sends a challenge's code, or does nothing for a decoy."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from callcenter.calls.delivery import Messenger, deliver
from callcenter.identity.challenges import code_of
from callcenter.identity.tables import challenge
from callcenter.kernel.clock import Clock
from callcenter.practice.patients import Patients
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer


def code_message(code: str, minutes: int) -> str:
    """The text that carries a code: no practice, no patient; a warning against relaying it (OB-08).

    Every character is in the GSM 03.38 alphabet, so that it stays one short message.
    """
    return (
        f"Code {code[:3]} {code[3:]}, valable {minutes} min. Tapez-le seulement dans l'appel que vous avez passé. "
        "Ne le dites à personne qui vous appelle."
    )


@dataclass(frozen=True, slots=True)
class CodeSender:
    """Sends codes.

    Arguments:
        messenger: the carrier.
        minutes: how long a code is good for, as the message says.
    """

    database: Database
    sealer: Sealer
    clock: Clock
    messenger: Messenger[object]
    minutes: int

    async def send(self, practice: UUID, challenge_id: UUID) -> None:
        """Send the code of one challenge, unless it is a decoy, used up, or too old to be of use.

        Raises:
            CarrierDown: to be tried again.
        """
        async with self.database.practice(practice) as tx:
            columns = (challenge.c.secret, challenge.c.patient_id, challenge.c.contact_id)
            query = select(*columns).where(
                challenge.c.id == challenge_id,
                challenge.c.practice_id == practice,
                challenge.c.consumed_at.is_(None),
                challenge.c.expires_at > self.clock.now(),
            )
            row = (await tx.connection.execute(query)).one_or_none()
            if row is None or row.patient_id is None or row.secret is None:
                return
            contacts = await Patients(self.sealer).code_contacts(tx, row.patient_id)
        contact = next((contact for contact in contacts if contact.id == row.contact_id), None)
        if contact is None:  # removed from the file meanwhile
            return
        body = code_message(code_of(self.sealer, practice, challenge_id, row.secret), self.minutes)
        await deliver(self.messenger, contact.phone, body, reference=challenge_id)
