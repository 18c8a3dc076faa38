"""Codes by SMS: a challenge for a claim, its attempts, the comparison (OB-02, OB-03, OB-07), without an oracle (P6).

Whatever the claim, the same statements run, one challenge is written and one job deferred. Only the content differs:
a decoy has no patient, its job sends nothing, and no code opens it.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import pyotp
from sqlalchemy import insert, text

from callcenter.identity.evidence import Factor
from callcenter.identity.matching import matches
from callcenter.identity.tables import challenge
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.values import Candidate, Contact
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Place, Sealer

SECRET_BYTES = 20  # RFC 4226 §4: 160 bits
DIGITS = 6  # OB-02: at least 20 bits
#: A call-back code proves nothing by itself: what proves it is that it is typed on the line on file. It tells apart who
#: asked for the call from whoever else picks up there, in three tries, within minutes.
RETURN_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """How codes are bounded (OB-02, OB-03, OB-07).

    Arguments:
        code_life: how long a code is good for, at most 10 minutes.
        tries: attempts on one code.
        codes_per_call: challenges that one call may open, real and decoy alike.
        wrong_per_patient: wrong codes about one patient within ``wrong_window`` past which nothing more is sent.
        codes_per_patient: codes sent about one patient within ``wrong_window``, whoever asked for them.
        claims_per_caller: persons whom one calling number may claim to be within ``wrong_window``, rightly or not.
        contact_cooling: age that a contact on file must have.
        contact_stale: age of its last confirmation past which a number may have been given to somebody else.
        evidence_life: how long a verification stands within the call.
        claims_per_operator: persons whom one operator may claim their callers to be, in an hour (ID-05).
        shown_life: how long a value about a patient stays on an operator's screen.
    """

    code_life: timedelta = timedelta(minutes=10)
    tries: int = 3
    codes_per_call: int = 3
    wrong_per_patient: int = 5
    codes_per_patient: int = 9
    claims_per_caller: int = 10
    wrong_window: timedelta = timedelta(hours=24)
    contact_cooling: timedelta = timedelta(days=7)
    contact_stale: timedelta = timedelta(days=730)
    evidence_life: timedelta = timedelta(minutes=10)
    claims_per_operator: int = 60
    shown_life: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Opened:
    """A challenge that awaits its code. Looks the same for a decoy.

    Arguments:
        id: of the challenge.
        patient: whom it would verify, ``None`` for a decoy.
        shared: the contact is shared by several adults.
        factor: by what the contact is reached.
    """

    id: UUID
    patient: UUID | None
    shared: bool
    factor: Factor = Factor.SMS_CODE


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody said about themselves, and from where, as keyed hashes: to be counted, never read.

    Arguments:
        said: of birth date and telephone.
        caller: of the calling number, ``None`` when it is withheld or a line of the practice.
    """

    said: bytes
    caller: bytes | None


def the_one(candidates: Sequence[Candidate], claim: date) -> Candidate | None:
    """The only candidate with exactly the claimed birth date, unless that date is a convention (MA-04, MA-06)."""
    exact = [candidate for candidate in candidates if matches(candidate.birth_date, claim)]
    if len({candidate.patient_id for candidate in exact}) != 1 or exact[0].flags.birth_date_fictive:
        return None
    return exact[0]


def usable_contact(contacts: Sequence[Contact], preferred: UUID, now: datetime, limits: Limits) -> Contact | None:
    """The contact that a code may go to: a mobile, old enough on file and confirmed lately; the claimed one first."""
    usable = [
        contact
        for contact in contacts
        if contact.receives_sms
        and contact.entered_at <= now - limits.contact_cooling
        and contact.confirmed_at > now - limits.contact_stale
    ]
    by_preference = sorted(usable, key=lambda contact: (contact.id == preferred, contact.confirmed_at), reverse=True)
    return by_preference[0] if by_preference else None


