"""``book`` and ``move`` in an operator's script: free slots as a list, and the one that the caller wants.

``book`` looks into no file: it is the same for everybody, and needs no proof. ``move`` is about the appointment that
was found; its slots name nobody (D04).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from callcenter.flow.booking import BORN, PRACTITIONER
from callcenter.flow.common import APPOINTMENT, found
from callcenter.flow.language import Book, Move
from callcenter.flow.message_taking import REASON
from callcenter.flow.outcomes import Asking, Left, ScriptOutcome, ScriptScene
from callcenter.flow.ports import BookablePractitioner, BookingMade, Done, NoSlot
from callcenter.flow.screens import LEAVE, SEND, Choice, FieldKind, Filled, Option
from callcenter.flow.script_disposing import suggesting
from callcenter.flow.script_forms import Asked, Faulty, NotOffered, calling, form, named, read
from callcenter.flow.script_language import Disposition
from callcenter.flow.state import Phase, State
from callcenter.flow.words import SPEECH

#: The names under which is kept what stands on the screen, as JSON: practitioners, slots in ISO form. An answer is
#: about those, whatever has changed meanwhile.
LISTED, SLOTS = "booking_listed", "slots"
NUMBER = "booking_number"

#: Slots on one screen: keys 1 to 8; 9 shows later ones, 0 leaves.
MOST_SLOTS = 8
LATER, YES, NO = "9", "1", "2"
_LEAVE_KEY = "0"

WITH_WHOM, SEEN_BEFORE = "script.book_with_whom", "script.book_seen"
YES_PROMPT, NO_PROMPT, LEAVE_PROMPT = "script.yes", "script.no", "script.leave"
SLOT_PROMPT, LATER_PROMPT, NO_LATER_PROMPT, GONE_PROMPT = (
    "script.slot",
    "script.slots_later",
    "script.slots_no_later",
    "script.slot_gone",
)
BOOK_SLOTS, MOVE_SLOTS, HELD_PROMPT = "script.book_slots", "script.move_slots", "script.book_held"
MOVED_PROMPT = "script.moved"
BORN_PROMPT, NUMBER_PROMPT, BOOKED_PROMPT = "script.birth_date", "script.book_number", "script.booked"
_SLOT_PROMPTS = (SLOT_PROMPT, LATER_PROMPT, NO_LATER_PROMPT, GONE_PROMPT, LEAVE_PROMPT)
BOOK_PROMPTS = (
    WITH_WHOM,
    SEEN_BEFORE,
    YES_PROMPT,
    NO_PROMPT,
    BOOK_SLOTS,
    HELD_PROMPT,
    BORN_PROMPT,
    NUMBER_PROMPT,
    BOOKED_PROMPT,
    *_SLOT_PROMPTS,
)
MOVE_PROMPTS = (MOVE_SLOTS, MOVED_PROMPT, *_SLOT_PROMPTS)

FIELDS = (Asked(BORN, FieldKind.DATE, BORN_PROMPT), Asked(NUMBER, FieldKind.TELEPHONE, NUMBER_PROMPT))


@dataclass(frozen=True, slots=True)
class _Later:
    """Later slots are wanted."""


# --- book


async def enter_book(state: State, scene: ScriptScene) -> ScriptOutcome:
    """Ask with whom, unless there is only one."""
    match await scene.world.booking.practitioners():
        case []:
            return await _leave("none", state, scene)
        case [only]:
            return await _with(only, state, scene)
        case several:
            options = tuple(Option(str(key), named(one.name), str(key)) for key, one in enumerate(several, start=1))
            screen = Choice(scene.lines(WITH_WHOM), (*options, _leaving(scene)))
            listed = json.dumps([str(one.id) for one in several])
            return Asking(screen, state.asking(Phase.PRACTITIONER).keeping(LISTED, listed))


async def answer_book(step: Book, state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    """Take the answer to the screen that ``state`` waits at."""
    if filled.choice == LEAVE:
        return await _leave("abandoned", state, scene)
    match state.phase:
        case Phase.PRACTITIONER:
            return await _chosen(state, filled, scene)
        case Phase.SEEN_BEFORE if filled.choice == YES:
            return await _offer(state, scene, None)
        case Phase.SEEN_BEFORE if filled.choice == NO:
            return await _leave("refused", state, scene)
        case Phase.OFFER:
            return await _hold(state, filled, scene)
        case Phase.FORM if filled.choice == SEND:
            return await _book(state, filled, scene)
        case _:
            raise NotOffered(f"step {step.name} has no such option")


async def _chosen(state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    for key, whom in enumerate(json.loads(state.typed[LISTED]), start=1):
        if filled.choice == str(key):
            there = {str(one.id): one for one in await scene.world.booking.practitioners()}
            # Whoever takes no more bookings since is listed no more: the others are.
            return await _with(there[whom], state, scene) if whom in there else await enter_book(state, scene)
    raise NotOffered("there is no such practitioner")


async def _with(practitioner: BookablePractitioner, state: State, scene: ScriptScene) -> ScriptOutcome:
    kept = state.keeping(PRACTITIONER, str(practitioner.id))
    if practitioner.new_patients:
        return await _offer(kept, scene, None)
    yes, no = Option(YES, scene.line(YES_PROMPT), YES), Option(NO, scene.line(NO_PROMPT), NO)
    return Asking(Choice(scene.lines(SEEN_BEFORE), (yes, no, _leaving(scene))), kept.asking(Phase.SEEN_BEFORE))


async def _offer(state: State, scene: ScriptScene, after: datetime | None, *before: str) -> ScriptOutcome:
    slots = await scene.world.booking.slots(UUID(state.typed[PRACTITIONER]), after)
    if slots:
        return _list(slots, state, scene, *before, BOOK_SLOTS)
    if after is None:
        return await _leave("none", state, scene)
    return _list(_standing(state), state, scene, NO_LATER_PROMPT, BOOK_SLOTS)


async def _hold(state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    slots = _standing(state)
    wanted = _wanted(filled, slots)
    if isinstance(wanted, _Later):
        return await _offer(state, scene, slots[-1])
    if isinstance(await scene.world.booking.hold(UUID(state.typed[PRACTITIONER]), wanted), NoSlot):
        return await _offer(state, scene, None, GONE_PROMPT)
    return _who(state, scene, {NUMBER: calling(scene)})


def _who(
    state: State, scene: ScriptScene, values: Mapping[str, str], faults: Mapping[str, str] | None = None
) -> Asking:
    return Asking(form(scene, scene.lines(HELD_PROMPT), FIELDS, values, faults), state.asking(Phase.FORM))


async def _book(state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    said = read(FIELDS, filled.values, scene.world.now.date())
    if isinstance(said, Faulty):
        return _who(state, scene, filled.values, said.faults)
    match await scene.world.booking.book(date.fromisoformat(said[BORN]), said[NUMBER]):
        case BookingMade(reference):
            booked = scene.line(BOOKED_PROMPT, booking__reference=f"{reference[:4]} {reference[4:]}")
            return Left("booked", suggesting(_forgetting(state), Disposition.BOOKED), (booked,))
        case NoSlot():
            return await _offer(state, scene, None, GONE_PROMPT)


async def _leave(outlet: str, state: State, scene: ScriptScene) -> Left:
    """Leave without a slot. A message that is then taken is about an appointment."""
    await scene.world.booking.release()
    return Left(outlet, _forgetting(state).keeping(REASON, "appointment"))


# --- move


async def enter_move(step: Move, state: State, scene: ScriptScene) -> ScriptOutcome:
    """List where the appointment can be moved."""
    return await _move_to(step, state, scene, None)


async def answer_move(step: Move, state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    """Move it."""
    if filled.choice == LEAVE:
        return Left("abandoned", _forgetting(state))
    slots = _standing(state)
    wanted = _wanted(filled, slots)
    if isinstance(wanted, _Later):
        return await _move_to(step, state, scene, slots[-1])
    match await scene.world.record.move(found(step.name, state), wanted):
        case Done():
            # Without the date (D03): what is said stands as long as its screen, and a value no longer than its time.
            moved = suggesting(_forgetting(state).unbinding(APPOINTMENT), Disposition.MOVED)
            return Left("moved", moved, (scene.line(MOVED_PROMPT),))
        case _:
            return await _move_to(step, state, scene, None, GONE_PROMPT)


async def _move_to(step: Move, state: State, scene: ScriptScene, after: datetime | None, *before: str) -> ScriptOutcome:
    slots = await scene.world.record.slots_for(found(step.name, state), after)
    if slots:
        return _list(slots, state, scene, *before, MOVE_SLOTS)
    if after is None:
        return Left("none", _forgetting(state))
    return _list(_standing(state), state, scene, NO_LATER_PROMPT, MOVE_SLOTS)


# --- lists of slots


def _list(slots: Sequence[datetime], state: State, scene: ScriptScene, *prompts: str) -> Asking:
    shown = slots[:MOST_SLOTS]
    options = [
        Option(str(key), scene.line(SLOT_PROMPT, offer__starts_at=_written(starts_at, scene)), str(key))
        for key, starts_at in enumerate(shown, start=1)
    ]
    later = Option(LATER, scene.line(LATER_PROMPT), LATER)
    kept = state.asking(Phase.OFFER).keeping(SLOTS, json.dumps([one.isoformat() for one in shown]))
    return Asking(Choice(scene.lines(*prompts), (*options, later, _leaving(scene))), kept)


def _written(starts_at: datetime, scene: ScriptScene) -> str:
    return SPEECH[scene.manner.language].written_slot(starts_at, scene.world.now.date())


def _leaving(scene: ScriptScene) -> Option:
    return Option(LEAVE, scene.line(LEAVE_PROMPT), _LEAVE_KEY)


def _standing(state: State) -> Sequence[datetime]:
    return [datetime.fromisoformat(one) for one in json.loads(state.typed[SLOTS])]


def _wanted(filled: Filled, slots: Sequence[datetime]) -> datetime | _Later:
    if filled.choice == LATER:
        return _Later()
    for key, starts_at in enumerate(slots, start=1):
        if filled.choice == str(key):
            return starts_at
    raise NotOffered("there is no such slot")


def _forgetting(state: State) -> State:
    return state.forgetting(PRACTITIONER, LISTED, SLOTS)
