"""Following a transcript on an emulator: each step in its turn, until one differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from callcenter.emulator.arrivals import Arrivals
from callcenter.emulator.client import ArrivedMail, ArrivedMessage, CallState, ControlClient, Ringing, Spoken
from callcenter.emulator.company import AMONG_OTHERS, Company, Difference
from callcenter.emulator.desks import Desks, seen
from callcenter.emulator.errors import EmulatorError, Refusal
from callcenter.emulator.narration import heard_line, keys_line, mail_line, message_line, sent_line
from callcenter.emulator.nodes import plain
from callcenter.emulator.outcomes import Differed
from callcenter.emulator.passing import Passing, Upkeep
from callcenter.emulator.steps import (
    CALLER,
    Answers,
    Calls,
    ContinuesOn,
    Ends,
    HangsUp,
    Hears,
    HearsNot,
    HearsWhom,
    Held,
    Mails,
    NoMails,
    NoRings,
    NoTexts,
    Operates,
    Presses,
    Rejects,
    Rings,
    Says,
    SendsText,
    Step,
    Texts,
    Transcript,
    Waits,
)
from callcenter.emulator.surroundings import Surroundings

Narrator = Callable[[str], object]

REFERENCE = re.compile(r"\{(\w+)(!?)\}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what happens beside the call, in real seconds.

    Arguments:
        text: for a text message to arrive.
        no_text: in which one that should not arrive would.
        ring: for another telephone to ring.
        ledger: for the records to be as expected.
    """

    text: float = 10.0
    no_text: float = 1.0
    ring: float = 10.0
    ledger: float = 5.0


PATIENT = Patience()


def silently(line: str) -> None:
    """Nobody looks on."""


