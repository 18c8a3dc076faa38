"""Dial to a conference: coming, hearing what is heard, leaving, and what is told of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from callcenter.emulator.calls import Call, Fetch, HungUp, Source, Subscription
from callcenter.emulator.conferences import (
    Announcement,
    Conference,
    Conferences,
    Participant,
    Seat,
    Sound,
    WhyEnded,
)
from callcenter.emulator.identifiers import rfc2822
from callcenter.emulator.interludes import Interlude
from callcenter.emulator.prompts import LONGEST_CALL
from callcenter.emulator.results import CONFERENCE, DialResult, Ended, Exhausted, Left, Place
from callcenter.emulator.twiml import DocumentFailed
from callcenter.emulator.verbs import Alert, Dial, DialledConference, Method
from callcenter.emulator.webhooks import Parameters

LONGEST_NAME = LONGEST_LABEL = 128  # characters
CALL_SID = re.compile(r"CA[0-9a-f]{32}")
MUSIC = "[musique d'attente]"


class Exchange(Protocol):
    """Runs documents, and tells the application."""

    async def perform(self, call: Call, source: Source, place: Place) -> Exhausted | Ended | Left: ...

    def conference_changed(self, call: Call, sid: str, subscription: Subscription, parameters: Parameters) -> None: ...


class Conferring:
    """Executes Dial to a conference, and what the REST interface asks of those in it.

    Arguments:
        exchange: runs documents.
        conferences: has the conferences.
        now: dates events.
    """

    def __init__(self, exchange: Exchange, conferences: Conferences, now: Callable[[], datetime]) -> None:
        self._exchange = exchange
        self.conferences = conferences
        self._now = now

    async def confer(self, call: Call, dial: Dial, wanted: DialledConference) -> DialResult:
        """Enter a conference, and stay until it is left."""
        if not 0 < len(wanted.name) <= LONGEST_NAME:
            call.alert(Alert(13237, "error", f"<Conference> needs a name of {LONGEST_NAME} characters at most"))
            return DialResult("failed")
        conference = self.conferences.running(wanted.name) or self.begin(wanted)
        code = self.refusal(conference, wanted)
        if code is not None:
            call.alert(Alert(code, "error", f"<Conference>: {REFUSALS[code]}"))
            return DialResult("failed", skipped=code == LABEL_TAKEN)
        participant = self.prepare(conference, call, wanted)
        star = (lambda: participant.leave("participant_hung_up")) if dial.hangup_on_star else None
        await self.sit(participant, dial.time_limit, star)
        return DialResult("failed" if participant.out == "participant_add_failed" else "answered", bridged=True)

    def begin(self, wanted: DialledConference) -> Conference:
        """A new conference; its first participant says who is told of it."""
        told = Subscription(wanted.callback, wanted.callback_method, wanted.events) if wanted.callback else None
        return self.conferences.begin(wanted.name, told)

    def refusal(self, conference: Conference, wanted: DialledConference) -> int | None:
        """The carrier's error if somebody may not come as they want to."""
        label = wanted.label
        if label is not None and (len(label) > LONGEST_LABEL or "/" in label or CALL_SID.fullmatch(label)):
            return LABEL_BAD
        if conference.find(label) is not None:
            return LABEL_TAKEN
        if len(conference.everybody()) >= wanted.most:
            return FULL
        if wanted.coach is not None and conference.find(wanted.coach) is None:
            return COACHED_MISSING
        return None

    def prepare(self, conference: Conference, call: Call, wanted: DialledConference) -> Participant:
        """Somebody who is about to come."""
        waiting = Sound(wanted.wait_url, wanted.wait_method) if wanted.wait_url != "" else None
        coached = conference.find(wanted.coach)
        return Participant(call, conference, wanted, self._now(), wanted.muted, wanted.ends, waiting, coached=coached)

    async def sit(self, participant: Participant, seconds: float, on_star: Callable[[], None] | None = None) -> None:
        """Be in the conference until it is left, whichever way; some seconds at most."""
        call, conference = participant.call, participant.conference
        if call.answered is None:
            call.become("in-progress")
        until = call.timeline.elapsed + seconds
        self._enter(participant, on_star)
        try:
            while participant.out is None:
                if (sound := participant.wants()) is not None:
                    await self._play(participant, sound)
                elif not await call.timeline.wait(call.bell, until):
                    participant.out = "participant_hung_up"
        except asyncio.CancelledError:
            if not call.interrupted:  # everything is being closed: nobody is told
                conference.participants.clear()
                raise
            participant.out = "participant_updated_via_api" if call.leads_elsewhere else "participant_hung_up"
            raise
        finally:
            if participant in conference.participants:
                self._leave(participant)

    def _enter(self, participant: Participant, on_star: Callable[[], None] | None) -> None:
        call, conference = participant.call, participant.conference
        for other in conference.participants:
            other.call.timeline.meet(call.timeline)
        conference.participants.append(participant)
        call.company = conference
        self._tell(participant, "join", "participant-join")
        present = conference.participants
        if conference.state == "init" and len(present) > 1 and any(one.given.starts for one in present):
            conference.state, conference.updated = "in-progress", self._now()
            for one in present:
                if one.waiting is not None:
                    one.waiting.over = True
                one.call.hear("joined", f"[conférence {conference.name}]")
            self._tell_all(participant, "start", "conference-start")
        elif conference.state == "in-progress":
            call.hear("joined", f"[conférence {conference.name}]")
        call.listen(Seat(participant, on_star))
        conference.look()

    def _leave(self, participant: Participant) -> None:
        call, conference = participant.call, participant.conference
        conference.participants.remove(participant)
        if call.company is conference:
            call.company = None
            call.listen(None)
        conference.look()
        hung_up = call.interrupted and not call.leads_elsewhere
        self._tell(
            participant,
            "leave",
            "participant-leave",
            ("ParticipantCallStatus", "completed" if hung_up else call.status),
            ("ReasonParticipantLeft", participant.out or "participant_hung_up"),
        )
        manner = "kicked" if participant.kicked else "left"
        if conference.state != "completed" and participant.ends_all:
            self._end(conference, f"participant-with-end-conference-on-exit-{manner}", participant)  # type: ignore[arg-type]
        elif conference.state != "completed" and not conference.participants:
            self._end(conference, f"last-participant-{manner}", participant)  # type: ignore[arg-type]
        if conference.state == "completed" and not conference.participants:
            by = conference.ended_by
            extras = [("ReasonConferenceEnded", conference.why_ended or ""), ("Reason", _in_words(conference))]
            if by is not None:
                extras.append(("CallSidEndingConference", by.call.sid))
                extras += [("ParticipantLabelEndingConference", by.label)] if by.label else []
            self._tell_all(participant, "end", "conference-end", *extras)

    def _end(self, conference: Conference, why: WhyEnded, by: Participant | None) -> None:
        conference.state, conference.updated = "completed", self._now()
        conference.why_ended, conference.ended_by = why, by
        for one in conference.participants:
            one.leave("moderator_ended_conference" if by is not None else "conference_ended_via_api")
        for one in conference.invited:
            one.call.interrupt(HungUp("carrier"))

    def complete(self, conference: Conference) -> None:
        """The REST interface ends it."""
        self._end(conference, "conference-ended-via-api", None)

    def close_if_empty(self, conference: Conference) -> None:
        """One that nobody has come to, and nobody is rung for any more, is over; nobody is told."""
        if not conference.everybody():
            conference.state = "completed"

    def kick(self, participant: Participant) -> None:
        """The REST interface puts somebody out."""
        participant.kicked = True
        participant.leave("participant_updated_via_api")

    def mute(self, participant: Participant, *, muted: bool) -> None:
        """From now on nobody hears somebody, or everybody does again."""
        if participant.muted != muted:
            participant.muted = muted
            participant.conference.look()  # the others hear somebody else now
            self._tell(participant, "mute", "participant-mute" if muted else "participant-unmute")

    def hold(self, participant: Participant, sound: Sound | None) -> None:
        """Let somebody hear this instead of the others, or the others again."""
        before, participant.hold = participant.hold, sound
        participant.conference.look()
        participant.look()
        if (before is None) != (sound is None):
            self._tell(participant, "hold", "participant-unhold" if sound is None else "participant-hold")
        if sound is None and participant.conference.state == "in-progress" and participant.out is None:
            participant.call.hear("joined", f"[conférence {participant.conference.name}]")

    def modify(self, participant: Participant, *, ends_all: bool, coached: Participant | None) -> None:
        """Let somebody end the conference by leaving, or not; be heard by one alone, or by all."""
        if (ends_all, coached) != (participant.ends_all, participant.coached):
            participant.ends_all, participant.coached = ends_all, coached
            participant.conference.look()
            self._tell(participant, "modify", "participant-modify")

    def announce(self, participants: list[Participant], url: str, method: Method) -> None:
        """Let some hear a document; each asks for it."""
        announcement = Announcement(url, len(participants))
        for participant in participants:
            participant.announcements.append(Sound(url, method, announcement))
            participant.look()

    async def _play(self, participant: Participant, sound: Sound) -> None:
        call, interlude = participant.call, Interlude[Exhausted | Ended | Left | None](participant.call)
        participant.playing = (sound, interlude)
        try:
            if sound.url is None:
                await interlude.run(self._music(call))
            elif isinstance(
                await interlude.run(self._exchange.perform(call, Fetch(sound.url, sound.method), CONFERENCE)), Ended
            ):
                participant.out = "participant_hung_up"
        except DocumentFailed as failed:
            call.alert(Alert(failed.code, "error", str(failed), failed.url))
            if sound.announcement is not None:
                sound.announcement.failed = str(failed)
            elif sound is participant.waiting:  # https://www.twilio.com/docs/voice/twiml/conference: then nobody joins
                participant.out = "participant_add_failed"
        finally:
            participant.playing = None
        if not interlude.was_cut:
            sound.over = True
        if sound.announcement is not None and sound in participant.announcements:
            participant.announcements.remove(sound)
            self._announced(participant, sound.announcement)

    async def _music(self, call: Call) -> None:
        call.hear("tone", MUSIC)
        while await call.timeline.wait(call.bell, LONGEST_CALL):
            continue

    def _announced(self, participant: Participant, announcement: Announcement) -> None:
        announcement.left -= 1
        if announcement.left:
            return
        extras = [("AnnounceUrl", announcement.url)]
        if announcement.failed is None:
            self._tell(participant, "announcement", "announcement-end", *extras)
        else:
            extras.append(("ReasonAnnouncementFailed", announcement.failed))
            self._tell(participant, "announcement", "announcement-fail", *extras)

    def _tell(self, participant: Participant, event: str, name: str, *extras: tuple[str, str]) -> None:
        pairs = [
            ("CallSid", participant.call.sid),
            ("Muted", _flag(participant.muted)),
            ("Hold", _flag(participant.hold is not None)),
            ("Coaching", _flag(participant.coached is not None)),
            ("EndConferenceOnExit", _flag(participant.ends_all)),
            ("StartConferenceOnEnter", _flag(participant.given.starts)),
        ]
        if participant.label is not None:
            pairs.append(("ParticipantLabel", participant.label))
        if participant.coached is not None:
            pairs.append(("CallSidToCoach", participant.coached.call.sid))
        self._tell_all(participant, event, name, *pairs, *extras)

    def _tell_all(self, participant: Participant, event: str, name: str, *extras: tuple[str, str]) -> None:
        call, conference = participant.call, participant.conference
        subscription = conference.subscription
        if subscription is None or event not in subscription.events:
            return
        conference.told += 1
        pairs = (
            ("AccountSid", call.parties.account_sid),
            ("ConferenceSid", conference.sid),
            ("FriendlyName", conference.name),
            ("StatusCallbackEvent", name),
            ("SequenceNumber", str(conference.told)),
            ("Timestamp", rfc2822(self._now())),
            *extras,
        )
        self._exchange.conference_changed(call, conference.sid, subscription, pairs)


FULL, LABEL_BAD, LABEL_TAKEN, COACHED_MISSING = 16020, 16023, 16025, 13240
REFUSALS = {
    FULL: "no more participants are let in",
    LABEL_BAD: f"participantLabel has {LONGEST_LABEL} characters at most, no /, and is no call's identifier",
    LABEL_TAKEN: "participantLabel is taken by somebody in the conference",
    COACHED_MISSING: "coach names nobody in the conference",
}


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _in_words(conference: Conference) -> str:
    return (conference.why_ended or "").replace("-", " ").capitalize()
