"""Passkeys (WebAuthn Level 2): what a browser is asked, and whether what a key has signed is for this account.

The challenge is drawn here, kept with the session that asked, and used once. A key is looked for among those of the
session's account alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from callcenter.staff.values import Account

#: What a browser sends is a few kilobytes; it is parsed before it is known to be anything.
LONGEST_RESPONSE = 16_000
CHALLENGE_BYTES = 32
#: Bytes of a credential's identifier, which a key draws and a browser sends on (§6.1).
LONGEST_CREDENTIAL = 1023
_TIMEOUT_MS = 120_000
#: An account needs a few; it bounds what each page and each signing-in has to list.
MOST_KEYS = 10


class Ceremony(StrEnum):
    """What a challenge is signed for: one that was drawn for another purpose opens nothing."""

    SIGN_IN = "sign_in"
    STEP_UP = "step_up"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who we are to a browser and its keys.

    Arguments:
        id: the host's name; keys are bound to it.
        origin: scheme, host and port, as a browser states it.
        name: shown beside the key.
    """

    id: str
    origin: str
    name: str = "callcenter"

    @classmethod
    def at(cls, public_url: str) -> RelyingParty:
        """Of the console's public address."""
        parts = urlsplit(public_url)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


@dataclass(frozen=True, slots=True)
class Passkey:
    """A key of an account.

    Arguments:
        label: what its owner calls it.
        made, used: when it was added, and last used.
    """

    id: UUID
    label: str
    made: datetime
    used: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that has shown itself, to be kept."""

    credential: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Asks browsers, and checks what they answer.

    Arguments:
        party: who we are.
    """

    party: RelyingParty

    async def options(self, connection: AsyncConnection, staff: UUID, challenge: bytes) -> str:
        """What a browser needs to have one of the account's keys sign, as JSON (§5.5)."""
        ids = (await connection.execute(_CREDENTIALS, {"staff": staff})).scalars().all()
        options = generate_authentication_options(
            rp_id=self.party.id,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in ids],
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        return options_to_json(options)

    async def proves(
        self, connection: AsyncConnection, staff: UUID, challenge: bytes, response: str, now: datetime
    ) -> bool:
        """Whether a key of the account has signed ``challenge`` (§7.2); its counter is moved on with it.

        Arguments:
            connection: of a transaction that has named the account.
            response: what the browser answered, as JSON.
        """
        if len(response) > LONGEST_RESPONSE:
            return False
        try:
            answer = parse_authentication_credential_json(response)
        except Exception:  # whatever the library cannot read proves nothing
            return False
        # §7.2 step 6: the user is known already, so the key must be theirs, and must say so if it says anything.
        if answer.response.user_handle not in (None, b"", staff.bytes):
            return False
        values = {"staff": staff, "credential": answer.raw_id}
        row = (await connection.execute(_KEY, values)).one_or_none()
        if row is None:
            return False
        try:
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.party.id,
                expected_origin=self.party.origin,
                credential_public_key=row.public_key,
                credential_current_sign_count=row.sign_count,  # §7.2 step 21: a copied key falls behind
            )
        except Exception:  # whatever the library cannot check proves nothing
            return False
        used = {"id": row.id, "before": row.sign_count, "count": verified.new_sign_count, "now": now}
        return (await connection.execute(_USED, used)).rowcount == 1

    async def new_options(self, connection: AsyncConnection, account: Account, challenge: bytes) -> str:
        """What a browser needs to make a key for the account, as JSON (§5.4)."""
        ids = (await connection.execute(_CREDENTIALS, {"staff": account.id})).scalars().all()
        options = generate_registration_options(
            rp_id=self.party.id,
            rp_name=self.party.name,
            user_id=account.id.bytes,
            user_name=account.login,
            user_display_name=account.display_name,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,  # the login is typed: nothing need be stored on a key
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in ids],
        )
        return options_to_json(options)

    def new_key(self, challenge: bytes, response: str) -> NewKey | None:
        """The key that has shown itself for ``challenge`` (§7.1), or ``None``."""
        if len(response) > LONGEST_RESPONSE:
            return None
        try:
            verified = verify_registration_response(
                credential=response,
                expected_challenge=challenge,
                expected_rp_id=self.party.id,
                expected_origin=self.party.origin,
            )
        except Exception:  # whatever the library cannot check is no key
            return None
        if not 1 <= len(verified.credential_id) <= LONGEST_CREDENTIAL:
            return None
        return NewKey(verified.credential_id, verified.credential_public_key, verified.sign_count)

    async def listed(self, connection: AsyncConnection, staff: UUID) -> list[Passkey]:
        """The account's keys, oldest first."""
        rows = (await connection.execute(_LISTED, {"staff": staff})).all()
        return [Passkey(row.id, row.label, row.made_at, row.used_at) for row in rows]

    async def add(
        self, connection: AsyncConnection, id: UUID, staff: UUID, key: NewKey, label: str, now: datetime
    ) -> bool:
        """Keep a key. False where it is kept already, for this account or any other (§7.1 step 22)."""
        values = {
            "id": id,
            "staff": staff,
            "credential": key.credential,
            "public_key": key.public_key,
            "count": key.sign_count,
            "label": label,
            "now": now,
        }
        return (await connection.execute(_ADD, values)).rowcount == 1

    async def remove(self, connection: AsyncConnection, staff: UUID, passkey: UUID) -> bool:
        """Take a key away. False where the account has none of that identifier."""
        return (await connection.execute(_REMOVE, {"staff": staff, "id": passkey})).rowcount == 1


_CREDENTIALS = text("SELECT credential FROM staff_passkey WHERE staff_id = :staff ORDER BY made_at, id")
_KEY = text("SELECT id, public_key, sign_count FROM staff_passkey WHERE staff_id = :staff AND credential = :credential")
_USED = text("UPDATE staff_passkey SET sign_count = :count, used_at = :now WHERE id = :id AND sign_count = :before")
_LISTED = text("SELECT id, label, made_at, used_at FROM staff_passkey WHERE staff_id = :staff ORDER BY made_at, id")
_ADD = text(
    """
    INSERT INTO staff_passkey (id, staff_id, credential, public_key, sign_count, label, made_at)
    VALUES (:id, :staff, :credential, :public_key, :count, :label, :now) ON CONFLICT (credential) DO NOTHING
    """
)
_REMOVE = text("DELETE FROM staff_passkey WHERE staff_id = :staff AND id = :id")
