"""Conferences and their participants over REST: list, fetch, end, announce; invite, mute, hold, coach, put out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from http import HTTPStatus

from aiohttp import web

from callcenter.emulator.calls import Status
from callcenter.emulator.conferences import Conference, Participant, Sound
from callcenter.emulator.conferring import REFUSALS
from callcenter.emulator.identifiers import rfc2822
from callcenter.emulator.nouns import CONFERENCE_EVENTS, MOST_PARTICIPANTS
from callcenter.emulator.rest import PREFIX, Form, RestError, flag, form, http_method, not_found, page, settle, whole
from callcenter.emulator.rest_calls import parties, subscription, timeout
from callcenter.emulator.switchboard import Invitation, Switchboard
from callcenter.emulator.verbs import DialledConference

LONGEST_CALL = 14_400  # seconds
ENDED, COACHED_ON_HOLD, COACHED_MISSING = 16022, 16027, 16028
STATES: Mapping[Status, str] = {"queued": "queued", "initiated": "connecting", "ringing": "ringing"}


class ConferencesResource:
    """``/Accounts/{AC}/Conferences`` and ``/Accounts/{AC}/Conferences/{CF}/Participants``.

    Arguments:
        switchboard: has the calls and the conferences.
    """

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard
        self._conferring = switchboard.conferring

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        conferences = PREFIX + "/Accounts/{account}/Conferences"
        one = conferences + "/{conference}"
        participant = one + "/Participants/{participant}.json"
        return [
            web.get(conferences + ".json", self.list),
            web.get(one + ".json", self.fetch),
            web.post(one + ".json", self.update),
            web.post(one + "/Participants.json", self.invite),
            web.get(one + "/Participants.json", self.participants),
            web.get(participant, self.participant),
            web.post(participant, self.change),
            web.delete(participant, self.kick),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Conferences, newest first, those that the query asks for."""
        query, account = request.query, request.match_info["account"]
        dated = [_dated(query, name) for name in ("DateCreated", "DateUpdated")]
        shown = [
            body(conference, account)
            for conference in reversed(self._conferring.conferences.all.values())
            if query.get("Status") in (None, conference.state)
            and query.get("FriendlyName") in (None, conference.name)
            and dated[0](conference.created)
            and dated[1](conference.updated)
        ]
        return page(request, "conferences", shown)

    async def fetch(self, request: web.Request) -> web.Response:
        """One conference."""
        return web.json_response(body(self._find(request), request.match_info["account"]))

    async def update(self, request: web.Request) -> web.Response:
        """End a conference, or announce something to all in it."""
        conference, fields = self._find(request), await form(request)
        status, announced = fields.get("Status"), fields.get("AnnounceUrl")
        if status not in {None, "completed"}:
            raise RestError(20001, "Status is completed")
        method = http_method(fields, "AnnounceMethod")
        _running(conference)
        if announced:
            self._conferring.announce(conference.participants, _url(announced), method)
        if status is not None:
            somebody = conference.participants[0].call if conference.participants else None
            self._conferring.complete(conference)
            if somebody is not None:
                await settle(somebody.timeline.changes, lambda: not conference.participants)
        return web.json_response(body(conference, request.match_info["account"]))

    async def invite(self, request: web.Request) -> web.Response:
        """Ring somebody, who is in the conference once they answer; it begins to exist if it does not."""
        fields, name = await form(request), request.match_info["conference"]
        caller, called = parties(fields)
        wanted = _wanted(fields, name)
        conference = self._conferring.conferences.running(name)
        if conference is None and name in self._conferring.conferences.all:
            raise RestError(ENDED, "The conference has ended")
        if conference is not None and (code := self._conferring.refusal(conference, wanted)) is not None:
            raise RestError(code, f"Participant cannot join: {REFUSALS[code]}")
        if conference is None and wanted.coach is not None:
            raise RestError(COACHED_MISSING, "CallSidToCoach is not in the conference")
        invitation = Invitation(
            caller, called, wanted, subscription(fields), timeout(fields),
            float(whole(fields, "TimeLimit", LONGEST_CALL, LONGEST_CALL)),
        )  # fmt: skip
        participant = self._switchboard.invite(invitation, conference or self._conferring.begin(wanted))
        answer = participant_body(participant, request.match_info["account"])
        return web.json_response(answer, status=HTTPStatus.CREATED)

    async def participants(self, request: web.Request) -> web.Response:
        """Who is in a conference, and who is being rung for it; ``Muted``, ``Hold`` and ``Coaching`` choose."""
        conference, account = self._find(request), request.match_info["account"]

        def shown(one: Participant) -> bool:
            has = {"Muted": one.muted, "Hold": one.hold is not None, "Coaching": one.coached is not None}
            return all(request.query.get(name) in (None, str(value).lower()) for name, value in has.items())

        found = [participant_body(one, account) for one in conference.everybody() if shown(one)]
        return page(request, "participants", found)

    async def participant(self, request: web.Request) -> web.Response:
        """One of them, by call or label."""
        return web.json_response(participant_body(self._participant(request), request.match_info["account"]))

    async def change(self, request: web.Request) -> web.Response:
        """Mute, hold, announce to, let end the conference, let coach."""
        participant, fields = self._participant(request), await form(request)
        conference = participant.conference
        coached = self._coached(conference, participant, fields)
        hold, announced = flag(fields, "Hold"), fields.get("AnnounceUrl")
        hold_url = _url(fields["HoldUrl"]) if fields.get("HoldUrl") else None
        hold_method = http_method(fields, "HoldMethod", "GET")
        announce_method = http_method(fields, "AnnounceMethod")
        muted, ends_all = flag(fields, "Muted"), flag(fields, "EndConferenceOnExit")
        announced = _url(announced) if announced else None
        if muted is not None:
            self._conferring.mute(participant, muted=muted)
        self._conferring.modify(
            participant, ends_all=participant.ends_all if ends_all is None else ends_all, coached=coached
        )
        if hold is False:
            self._conferring.hold(participant, None)
        elif hold or (participant.hold is not None and hold_url is not None):
            self._conferring.hold(participant, Sound(hold_url, hold_method))
        if announced is not None:
            self._conferring.announce([participant], announced, announce_method)
        return web.json_response(participant_body(participant, request.match_info["account"]))

    async def kick(self, request: web.Request) -> web.Response:
        """Put somebody out; 204. What they do next is what their document says."""
        participant = self._participant(request)
        conference = participant.conference
        self._switchboard.put_out(participant)
        await settle(participant.call.timeline.changes, lambda: participant not in conference.everybody())
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _find(self, request: web.Request) -> Conference:
        conference = self._conferring.conferences.all.get(request.match_info["conference"])
        if conference is None:
            raise not_found(request)
        return conference

    def _participant(self, request: web.Request) -> Participant:
        participant = self._find(request).find(request.match_info["participant"])
        if participant is None:
            raise not_found(request)
        return participant

    def _coached(self, conference: Conference, coach: Participant, fields: Form) -> Participant | None:
        coaching, sid = flag(fields, "Coaching"), fields.get("CallSidToCoach")
        if coaching is False:
            return None
        if sid is None:
            if coaching and coach.coached is None:
                raise RestError(13240, "Coaching needs CallSidToCoach")
            return coach.coached
        coached = conference.find(sid)
        if coached is None or coached is coach:
            raise RestError(COACHED_MISSING, "CallSidToCoach is not in the conference")
        if coached.hold is not None:
            raise RestError(COACHED_ON_HOLD, "CallSidToCoach is on hold")
        return coached