class Follower:
    """One call, followed step after step; and the telephones that were answered, where it goes on on one of them.

    Arguments:
        sid: the call.
        seen: how many messages there were before it began.
        patience: how long to wait for what happens beside it.
        narrate: gets what happens.
        caller: sends text messages, where no other telephone is named.
        seen_mails: how many mails there were before it began.
        passing: how time passes; as for a call alone if left out.
        desks: the screens of those on duty, where they can be reached.
    """

    def __init__(
        self,
        client: ControlClient,
        sid: str,
        seen: int,
        patience: Patience = PATIENT,
        narrate: Narrator = silently,
        caller: str = "",
        seen_mails: int = 0,
        passing: Passing | None = None,
        desks: Desks | None = None,
    ) -> None:
        self.sid = sid
        self._caller = caller
        self._client = client
        self._messages: Arrivals[ArrivedMessage] = Arrivals(client.inbox, lambda message: message.body, seen)
        self._mails: Arrivals[ArrivedMail] = Arrivals(client.mails, lambda mail: mail.words, seen_mails)
        self._patience = patience
        self._company = Company(client, patience.ring)
        self._passing = passing or Passing(client, sid)
        self._desks = desks
        self._narrate = narrate
        self._told: dict[str, int] = {}
        self._line = sid  # the telephone whose turn it is
        self._windows: dict[str, int] = {}  # what was heard on each before its last acting step
        self._over = False  # whether the transcript knows that the call on this telephone is over
        self._kept: dict[str, str] = {}
        self._telephones: dict[str, str] = {}
        self._answered: dict[str, int] = {}  # the step that answered each, or let it call
        self._calls = [sid]
        self._step = Step(0, 0, Ends())
        self._surroundings = Surroundings(client)

    @property
    def calls(self) -> tuple[str, ...]:
        """The call, and those to telephones on which it went on."""
        return tuple(self._calls)

    @property
    def line(self) -> str:
        """The call on the telephone whose turn it is."""
        return self._line

    @classmethod
    async def calling(
        cls,
        client: ControlClient,
        transcript: Transcript,
        patience: Patience = PATIENT,
        narrate: Narrator = silently,
        upkeep: Upkeep | None = None,
        desks: Desks | None = None,
    ) -> Follower:
        """Make the call that a transcript describes; no step of it is taken yet.

        Arguments:
            upkeep: see :class:`~callcenter.emulator.passing.Passing`.
            desks: see :class:`Follower`.
        """
        seen, seen_mails = await client.last_message(), await client.last_mail()
        surroundings = await Surroundings.make(client, transcript)
        try:
            sid = await client.start(transcript.caller, transcript.called, "scripted", transcript.forwarded_from)
        except EmulatorError:
            await surroundings.undo()
            raise
        passing = Passing(client, sid, upkeep, really=bool(transcript.on_duty))
        follower = cls(client, sid, seen, patience, narrate, transcript.caller, seen_mails, passing, desks)
        follower._surroundings = surroundings
        return follower

    async def hang_up(self) -> CallState:
        """Hang up every telephone; the call when its end was reported, or as it is when that takes too long.

        Lines forward again what they forwarded before the call, and clients are gone.
        """
        await self._surroundings.undo()
        for leg in (self.sid, *self._answered):
            await self._client.hang_up(leg)
        for leg in self._calls[1:]:
            self.tell(await self._client.closed(leg))
        state = await self._client.closed(self.sid)
        self.tell(state)
        return state

    async def follow(self, steps: Sequence[Step]) -> Differed | None:
        """The first difference, or None."""
        for step in steps:
            self._step = step
            state = await self._settled(self._line)
            difference = await self._take(state)
            if difference is not None:
                return difference
        return None

    def tell(self, state: CallState, telephone: str = "") -> None:
        """Narrate what a telephone has heard since the last time."""
        for spoken in state.heard[self._told.get(state.sid, 0) :]:
            self._narrate(telephone + heard_line(spoken))
        self._told[state.sid] = len(state.heard)

    async def _take(self, state: CallState) -> Differed | None:
        heard: Sequence[Spoken] = state.heard[self._windows.get(self._line, 0) :]
        if isinstance(self._step.action, Presses | Waits | Says | Answers | Calls | Rejects):
            self._windows[self._line] = len(state.heard)
        match self._step.action:
            case Hears(pattern, name):
                heard = await self._awaited(state, pattern, heard)
                return self._hears(pattern, name, heard)
            case HearsWhom(names):
                known = {self.sid: CALLER} | {sid: name for name, sid in self._telephones.items()}
                return self._unless(await self._company.hears_whom(self._line, names, known))
            case Operates():
                return await self._operate(self._step.action)
            case Held(held):
                return self._unless(await self._company.held(self._line, held=held))
            case Calls():
                await self._call(self._step.action)
            case Rejects(on, reason):
                if (leg := await self._ringing(on)) is None:
                    return self._differs(f"entendre sonner le {on}", "ce téléphone ne sonne pas")
                await self._client.reject(leg.sid, reason)
                await self._passing.heard_of_the_end(leg.sid)
            case HearsNot(pattern):
                if pattern.search(_text(heard)):
                    return self._differs(f"ne pas entendre « {pattern.pattern} »", _quote(heard))
            case Presses(keys):
                return await self._press(state, self._line, keys, heard)
            case Waits(seconds):
                return await self._wait(state, seconds)
            case Says(text):
                return await self._say(state, text)
            case Texts():
                return await self._texts(self._step.action)
            case NoTexts(to):
                return await self._no_texts(to)
            case Mails():
                return await self._mailed(self._step.action)
            case NoMails(to):
                return await self._no_mails(to)
            case SendsText():
                return await self._send_text(self._step.action)
            case Answers():
                return await self._answer(self._step.action)
            case Rings(on):
                if await self._ringing(on) is None:
                    return self._differs(f"entendre sonner le {on}", "ce téléphone ne sonne pas")
            case NoRings(on):
                if await self._client.ringing(on, 0):
                    return self._differs(f"que le {on} ne sonne pas", "ce téléphone sonne")
            case ContinuesOn(name):
                self._line = self._telephones[name] if name is not None else self.sid
                self._over = False
                if self._line not in self._calls:
                    self._calls.append(self._line)
            case HangsUp(name):
                gone = self._telephones[name] if name is not None else self._line
                await self._client.hang_up(gone)
                await self._passing.heard_of_the_end(gone)
                self._over = self._over or name is None
            case Ends():
                return await self._ended(state)
        return None

    def _hears(self, pattern: re.Pattern[str], name: str | None, heard: Sequence[Spoken]) -> Differed | None:
        found = pattern.search(_text(heard))
        if found is None:
            return self._differs(f"entendre « {pattern.pattern} »", _quote(heard))
        self._keep(name, found)
        return None

    async def _press(self, state: CallState, sid: str, keys: str, heard: Sequence[Spoken]) -> Differed | None:
        digits = REFERENCE.sub(self._kept_digits, keys).replace(",", "")
        self._narrate(keys_line(digits))
        if state.activity == "ended":
            return self._differs(f"pouvoir taper {keys}", f"l'appel était terminé ; {_quote(heard)}")
        if digits and not await self._client.press(sid, digits):
            return self._differs(f"pouvoir taper {keys}", f"rien n'écoutait les touches ; {_quote(heard)}")
        return None

    def _kept_digits(self, reference: re.Match[str]) -> str:
        """What a name stands for; with ``!``, digits that are all different from it."""
        kept = self._kept[reference[1]]
        return "".join(str((int(key) + 1) % 10) if key.isdigit() else key for key in kept) if reference[2] else kept

    async def _wait(self, state: CallState, seconds: float) -> Differed | None:
        if state.activity == "ended" and not self._over:
            return self._differs(f"attendre {seconds:g} s au téléphone", "l'appel était terminé")
        await self._passing.on(self._line, seconds)
        return None

    async def _say(self, state: CallState, text: str) -> Differed | None:
        try:
            await self._client.speak(self._line, text)
        except Refusal:
            ended = state.activity == "ended"
            return self._differs(
                f"pouvoir dire « {text} »", "l'appel était terminé" if ended else "rien n'écoutait la voix"
            )
        return None

    async def _operate(self, step: Operates) -> Differed | None:
        if self._desks is None:
            raise EmulatorError("une personne en poste doit répondre à l'écran, et rien ici n'y mène")
        login, pattern = step.login, step.pattern
        instead = await seen(self._desks, login, pattern, self._patience.ring, absent=step.absent)
        if instead is not None:
            wanted = "un écran" if pattern is None else f"« {pattern.pattern} » à l'écran"
            return self._differs(f"{'ne pas voir' if step.absent else 'voir'} {wanted}, chez {login}", instead)
        if step.emergency:
            self._windows[self._line] = len((await self._client.state(self._line)).heard)
            hindered = await self._desks.emergency(login)
            return None if hindered is None else self._differs(f"pouvoir signaler une urgence, chez {login}", hindered)
        if step.chooses is None and not step.fills:
            return None
        fills = {name: REFERENCE.sub(self._kept_digits, value) for name, value in step.fills}
        self._windows[self._line] = len((await self._client.state(self._line)).heard)
        hindered = await self._desks.answer(login, step.chooses, fills)
        return None if hindered is None else self._differs(f"pouvoir répondre à l'écran, chez {login}", hindered)

    async def _texts(self, texts: Texts) -> Differed | None:
        found = await self._messages.matching(texts.to, texts.pattern, self._patience.text)
        if isinstance(found, list):
            expected = f"un SMS au {texts.to} contenant « {texts.pattern.pattern} »"
            return self._differs(expected, _quoted(found) or "aucun SMS")
        self._narrate(message_line(found.arrived))
        self._keep(texts.name, found.match)
        return None

    async def _mailed(self, mails: Mails) -> Differed | None:
        found = await self._mails.matching(mails.to, mails.pattern, self._patience.text)
        if isinstance(found, list):
            expected = f"un courriel à {mails.to} contenant « {mails.pattern.pattern} »"
            return self._differs(expected, _quoted(found) or "aucun courriel")
        self._narrate(mail_line(found.arrived))
        self._keep(mails.name, found.match)
        return None

    def _keep(self, name: str | None, found: re.Match[str]) -> None:
        if name is not None:
            kept = found[1] if found.re.groups else found[0]
            self._kept[name] = re.sub(r"\s", "", kept or "")

    async def _no_texts(self, to: str) -> Differed | None:
        arrived = await self._messages.since(to, self._patience.no_text)
        return self._differs(f"aucun SMS au {to}", _quoted(arrived)) if arrived else None

    async def _no_mails(self, to: str) -> Differed | None:
        arrived = await self._mails.since(to, self._patience.no_text)
        return self._differs(f"aucun courriel à {to}", _quoted(arrived)) if arrived else None

    async def _send_text(self, text: SendsText) -> Differed | None:
        self._narrate(sent_line(text.to, text.body))
        status = await self._client.send_text(text.sender or self._caller, text.to, text.body)
        if status is not None and 200 <= status < 300:
            return None
        heard = "personne ne prend les SMS à ce numéro" if status is None else f"l'application a répondu {status}"
        return self._differs(f"pouvoir envoyer « {text.body} » au {text.to}", heard)

    async def _answer(self, answers: Answers) -> Differed | None:
        leg = await self._picked_up(answers.on)
        if leg is None:
            return self._differs(f"entendre sonner le {answers.on}", "ce téléphone ne sonne pas")
        if answers.name is not None:
            self._telephones[answers.name] = leg
        state = await self._settled(leg, f"{answers.on} ")
        if answers.pattern is not None and (differs := self._hears(answers.pattern, None, state.heard)) is not None:
            return differs
        if answers.keys is None:
            return None
        self._windows[leg] = len(state.heard)
        return await self._press(state, leg, answers.keys, state.heard)

    async def _picked_up(self, number: str) -> str | None:
        """A telephone that rings is answered, or was by this very step; None if it does not ring."""
        before = next((leg for leg, step in self._answered.items() if step == self._step.number), None)
        if before is not None:
            return before
        leg = await self._ringing(number)
        if leg is None:
            return None
        await self._client.answer(leg.sid)
        self._answered[leg.sid] = self._step.number
        return leg.sid

    async def _ringing(self, number: str) -> Ringing | None:
        """The leg that rings at a number, one that this call has dialled rather than another; time passes there too."""
        ringing = await self._client.ringing(number, self._patience.ring)
        leg = next((leg for leg in ringing if leg.parent == self.sid), ringing[-1] if ringing else None)
        if leg is not None:
            await self._passing.joins(self._line, leg.sid)
        return leg

    async def _call(self, calls: Calls) -> None:
        sid = await self._client.start(calls.caller, calls.called, "scripted")
        await self._passing.joins(self._line, sid)
        self._telephones[calls.name] = sid
        self._answered[sid] = self._step.number
        await self._settled(sid, f"{calls.caller} ")

    async def _awaited(self, state: CallState, pattern: re.Pattern[str], heard: Sequence[Spoken]) -> Sequence[Spoken]:
        """What was heard; among others it may come from the application at any moment, and is awaited."""
        if state.verb not in AMONG_OTHERS:
            return heard
        start = self._windows.get(self._line, 0)
        state = await self._company.until(self._line, lambda now: pattern.search(_text(now.heard[start:])) is not None)
        self.tell(state)
        return state.heard[start:]

    async def _ended(self, state: CallState) -> Differed | None:
        if state.verb in AMONG_OTHERS:  # whoever has left may be missed by the application first
            state = await self._company.until(self._line, lambda now: now.activity == "ended")
            self.tell(state)
        if state.activity != "ended":
            heard = state.heard[self._windows.get(self._line, 0) :]
            return self._differs("la fin de l'appel", f"l'appel continue ; {_quote(heard)}")
        if state.hung_up_by == "telephone":
            return self._differs("que l'autre côté raccroche", "l'appelant a raccroché lui-même")
        self._over = True
        return None

    async def _settled(self, sid: str, telephone: str = "") -> CallState:
        state = await self._client.settled(sid)
        self.tell(state, telephone)
        if state.activity == "busy":
            raise EmulatorError("l'appel n'attend rien et ne se termine pas non plus, après 30 secondes.")
        return state

    def _unless(self, difference: Difference | None) -> Differed | None:
        return self._differs(*difference) if difference is not None else None

    def _differs(self, expected: str, heard: str) -> Differed:
        return Differed(self._step.number, self._step.line, expected, heard)


def _quoted(arrived: Sequence[str]) -> str:
    return ", ".join(f"« {words} »" for words in arrived)


def _text(heard: Sequence[Spoken]) -> str:
    return plain(" ".join(spoken.text for spoken in heard if spoken.kind != "pause"))


def _quote(heard: Sequence[Spoken]) -> str:
    words = " ".join(spoken.text for spoken in heard if spoken.kind != "pause")
    return f"on a entendu « {words} »" if words else "on n'a rien entendu"
