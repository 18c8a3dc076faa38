"""Reading the database, or a backup of it, and moving what cannot be read."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4

from callcenter.calls.first_steps import FirstSteps
from callcenter.kernel.errors import IntegrityError
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.file import PatientFile
from callcenter.practice.inbox import Inbox
from callcenter.store.keys import Keyring
from callcenter.store.schema import metadata
from callcenter.store.sealed import Place, Sealer
from tests.attack.conftest import jeannes_call
from tests.attack.defence import FOILED, Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.attack.scene import (
    A_STRANGER,
    HER_WORDS,
    JEANNE,
    JEANNES_MOBILE,
    KARIM,
    START,
    TILLEULS,
    House,
    Line,
    heard_her_words,
)

KARIMS_MOBILE = "+33639980004"


def _in_the_clear(sabotage: Sabotage) -> None:
    opens = Sealer.open

    def seal(_: Sealer, value: bytes, __: Place) -> bytes:
        return value

    def open_(self: Sealer, sealed: bytes, place: Place) -> bytes:
        with suppress(IntegrityError):
            return opens(self, sealed, place)  # what stands there from before
        return sealed

    sabotage.replace(Sealer, "seal", seal)
    sabotage.replace(Sealer, "open", open_)


SEALED = Defence("fields are sealed", "who has the database has no patient", _in_the_clear)

#: What an insider looks for, in whatever form a row may hold it.
CANARIES = ("14031962", "1962-03-14", JEANNES_MOBILE, JEANNES_MOBILE.removeprefix("+33"), HER_WORDS)


@attack(stopped_by=SEALED)
async def test_an_insider_reads_every_table_after_a_call(house: House) -> Outcome:
    """With all the rights of the database, and without the keys."""
    line = await jeannes_call(house)
    assert heard_her_words(line)
    found = set()
    for name in [*metadata.tables, "procrastinate_jobs"]:
        for row in await house.ground.rows(f"SELECT * FROM {name}"):
            shown = " ".join(_shown(value) for value in row)
            found |= {f"{name}: {canary}" for canary in CANARIES if canary in shown}
    return gained(found)


def _shown(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _one_key_for_all(sabotage: Sabotage) -> None:
    sabotage.replace(Keyring, "seal_key", lambda *_: bytes(32))


KEYS = Defence("keys outside the database", "a backup without its keys opens nothing", _one_key_for_all)


@attack(stopped_by=KEYS)
async def test_a_stolen_backup_is_opened_with_other_keys(ground: Ground) -> Outcome:
    message = uuid4()
    async with ground.app.practice(TILLEULS) as tx:
        await Inbox(ground.sealer).leave(
            tx, id=message, reason="other", number=JEANNES_MOBILE, call_reference=None, now=START
        )
    (stolen,) = await ground.rows("SELECT number FROM message")
    thief = Sealer(Keyring("k1", {"k1": b"t" * 32}, b"t" * 32), SystemRandom())
    with suppress(IntegrityError):
        return gained(thief.open_text(stolen.number, Place(TILLEULS, "message", "number", message)) == JEANNES_MOBILE)
    return FOILED


def _a_telephone_fits_any_row(sabotage: Sabotage) -> None:
    real = Place.associated_data

    def associated_data(self: Place, purpose: str) -> bytes:
        return purpose.encode() if self.table == "contact" else real(self, purpose)

    sabotage.replace(Place, "associated_data", associated_data)


BOUND_TO_ROW = Defence("a seal is bound to its row", "a moved ciphertext does not open", _a_telephone_fits_any_row)


@attack(stopped_by=BOUND_TO_ROW)
async def test_a_sealed_telephone_is_moved_to_somebody_elses_row(house: House) -> Outcome:
    """Who may write to the database but has no key gives Jeanne the number of Karim, and waits for her code."""
    file, numbers = PatientFile(house.ground.sealer, TILLEULS), {JEANNE: JEANNES_MOBILE, KARIM: KARIMS_MOBILE}
    for patient, phone in numbers.items():  # as the practice entered them
        (row,) = await house.ground.rows("SELECT id FROM contact WHERE patient_id = :patient", patient=patient)
        sealed = file.seal("contact", "phone", row.id, phone)
        await house.ground.change("UPDATE contact SET phone = :sealed WHERE id = :id", sealed=sealed, id=row.id)
    moved = (
        "UPDATE contact SET phone = (SELECT phone FROM contact WHERE patient_id = :karim) WHERE patient_id = :jeanne"
    )
    await house.ground.change(moved, karim=KARIM, jeanne=JEANNE)
    await (await house.line().dial()).claim()
    return gained([message for message in await house.deliver() if message.to == KARIMS_MOBILE])


def _one_key_for_ever(sabotage: Sabotage) -> None:
    def caller_hash(self: FirstSteps, practice: UUID, caller: str | None) -> str | None:
        return None if caller is None else self.house.sealer.blind_index(practice, "audit.caller", caller).hex()

    sabotage.replace(FirstSteps, "_caller_hash", caller_hash)


KEY_OF_THE_MONTH = Defence(
    "a line has another hash every month", "LG-01: the ledger is no second patient file", _one_key_for_ever
)


@attack(stopped_by=KEY_OF_THE_MONTH)
async def test_an_insider_links_the_calls_of_one_line_through_the_ledger(house: House) -> Outcome:
    """It is kept for years, is not sealed and can be erased by nobody; within a month it tells lines apart."""
    in_november = [await caller_on_record(house.line(JEANNES_MOBILE)) for _ in range(2)]
    house.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    in_december = await caller_on_record(house.line(JEANNES_MOBILE))
    assert in_november[0] == in_november[1] != await caller_on_record(house.line(A_STRANGER))
    return gained(in_december == in_november[0])


async def caller_on_record(line: Line) -> str:
    """What the ledger keeps of the line that a call came from."""
    await line.dial()
    return str((await line.records())[0].body["caller"])
