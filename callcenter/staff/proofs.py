"""Second factors, and how they are proved: codes of an application, printed codes. Each opens once.

What an account has stands in row scope: a transaction names the account first, and reaches no other one's.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.randomness import Random
from callcenter.staff.values import Factor
from callcenter.store.database import SET_ROW
from callcenter.store.sealed import NO_PRACTICE, Place, Sealer

SECRET_BYTES = 20  # RFC 4226 §4: 160 bits
DIGITS = 6
STEP_SECONDS = 30  # RFC 6238 §5.2
#: Steps before and after that of our clock: somebody types slowly, and telephones are a little wrong.
WINDOW = 1

RECOVERY_CODES = 10
_RECOVERY_LENGTH = 12
#: Crockford's base 32: what looks alike is left out. 12 of 32 characters are 60 bits.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ALIKE = str.maketrans({"o": "0", "i": "1", "l": "1"})


async def name_account(connection: AsyncConnection, staff: UUID) -> None:
    """Name the account whose row-scope rows this transaction is about."""
    await connection.execute(SET_ROW, {"row": str(staff)})


@dataclass(frozen=True, slots=True)
class Held:
    """What an account has beside its password.

    Arguments:
        totp_since: when the application was confirmed, ``None`` without one.
        passkeys: how many.
        recovery_codes: how many are left.
    """

    totp_since: datetime | None
    passkeys: int
    recovery_codes: int

    @property
    def factors(self) -> frozenset[Factor]:
        """What may be asked for. Printed codes stand in for a factor, and are none."""
        held = {Factor.TOTP: self.totp_since is not None, Factor.PASSKEY: self.passkeys > 0}
        any_factor = any(held.values())
        return frozenset(
            factor
            for factor, there in {**held, Factor.RECOVERY: any_factor and self.recovery_codes > 0}.items()
            if there
        )


async def held(connection: AsyncConnection, staff: UUID) -> Held:
    """What the account has; in a transaction that has named it."""
    row = (await connection.execute(_HELD, {"staff": staff})).one()
    return Held(row.since, row.passkeys, row.codes)


async def lock_factors(connection: AsyncConnection, staff: UUID) -> Held:
    """What the account has, and keep others from changing it until the transaction ends."""
    await connection.execute(_LOCK, {"staff": staff})
    return await held(connection, staff)


def new_secret(random: Random) -> str:
    """A secret for an application that makes codes, in base 32."""
    return base64.b32encode(random.token_bytes(SECRET_BYTES)).decode()


def right_step(secret: str, code: str, now: datetime) -> int | None:
    """Of which step ``code`` is (RFC 6238), or ``None`` where it is of none near ``now``."""
    digits = "".join(code.split()) if len(code) <= 20 else ""
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    totp = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    current = totp.timecode(now)
    right = [
        step
        for step in range(current - WINDOW, current + WINDOW + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode())
    ]
    return right[-1] if right else None


@dataclass(frozen=True, slots=True)
class Proofs:
    """Compares and uses up codes."""

    sealer: Sealer
    random: Random

    def totp_place(self, staff: UUID, *, pending: bool = False) -> Place:
        """Where the secret of an application is sealed for."""
        return Place(NO_PRACTICE, "staff_credential", "totp_pending" if pending else "totp", staff)

    async def totp(self, connection: AsyncConnection, staff: UUID, code: str, now: datetime) -> bool:
        """Whether ``code`` is one of the account's application, and was not used before (RFC 6238 §5.2).

        Arguments:
            connection: of a transaction that has named the account; the code is used up with it.
        """
        sealed = (await connection.execute(_TOTP, {"staff": staff})).scalar_one_or_none()
        if sealed is None:
            return False
        step = right_step(self.sealer.open_text(sealed, self.totp_place(staff)), code, now)
        if step is None:
            return False
        return (await connection.execute(_USE_STEP, {"staff": staff, "step": step})).rowcount == 1

    async def recovery(self, connection: AsyncConnection, staff: UUID, code: str, now: datetime) -> bool:
        """Whether ``code`` is one that was printed for the account, and was not used before."""
        values = {"staff": staff, "mark": self.recovery_mark(staff, code), "now": now}
        return (await connection.execute(_USE_CODE, values)).rowcount == 1

    async def print_codes(self, connection: AsyncConnection, staff: UUID) -> list[str]:
        """Ten fresh codes, as they are shown this once; those before are void."""
        await connection.execute(_VOID_CODES, {"staff": staff})
        codes = [self._new_code() for _ in range(RECOVERY_CODES)]
        for code in codes:
            await connection.execute(_ADD_CODE, {"staff": staff, "mark": self.recovery_mark(staff, code)})
        return codes

    def recovery_mark(self, staff: UUID, code: str) -> str:
        """The keyed hash under which a printed code is found, however it is typed."""
        typed = "".join(character for character in code[:100].lower() if character.isalnum()).translate(_ALIKE)
        return self.sealer.blind_index(NO_PRACTICE, "staff.recovery", f"{staff}|{typed}").hex()

    def _new_code(self) -> str:
        drawn = self.random.token_bytes(_RECOVERY_LENGTH)  # 256 is a multiple of 32: each character is as likely
        code = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in drawn)
        return "-".join(code[start : start + 4] for start in range(0, _RECOVERY_LENGTH, 4))


_HELD = text(
    """
    SELECT (SELECT totp_confirmed_at FROM staff_credential WHERE staff_id = :staff) AS since,
           (SELECT count(*) FROM staff_passkey WHERE staff_id = :staff) AS passkeys,
           (SELECT count(*) FROM staff_recovery_code WHERE staff_id = :staff AND used_at IS NULL) AS codes
    """
)
_LOCK = text("SELECT 1 FROM staff_credential WHERE staff_id = :staff FOR UPDATE")
_TOTP = text("SELECT totp FROM staff_credential WHERE staff_id = :staff")
#: Of two at once with the same code, the database lets one through.
_USE_STEP = text(
    "UPDATE staff_credential SET totp_step = :step WHERE staff_id = :staff AND totp IS NOT NULL AND totp_step < :step"
)
_USE_CODE = text(
    "UPDATE staff_recovery_code SET used_at = :now WHERE staff_id = :staff AND mark = :mark AND used_at IS NULL"
)
_VOID_CODES = text("DELETE FROM staff_recovery_code WHERE staff_id = :staff")
_ADD_CODE = text("INSERT INTO staff_recovery_code (staff_id, mark) VALUES (:staff, :mark)")