class Challenges:
    """Challenges of one practice's calls.

    Arguments:
        sealer: seals each secret for its row.
        limits: the bounds.
        attempts: connections of their own for counting, so that an attempt counts even if the step rolls back.
    """

    def __init__(self, sealer: Sealer, clock: Clock, random: Random, limits: Limits, attempts: Database) -> None:
        self._sealer = sealer
        self._clock = clock
        self._random = random
        self._limits = limits
        self._attempts = attempts

    def claim(self, practice: UUID, birth_date: date, telephone: str, caller: str | None) -> Claim:
        """A claim, to be counted. Numbers are E.164."""
        said = self._sealer.blind_index(practice, "challenge.claim", f"{birth_date.isoformat()}|{telephone}")
        line = None if caller is None else self._sealer.blind_index(practice, "challenge.caller", caller)
        return Claim(said, line)

    async def spent(self, tx: Transaction, patient: UUID, claim: Claim) -> bool:
        """Whether nothing more is sent for now: too many wrong codes about ``patient``, too many codes, or too many
        other persons claimed from the same line. One statement, whose parts all run whatever the others find (P6).
        What was counted before two persons have lifted a lock (``identity.releases``) counts no more.
        """
        limits = self._limits
        values = {
            "patient": patient,
            "said": claim.said,
            "caller": claim.caller,
            "since": self._clock.now() - limits.wrong_window,
        }
        lately = (await tx.connection.execute(_LATELY, values)).one()
        return bool(
            lately.wrong >= limits.wrong_per_patient
            or lately.codes >= limits.codes_per_patient
            or lately.others >= limits.claims_per_caller
        )

    async def open(
        self,
        tx: Transaction,
        call: UUID,
        patient: UUID | None,
        contact: Contact | None,
        claim: Claim,
        given_out: GivenOut | None = None,
    ) -> Opened:
        """Write a challenge with a fresh secret; a decoy when there is no patient or no usable contact.

        Arguments:
            given_out: its code has been told in another call, and is to be typed in this one.
        """
        real = patient is not None and contact is not None
        challenge_id = new_id(self._random)
        secret = given_out.secret if given_out else self._random.token_bytes(SECRET_BYTES)
        now = self._clock.now()
        values = {
            "id": challenge_id,
            "practice_id": tx.practice,
            "call_id": call,
            "patient_id": patient if real else None,
            "contact_id": contact.id if contact is not None and real else None,
            "secret": self._sealer.seal(secret, _place(tx.practice, challenge_id)),
            "created_at": now,
            "expires_at": given_out.until if given_out else now + self._limits.code_life,
            "claim": claim.said,
            "caller": claim.caller,
        }
        await tx.connection.execute(_OPEN, values)
        factor = Factor.RETURN_CALL if given_out else Factor.SMS_CODE
        return Opened(challenge_id, patient if real else None, contact.shared if contact and real else False, factor)

    async def attempt(self, practice: UUID, call: UUID, opened: Opened, document: int, keys: str) -> Attempt:
        """Count one attempt, in a short transaction of its own that is committed before anything is compared.

        A webhook repeated after a rollback finds its attempt counted already. Attempts about one patient queue behind
        one another, so that calls in parallel do not get more tries. A decoy costs the same statements.

        Raises:
            DatabaseDown: it cannot be counted; then nobody is verified.
        """
        keyed = self._sealer.blind_index(practice, "challenge_attempt", f"{opened.id}|{keys}")
        now = self._clock.now()
        values = {
            "challenge": opened.id,
            "call": call,
            "document": document,
            "keyed": keyed,
            "practice": practice,
            "now": now,
            "tries": self._limits.tries,
            "since": now - self._limits.wrong_window,
            "wrong_limit": self._limits.wrong_per_patient,
        }
        async with self._attempts.practice(practice) as tx:
            await tx.connection.execute(_LOCK, {"whom": str(opened.patient or opened.id)})
            row = (await tx.connection.execute(_ATTEMPT, values)).one()
        if row.secret is None:
            return NotCounted(Over.EXPIRED if row.expired and row.used <= self._limits.tries else Over.NO_TRY_LEFT)
        last = row.used >= self._limits.tries
        return Counted(keyed, row.secret, row.patient_id, last=last, barred=row.barred or row.withdrawn)

    def is_right(self, practice: UUID, opened: Opened, attempt: Counted, keys: str) -> bool:
        """Whether ``keys`` are the challenge's code. A decoy's secret is compared too, and never opens anything."""
        secret = self._sealer.open(attempt.secret, _place(practice, opened.id))
        code_matches = hmac.compare_digest(code_digits(secret, opened.factor).encode(), keys.encode())
        opens = attempt.patient is not None and attempt.patient == opened.patient and not attempt.barred
        return code_matches and opens

    async def consume(self, tx: Transaction, opened: Opened, attempt: Counted, document: int) -> bool:
        """Use the challenge up, once. False when it has been used already."""
        values = {"challenge": opened.id, "now": self._clock.now(), "document": document, "keyed": attempt.keyed}
        return (await tx.connection.execute(_CONSUME, values)).rowcount == 1


@dataclass(frozen=True, slots=True)
class Counted:
    """The attempt stands in the database.

    Arguments:
        keyed: keyed hash of what was typed, the attempt's key.
        secret: the challenge's sealed secret.
        patient: whom the challenge is about.
        last: no further attempt on this challenge will be counted.
        barred: too many wrong codes about this patient lately, or the telephone that got the code has left the file
            since. No code is right then; but the questions go on as they would, so that nobody learns from their number
            that there is such a patient (P6).
    """

    keyed: bytes
    secret: bytes
    patient: UUID | None
    last: bool
    barred: bool