def _running(conference: Conference) -> None:
    if conference.state == "completed":
        raise RestError(ENDED, "The conference has ended")


def _wanted(fields: Form, name: str) -> DialledConference:
    """How whoever is invited comes: the same as the attributes of a document."""
    coaching, coach = flag(fields, "Coaching"), fields.get("CallSidToCoach")
    if coaching and not coach:
        raise RestError(13240, "Coaching needs CallSidToCoach")
    events = [event for value in fields.getall("ConferenceStatusCallbackEvent", []) for event in value.split()]
    callback, wait = fields.get("ConferenceStatusCallback"), fields.get("WaitUrl")
    return DialledConference(
        name,
        muted=flag(fields, "Muted") or False,
        starts=flag(fields, "StartConferenceOnEnter") is not False,
        ends=flag(fields, "EndConferenceOnExit") or False,
        label=fields.get("Label") or None,
        wait_url=wait if not wait else _url(wait),
        wait_method=http_method(fields, "WaitMethod"),
        most=whole(fields, "MaxParticipants", MOST_PARTICIPANTS, MOST_PARTICIPANTS),
        coach=None if coaching is False else coach or None,
        callback=_url(callback) if callback else None,
        callback_method=http_method(fields, "ConferenceStatusCallbackMethod"),
        events=frozenset(events or ("start", "end")) & CONFERENCE_EVENTS,
    )


def _url(text: str) -> str:
    if "://" not in text:
        raise RestError(21205, f"Url is not a valid URL: {text}")
    return text


def _dated(query: Mapping[str, str], name: str) -> Callable[[datetime], bool]:
    """Whether a day is the one, before or after the ones, that a query names."""
    bounds: list[tuple[str, date]] = []
    for suffix in ("", "<", ">"):
        if (text := query.get(name + suffix)) is not None:
            try:
                bounds.append((suffix, date.fromisoformat(text)))
            except ValueError as error:
                raise RestError(20001, f"{name}{suffix} is a day such as 2026-11-26") from error
    tests: dict[str, Callable[[date, date], bool]] = {
        "": lambda day, bound: day == bound,
        "<": lambda day, bound: day <= bound,
        ">": lambda day, bound: day >= bound,
    }
    return lambda moment: all(tests[suffix](moment.date(), bound) for suffix, bound in bounds)


def body(conference: Conference, account: str) -> dict[str, object]:
    """A conference as the carrier describes it."""
    uri = f"{PREFIX}/Accounts/{account}/Conferences/{conference.sid}"
    return {
        "sid": conference.sid,
        "account_sid": account,
        "friendly_name": conference.name,
        "status": conference.state,
        "region": "ie1",
        "reason_conference_ended": conference.why_ended,
        "call_sid_ending_conference": conference.ended_by.call.sid if conference.ended_by is not None else None,
        "date_created": rfc2822(conference.created),
        "date_updated": rfc2822(conference.updated),
        "api_version": "2010-04-01",
        "uri": f"{uri}.json",
        "subresource_uris": {"participants": f"{uri}/Participants.json"},
    }


def participant_body(participant: Participant, account: str) -> dict[str, object]:
    """A participant as the carrier describes it."""
    call, conference = participant.call, participant.conference
    coached = participant.coached
    return {
        "call_sid": call.sid,
        "conference_sid": conference.sid,
        "account_sid": account,
        "label": participant.label,
        "muted": participant.muted,
        "hold": participant.hold is not None,
        "coaching": coached is not None,
        "call_sid_to_coach": coached.call.sid if coached is not None else None,
        "start_conference_on_enter": participant.given.starts,
        "end_conference_on_exit": participant.ends_all,
        "status": STATES.get(call.status, "connected"),
        "queue_time": "0",
        "date_created": rfc2822(participant.joined),
        "date_updated": rfc2822(participant.joined),
        "uri": f"{PREFIX}/Accounts/{account}/Conferences/{conference.sid}/Participants/{call.sid}.json",
    }
