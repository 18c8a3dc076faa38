"""What callers hear when nothing else can answer: documents kept in memory by called number, without any patient word.

P7: the emergency line is said, a person is reachable, and no line is dialled that leads back to us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from twilio.twiml import voice_response as verbs

from callcenter.calls.session import Way
from callcenter.kernel.errors import CallcenterError
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.callers import Line, e164, line_ending
from callcenter.telephony.transfers import Transfers
from callcenter.telephony.twiml import CarrierVoices, say, serialise

APOLOGY = "Nous vous prions de nous excuser, notre service rencontre une difficulté technique."
EMERGENCY = "En cas d'urgence vitale, raccrochez et composez le 15 ou le 112."
TRANSFER = "Nous vous mettons en relation avec le cabinet. Restez en ligne, s'il vous plaît."
NOBODY_ANSWERED = "Si personne ne vous a répondu, merci de rappeler un peu plus tard. Au revoir."
CALL_LATER = "Merci de rappeler un peu plus tard. Au revoir."

#: Seconds for which the practice's own line rings.
_RING_SECONDS = 40


class NoLastResort(CallcenterError):
    """There is no document of last resort for that number."""


@dataclass(frozen=True, slots=True)
class RescueEntry:
    """One number that we serve.

    Arguments:
        called: the number, E.164.
        rescue: a line of the practice that is not forwarded to us, E.164; ``None`` if there is none.
        practice: short name of the practice.
    """

    called: str
    rescue: str | None
    practice: str = ""


class RescueFault(StrEnum):
    """Why a rescue number is not dialled."""

    NOT_E164 = "not_e164"
    SERVED = "served"


@dataclass(frozen=True, slots=True)
class RefusedRescue:
    """A rescue number that is not dialled; its callers hear the emergency line and a goodbye.

    Arguments:
        called: the number whose entry it is.
        fault: why.
    """

    called: str
    fault: RescueFault


@dataclass(frozen=True, slots=True)
class _Prepared:
    rescue: str
    body: bytes


class StaticAnswers:
    """The documents, made before they are needed, so that no database and no rendering stands between them and a call.

    Arguments:
        voices: the carrier's voices; French is used.
        alerts: told of a rescue number that is refused.
        transfers: remembers the calls that were sent away.

    Raises:
        Unrenderable: no voice is set for French.
    """

    def __init__(self, voices: CarrierVoices, alerts: Alerts, transfers: Transfers | None = None) -> None:
        self._voices = voices
        self._alerts = alerts
        self._transfers = transfers or Transfers()
        self._served: frozenset[str] = frozenset()
        self._practices: Mapping[str, str] = MappingProxyType({})
        self._plain = _document(voices)
        self._by_number: Mapping[str, _Prepared] = MappingProxyType({})

    def refresh(self, entries: Sequence[RescueEntry]) -> tuple[RefusedRescue, ...]:
        """Prepare the documents anew; those before are replaced at once.

        Arguments:
            entries: every number that we serve.

        Returns the rescue numbers that are refused; each is an alert too. One practice's mistake keeps no other
        practice from its rescue line.
        """
        dialled, refused = _dialled(entries)
        self._by_number = MappingProxyType({called: self._prepared(called, rescue) for called, rescue in dialled})
        self._served = frozenset(line_ending(entry.called) for entry in entries)
        self._practices = MappingProxyType({entry.called: entry.practice for entry in entries})
        for refusal in refused:
            self._alerts.report(AlertKind.RESCUE_REFUSED, called=refusal.called, fault=refusal.fault.value)
        return refused

    def _prepared(self, called: str, rescue: str) -> _Prepared:
        """The document that stands, if it dials that line: to make a thousand anew each minute holds every call up."""
        standing = self._by_number.get(called)
        if standing is not None and standing.rescue == rescue:
            return standing
        return _Prepared(rescue, _document(self._voices, called, rescue))

    def practice(self, called: str | None) -> str:
        """Short name of the practice that answers at ``called``; empty if none does."""
        return self._practices.get(called or "", "")

    def comes_back(self, line: Line) -> bool:
        """Whether the call on ``line`` comes from a number that we serve: only a call that we made ourselves does."""
        return line.comes_from_any(self._served)

    def goodbye(self) -> bytes:
        """The document that dials nobody."""
        return self._plain

    def answer(self, line: Line) -> bytes:
        """The document for a call on ``line``; it never dials a number that the call may come from, nor sends the same
        call away twice."""
        prepared = self._by_number.get(line.called) if line.called is not None else None
        if prepared is None or line.comes_from(prepared.rescue) or self.comes_back(line):
            return self._plain
        if not self._transfers.may_go(line):
            self._alerts.report(AlertKind.CALL_CAME_BACK)
            return self._plain
        return prepared.body

    def may_ring(self, line: str, way: Way) -> bool:
        """See :class:`callcenter.calls.switchboard.OpenLines`. One memory serves both ways out of the house."""
        came = Line(way.called, way.origins, way.sid)
        if line_ending(line) in self._served or came.comes_from(line) or self.comes_back(came):
            return False
        if not self._transfers.may_go(came):
            self._alerts.report(AlertKind.CALL_CAME_BACK)
            return False
        return True

    def ended(self, sid: str) -> None:
        """The call of the carrier's identifier ``sid`` is over."""
        self._transfers.ended(sid)


def document_of_last_resort(called: str, entries: Sequence[RescueEntry], voices: CarrierVoices) -> bytes:
    """The document of one number, for a host that does not fall with this one.

    Arguments:
        called: the number, E.164.
        entries: every number that we serve.
        voices: the carrier's voices; French is used.

    Raises:
        NoLastResort: we do not answer there, or the rescue number cannot be dialled.
    """
    if called not in {entry.called for entry in entries}:
        raise NoLastResort(f"no practice answers at {called}: `callcenter practice list` shows those that do")
    dialled, refused = _dialled(entries)
    for refusal in refused:
        if refusal.called == called:
            raise NoLastResort(f"the rescue number of {called} cannot be dialled ({refusal.fault}): enrol another")
    return _document(voices, called, dict(dialled).get(called))


def _dialled(entries: Sequence[RescueEntry]) -> tuple[list[tuple[str, str]], tuple[RefusedRescue, ...]]:
    """The called numbers, each with the line that is dialled for it; and those whose line is not."""
    served = {line_ending(entry.called) for entry in entries}
    dialled: list[tuple[str, str]] = []
    refused: list[RefusedRescue] = []
    for entry in entries:
        if entry.rescue is None:
            continue
        if e164(entry.rescue) is None:
            refused.append(RefusedRescue(entry.called, RescueFault.NOT_E164))
        elif line_ending(entry.rescue) in served:
            refused.append(RefusedRescue(entry.called, RescueFault.SERVED))
        else:
            dialled.append((entry.called, entry.rescue))
    return dialled, tuple(refused)


def _document(voices: CarrierVoices, called: str | None = None, rescue: str | None = None) -> bytes:
    voice = voices.voice("fr")
    response = verbs.VoiceResponse()
    say(response, f"{APOLOGY} {EMERGENCY}", voice)
    if rescue is not None:
        say(response, TRANSFER, voice)
        # Without an action the next verb runs when the line does not answer: the call never ends in silence.
        dial = verbs.Dial(caller_id=called, timeout=_RING_SECONDS)
        dial.append(verbs.Number(rescue))
        response.append(dial)
    say(response, NOBODY_ANSWERED if rescue is not None else CALL_LATER, voice)
    response.append(verbs.Hangup())
    return serialise(response)