class Over(StrEnum):
    """Why nothing more is compared with a challenge. The names stand in ledger records."""

    NO_TRY_LEFT = "no_try_left"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class NotCounted:
    """No attempt is left: the challenge is used up, too old, or another call's."""

    reason: Over = Over.NO_TRY_LEFT


Attempt = Counted | NotCounted


@dataclass(frozen=True, slots=True)
class GivenOut:
    """The secret of a call-back code that a caller has been told.

    Arguments:
        until: when it is too old.
    """

    secret: bytes
    until: datetime


def hotp(secret: bytes) -> pyotp.HOTP:
    """The code generator of a challenge: counter 0 of a secret that serves once (RFC 4226)."""
    return pyotp.HOTP(base64.b32encode(secret).decode(), digits=DIGITS)


def code_digits(secret: bytes, factor: Factor) -> str:
    """The digits of the code that ``secret`` stands for: of a call-back code, the last four."""
    return hotp(secret).at(0)[-(RETURN_DIGITS if factor is Factor.RETURN_CALL else DIGITS) :]


def code_of(sealer: Sealer, practice: UUID, challenge_id: UUID, sealed_secret: bytes) -> str:
    """The six digits of a challenge, for the message that carries them."""
    return hotp(sealer.open(sealed_secret, _place(practice, challenge_id))).at(0)


def _place(practice: UUID, challenge_id: UUID) -> Place:
    return Place(practice, "challenge", "secret", challenge_id)


_OPEN = insert(challenge)

_LATELY = text(
    """
    SELECT (
        SELECT count(*) FROM challenge_attempt a JOIN challenge c ON c.id = a.challenge_id
        WHERE c.patient_id = :patient AND a.at > :since AND NOT a."right" AND a.at > lifted.at
    ) AS wrong, (
        SELECT count(*) FROM challenge WHERE patient_id = :patient AND created_at > :since AND created_at > lifted.at
    ) AS codes, (
        SELECT count(DISTINCT claim) FROM challenge
        WHERE caller = cast(:caller AS bytea) AND claim <> :said AND created_at > :since
    ) AS others
    FROM (SELECT coalesce(max(at), '-infinity') AS at FROM lock_lifted WHERE patient_id = :patient) lifted
    """
)

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:whom, 0))")

# One statement counts and hands out the secret. `used` counts this attempt too. An attempt that stands already (the
# step rolled back after counting) is found again instead of counted again. Of a code that is over it gives no secret.
_ATTEMPT = text(
    """
    WITH c AS (
        SELECT id, patient_id, contact_id, secret FROM challenge
        WHERE id = :challenge AND call_id = :call AND consumed_at IS NULL AND expires_at > :now AND secret IS NOT NULL
    ), before AS (
        SELECT count(*) AS used FROM challenge_attempt
        WHERE challenge_id = :challenge AND NOT (document = :document AND keyed = :keyed)
    ), wrong AS (
        SELECT count(*) AS lately FROM challenge_attempt a JOIN challenge o ON o.id = a.challenge_id
        WHERE o.patient_id = (SELECT patient_id FROM c) AND a.at > :since AND NOT a."right"
          AND a.at > coalesce((SELECT max(l.at) FROM lock_lifted l JOIN c ON l.patient_id = c.patient_id), '-infinity')
          AND NOT (a.challenge_id = :challenge AND a.document = :document AND a.keyed = :keyed)
    ), counted AS (
        INSERT INTO challenge_attempt (practice_id, challenge_id, document, keyed, at)
        SELECT :practice, c.id, :document, :keyed, :now FROM c, before
        WHERE before.used < :tries
        ON CONFLICT DO NOTHING
    )
    SELECT c.secret, c.patient_id, before.used + 1 AS used, wrong.lately >= :wrong_limit AS barred,
        c.patient_id IS NOT NULL AND c.contact_id IS NULL AS withdrawn,
        (SELECT expires_at <= :now FROM challenge WHERE id = :challenge) AS expired
    FROM before CROSS JOIN wrong LEFT JOIN c ON before.used < :tries
    """
)

_CONSUME = text(
    """
    WITH used AS (
        UPDATE challenge SET consumed_at = :now, secret = NULL
        WHERE id = :challenge AND consumed_at IS NULL RETURNING id
    )
    UPDATE challenge_attempt SET "right" = true
    WHERE challenge_id IN (SELECT id FROM used) AND document = :document AND keyed = :keyed
    """
)
