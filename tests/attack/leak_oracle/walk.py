"""One random caller's call, key by key, with what happens around it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from random import Random
from uuid import UUID

from callcenter.emulator.client import ControlClient
from callcenter.flow.common import APPOINTMENT
from callcenter.flow.language import (
    Act,
    Book,
    Branch,
    Card,
    Choose,
    Disclose,
    Do,
    Find,
    Lookup,
    Move,
    ReachOut,
    Reference,
    TakeMessage,
    Verify,
)
from callcenter.flow.state import SLOT, Phase, State
from callcenter.speech.voices import VoiceUnavailable
from tests.attack.leak_oracle.callers import Caller, HangsUp, Hop, Rings, asks_nothing, wander, way_to
from tests.attack.leak_oracle.mail import Mail
from tests.attack.leak_oracle.office import AGE_OF_EVIDENCE, FLAGS
from tests.attack.leak_oracle.people import CLOSED, OPEN
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.telephone import LONG_SILENCE, RINGING, SILENCE, Telephone

#: More than any call may ask (P7).
MOST_QUESTIONS = 70
#: In hours: by then, a practice has opened or closed that ever does.
FORTNIGHT = 14 * 24


class Walk:
    """A call.

    Arguments:
        premises: whom the caller rings.
        client: the emulator's control interface.
        caller: who rings, and what they are after.
    """

    def __init__(self, premises: Premises, client: ControlClient, caller: Caller) -> None:
        self._premises = premises
        self._telephone = Telephone(premises, client)
        self._caller = caller
        self._chance = Random(caller.seed)
        self._person = premises.population.people.get(caller.who)
        strangers = premises.population.strangers
        self._stranger = next((one for one in strangers if one.key == caller.who), self._chance.choice(strangers))
        self._practice = premises.population.practices[caller.called]
        self._gives_up_at = self._chance.randint(1, 8) if caller.hangs_up is HangsUp.AT_A_QUESTION else MOST_QUESTIONS
        self._reluctance = self._chance.choice(("silence", "hash", "garbage", "wrong code"))
        self._bound: UUID | None = None
        self._slot: UUID | None = None
        self._types = False
        self._staffed = caller.staffed if caller.staffed is not None else self._chance.random() < 0.5

    async def go(self) -> None:
        """Ring, talk, hang up; send strays after it; then what left is judged, and the file is put in order."""
        premises, telephone = self._premises, self._telephone
        closed = self._chance.random() >= 0.7 if self._caller.closed is None else self._caller.closed
        premises.clock.set(CLOSED if closed else OPEN)
        if self._staffed:
            await premises.shift.begins(self._practice)
        await telephone.ring(self._number(), list(self._practice.numbers)[self._caller.door])
        self._arm()
        for asked in range(MOST_QUESTIONS):
            call, queued = await telephone.state(), self._is_queued()
            if queued is not None and call.activity != "ended" and asked < self._gives_up_at:
                await self._wait(queued)
                continue
            if call.verb == "Dial" and premises.observer.state is not None:
                await self._practice_rings(premises.observer.state)
                continue
            if call.verb not in ("Gather", "Record") or asked >= self._gives_up_at or premises.observer.state is None:
                break  # over, put through to the rescue number, or enough
            await self._note_cancelled(premises.observer.state)
            await self._question(premises.observer.state)
        await telephone.ended()
        for _ in range(self._chance.choice((0, 0, 1, 2))):
            premises.clock.advance(self._chance.choice((0, 200, 400)))
            await Mail(premises, telephone.sid).stray(self._chance)
        await telephone.judged()

    # --- who rings

    def _number(self) -> str:
        match self._caller.rings:
            case Rings.OWN_NUMBER:
                return self._person.phones[0] if self._person else self._stranger.number
            case Rings.WITHHELD:
                return "anonymous"
            case Rings.KEYPAD_ANONYMOUS:
                return "+266696687"
            case Rings.PRACTICE_LINE:
                return self._practice.rescue_number
            case Rings.SIP:
                return "sip:somebody@example.org"

    def _arm(self) -> None:
        """Let the caller hang up in the middle of something."""
        if self._caller.hangs_up is HangsUp.BEFORE_WORDS:
            self._premises.edge.before_answer = self._telephone.hang_up
        if self._caller.hangs_up is HangsUp.DURING_AUDIO:
            self._premises.voice.before_sound = self._telephone.hang_up

    # --- a question

    async def _question(self, state: State) -> None:
        if self._chance.random() < self._caller.unrest and await self._stray(state):
            return
        flow, reached = self._premises.observer.flow, self._caller.goal in self._premises.observer.visited
        hops = () if reached else way_to(flow, state.step, self._caller.goal)
        hops = hops or wander(flow, state.step, self._chance)
        until = next((at for at, (step, _) in enumerate(hops[1:], 1) if not asks_nothing(flow, step)), len(hops))
        if state.phase in (Phase.KEY, Phase.CODE, Phase.NUMBER):  # whose answer may be the step's last one
            await self._prepare(hops[:until], state)
        await self._answer(hops[0][1], state)

    async def _stray(self, state: State) -> bool:
        """Something else than what is asked; tells whether the question has been answered by it."""
        match self._chance.choice(("garbage", "silence", "star", "mail", "mail", "mail", "trouble")):
            case "garbage":
                await self._telephone.press(self._garbage())
            case "star":
                await self._telephone.press("*")
            case "silence":
                await self._silence(state)
            case "mail":
                await Mail(self._premises, self._telephone.sid).stray(self._chance)
                return False
            case _:
                await self._trouble(state)
                return False
        return True

    async def _trouble(self, state: State) -> None:
        """A part of the house, or the carrier, is about to fail."""
        premises = self._premises
        match self._chance.choice(("database", "voice", "messages")):
            case "database" if state.phase is Phase.KEY:  # elsewhere, a job may be under way, which then waits seconds
                await premises.administrator.cut("callcenter")
            case "voice":
                premises.voice.before_sound = fall_silent
            case _:
                whose = self._person.phones[0] if self._person else self._stranger.number
                await Mail(premises, self._telephone.sid).refuse_next_message(whose)

    async def _answer(self, outlet: str, state: State) -> None:
        match self._premises.observer.flow.steps[state.step]:
            case Choose(keys=keys):
                await self._choose(outlet, keys, state)
            case Verify() | ReachOut():
                await self._identify(outlet, state)
            case TakeMessage():
                await self._leave_message(outlet, state)
            case Book():
                await self._book(outlet, state)
            case Move():
                await self._telephone.press({"moved": "1", "none": "2"}.get(outlet, "0"))
            case Reference():
                await self._telephone.press(self._reference() if outlet == "known" else self._wrong_reference())
            case Card():
                born = (self._person or self._stranger).birth_date
                await self._telephone.press(f"{born:%d%m%Y}" if outlet == "proved" else "01011901")

    async def _choose(self, outlet: str, keys: Collection[str], state: State) -> None:
        if outlet == "silence":
            await self._silence(state)
        elif outlet == "nonsense":
            await self._telephone.press(self._chance.choice([key for key in "123456789" if key not in keys]))
        else:
            await self._telephone.press(outlet.removeprefix("key "))

    async def _leave_message(self, outlet: str, state: State) -> None:
        if state.phase is Phase.RECORDING:
            await self._speak(outlet)
        elif state.phase is Phase.PRACTITIONER:
            await self._telephone.press("0" if outlet == "abandoned" else self._chance.choice("1239"))
        elif outlet == "abandoned":
            await self._silence(state)
        elif state.phase is Phase.REASON:
            await self._telephone.press(self._chance.choice("1234"))
        else:
            await self._telephone.press(self._chance.choice(("1#", _national(self._stranger.callback_number))))

    async def _speak(self, outlet: str) -> None:
        """Say something after the tone, or nothing."""
        if outlet == "abandoned" or self._chance.random() < 0.2:
            await self._telephone.wait(SILENCE)
            return
        await self._telephone.say(f"Bonjour, {self._stranger.spoken}, rappelez-moi.")
        if self._chance.random() < 0.7:
            await self._telephone.press("#")
        else:
            await self._telephone.wait(SILENCE)

    async def _book(self, outlet: str, state: State) -> None:
        """The first practitioner takes everybody, the second no new patients."""
        match state.phase:
            case Phase.BIRTH_DATE:
                keys = f"{(self._person or self._stranger).birth_date:%d%m%Y}"
            case Phase.NUMBER:
                keys = _national(self._stranger.callback_number)
            case Phase.PRACTITIONER:
                keys = {"refused": "2", "abandoned": "0"}.get(outlet, self._chance.choice("12"))
            case Phase.SEEN_BEFORE:
                keys = {"refused": "2", "abandoned": "0"}.get(outlet, "1")
            case _:
                keys = {"booked": "1", "none": "2"}.get(outlet, "0")
        if outlet == "abandoned" and state.phase in (Phase.BIRTH_DATE, Phase.NUMBER):
            keys = "#"
        await self._telephone.press(keys)

    def _reference(self) -> str:
        """Of the caller's printed card; a sensitive practitioner's, if there is one."""
        visits = [visit for visit in self._person.visits if visit.entry.starts_at > OPEN] if self._person else []
        visits.sort(key=lambda visit: not visit.practitioner.sensitive)
        return visits[0].reference if visits else self._wrong_reference()

    def _wrong_reference(self) -> str:
        return f"{self._chance.randrange(10**8):08d}"

    async def _practice_rings(self, state: State) -> None:
        """The practice's own telephone rings: somebody there answers, or nobody does."""
        if state.phase is not Phase.RINGING:  # the rescue number, behind a document of last resort
            await self._telephone.hang_up()
            return
        reached = self._caller.goal in self._premises.observer.visited
        hops = () if reached else way_to(self._premises.observer.flow, state.step, self._caller.goal)
        outlet = hops[0][1] if hops else self._chance.choice(("connected", "unanswered"))
        if outlet == "connected":
            await self._telephone.answered_at(self._practice.rescue_number)
        else:
            await self._telephone.wait(RINGING)

    # --- waiting for an operator

    def _is_queued(self) -> State | None:
        state = self._premises.observer.state
        return state if state is not None and state.phase is Phase.QUEUED else None

    async def _wait(self, state: State) -> None:
        """Wait for an operator: somebody takes the call, or all have gone, or a message is preferred."""
        await self._premises.judge_routing()  # what is forgotten again once the wait is over
        if self._chance.random() < self._caller.unrest:
            await Mail(self._premises, self._telephone.sid).stray(self._chance)
        reached = self._caller.goal in self._premises.observer.visited
        hops = () if reached else way_to(self._premises.observer.flow, state.step, self._caller.goal)
        outlet = hops[0][1] if hops else self._chance.choice(("connected", "connected", "message", "unanswered", ""))
        shift, desk = self._premises.shift, self._premises.shift.desk(self._practice)
        if self._types:  # and has come back to whoever they talked with
            self._types = False
            await self._telephone.left_by(await self._telephone.heard_again())
            return
        match outlet:
            case "connected":
                await self._talk(await self._telephone.taken_at(desk), stays=bool(hops))
            case "keypad":
                leg = await self._telephone.taken_at(desk)
                self._types = leg is not None and await shift.has_them_type(self._practice)
            case "message":
                await self._telephone.press("2")
            case "callback":
                leg = await self._telephone.offered_at(desk)
                if leg is not None:
                    await self._telephone.declined_by(leg)
                await shift.goes_home(self._practice)  # else it is offered again at once
                await self._telephone.press("1")
                await self._hears_why()
                await shift.forgets_callbacks()
            case "unanswered":
                await shift.goes_home(self._practice)
                await self._telephone.press("7")
                await self._hears_why()
            case _:
                leg = await self._telephone.offered_at(desk)
                if leg is not None:
                    await self._telephone.declined_by(leg)
                await self._telephone.press("2")

    async def _hears_why(self) -> None:
        """Whoever is let out hears some words first, in the queue still."""
        call = await self._telephone.state()
        if call.activity != "ended" and self._is_queued() is not None:
            await self._telephone.wait(5)

    async def _talk(self, leg: str | None, *, stays: bool) -> None:
        """The two talk, of what is nobody else's; then one of them hangs up."""
        if leg is None:
            await self._telephone.press("7")  # still waiting
            return
        await self._telephone.say(f"Bonjour, {self._stranger.spoken}.")
        if stays or self._chance.random() < 0.7:
            await self._telephone.left_by(leg)
        else:
            await self._telephone.hang_up()

    # --- who they are

    async def _identify(self, outlet: str, state: State) -> None:
        gives_up_by_code = isinstance(self._premises.observer.flow.steps[state.step], Verify)
        if outlet == "refused" and (self._reluctance != "wrong code" or not gives_up_by_code):
            await self._refuse(state)
            return
        match state.phase:
            case Phase.BIRTH_DATE:
                await self._telephone.press(f"{(self._person or self._stranger).birth_date:%d%m%Y}")
            case Phase.TELEPHONE:
                number = self._person.phones[0] if self._person else self._stranger.typed_number
                await self._telephone.press(_national(number))
            case _ if outlet == "verified":
                phones = self._person.phones if self._person else ()
                await self._telephone.press(await self._telephone.code(phones) or self._wrong_code())
            case _:
                if outlet == "unavailable":
                    await self._premises.administrator.cut("callcenter-attempts")
                await self._telephone.press(self._wrong_code())

    async def _refuse(self, state: State) -> None:
        if self._reluctance == "silence":
            await self._silence(state)
        else:
            await self._telephone.press("#" if self._reluctance == "hash" else self._garbage())

    def _wrong_code(self) -> str:
        return f"{self._chance.randrange(10**6):06d}"

    def _garbage(self) -> str:
        keys = "".join(self._chance.choices("0123456789*#", k=self._chance.randint(1, 12)))
        return keys.rstrip("*") or "#"

    async def _silence(self, state: State) -> None:
        await self._telephone.wait(LONG_SILENCE if state.phase is Phase.CODE else SILENCE)

    # --- what happens meanwhile

    async def _prepare(self, hops: Sequence[Hop], state: State) -> None:
        """See to it that the steps behind this question are left as ``hops`` says."""
        flow = self._premises.observer.flow
        for at, (step, outlet) in enumerate(hops):
            match flow.steps[step], outlet:
                case Find(what=what), "none":
                    await self._cancel_all(state, but_bound=what is Lookup.FOLLOWING_APPOINTMENT)
                case Find(), "withheld":
                    await self._close_file(state, may_age=state.phase is not Phase.CODE)
                case Disclose(), "withheld" if hops[at - 1][1] == "found":  # between two steps of one turn
                    self._premises.observer.after_find = self._mark_file
                case Disclose(), "withheld":
                    await self._close_file(state, may_cancel=True)
                case Do(act=Act.CANCEL_SLOT), "failed":
                    await self._cancel_bound(state, SLOT)
                case Do(), "failed":
                    await self._cancel_bound(state)
                case Branch(), _:
                    await self._let_hours_pass(until_open=outlet == "yes")

    async def _cancel_all(self, state: State, *, but_bound: bool) -> None:
        if self._person is not None:
            bound = state.bound.get(APPOINTMENT) if but_bound else None
            await self._premises.office.cancel(self._person, but=bound)
            for visit in self._person.visits:
                if visit.entry.id != bound:
                    await self._telephone.may_not_hear(visit.entry.id)

    async def _cancel_bound(self, state: State, name: str = APPOINTMENT) -> None:
        bound = state.bound.get(name)
        if self._person is not None and bound is not None:
            await self._premises.office.cancel(self._person, only=bound)
            await self._telephone.may_not_hear(bound)

    async def _close_file(self, state: State, *, may_age: bool = True, may_cancel: bool = False) -> None:
        """Something after which nothing may be told: a mark on the file, a cancelled appointment, age of the proof."""
        match self._chance.choice(["mark", "mark", *["cancel"] * may_cancel, *["age"] * may_age]):
            case "mark":
                await self._mark_file()
            case "cancel":
                await self._cancel_bound(state)
            case _:
                self._premises.clock.advance(AGE_OF_EVIDENCE.total_seconds())
                await self._telephone.has_proved_too_long_ago()

    async def _mark_file(self) -> None:
        if self._person is None:
            return
        flag = self._chance.choice((*FLAGS, "sensitive"))
        if flag == "sensitive":
            await self._premises.office.make_sensitive(self._person)
        else:
            await self._premises.office.mark(self._person, flag)
        await self._telephone.may_not_hear(self._person.id)

    async def _let_hours_pass(self, *, until_open: bool) -> None:
        clock = self._premises.clock
        hours = (hour for hour in range(FORTNIGHT) if self._is_open_in(hour) is until_open)
        wait = next(hours, 0)  # one that answers itself all day never closes
        if wait == 0:
            return
        clock.advance(wait * 3600)
        await self._telephone.has_proved_too_long_ago()

    def _is_open_in(self, hours: int) -> bool:
        return self._practice.is_open(self._premises.clock.now() + timedelta(hours=hours))

    async def _note_cancelled(self, state: State) -> None:
        """What the caller has cancelled may not be told any more."""
        before, self._bound = self._bound, state.bound.get(APPOINTMENT)
        if before is not None and self._bound is None and ("cancel", "done") in self._premises.observer.visited:
            await self._telephone.may_not_hear(before)
        slot, self._slot = self._slot, state.bound.get(SLOT)
        if slot is not None and self._slot is None and ("slot_cancel", "done") in self._premises.observer.visited:
            await self._telephone.may_not_hear(slot)


async def fall_silent() -> None:
    """What a voice does whose worker is gone."""
    raise VoiceUnavailable


def _national(number: str) -> str:
    return f"0{number[-9:]}"
