"""Calls that are led to and fro at random, between queues, conferences and one another: what must hold throughout."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from callcenter.emulator.errors import Refusal
from tests.unit.emulator.bench import CALLER, PRACTICE, Bench, bench, sdk, twiml
from tests.unit.emulator.test_timeline import Clock

# The SDK still signs in by the object and the parameter that aiohttp has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

ROOM = (
    '<Dial action="/next"><Conference {} statusCallback="/told" statusCallbackEvent="start end join leave mute hold '
    'modify announcement" waitUrl="">salle</Conference></Dial>'
)
PAGES = {
    "/voice": twiml('<Enqueue action="/next" waitUrl="/wait">file</Enqueue>'),
    "/wait": twiml('<Say>patientez</Say><Gather timeout="3" numDigits="1" action="/key"/>'),
    "/key": twiml("<Leave/>"),
    "/fetch": twiml('<Dial action="/next" timeout="10" hangupOnStar="true"><Queue url="/whisper">file</Queue></Dial>'),
    "/whisper": twiml("<Say>on vous prend</Say>"),
    "/room": twiml(ROOM.format("")),
    "/end": twiml(ROOM.format('endConferenceOnExit="true"')),
    "/music": twiml("<Play>/audio</Play>"),
    "/hold": twiml('<Say>un instant</Say><Pause length="5"/>'),
    "/next": twiml('<Say>et maintenant ?</Say><Pause length="1"/><Gather timeout="50"/>'),
    "/told": "",
}


async def act(desk: Bench, client: Client, chance: random.Random, alive: list[str]) -> None:
    """One thing that somebody does."""
    sid = chance.choice(alive)
    base = desk.application.base_url
    rooms = [room.sid for room in await client.conferences.list_async() if room.status != "completed"]
    match chance.randrange(9):
        case 0:
            alive.append(await desk.client.start(CALLER, PRACTICE, "scripted"))
        case 1:
            await desk.client.hang_up(sid)
        case 2:
            await desk.client.advance(sid, chance.choice([1, 4, 12]))
        case 3 | 4:
            where = chance.choice(["/fetch", "/fetch", "/voice", "/room", "/room", "/end"])
            await client.calls(sid).update_async(url=base + where)
        case 5:
            await desk.client.press(sid, chance.choice("1*"))
        case 6 if rooms:
            changes: dict[str, Any] = chance.choice(
                [{"hold": True, "hold_url": base + "/hold"}, {"hold": False}, {"muted": True}, {"muted": False}]
            )
            inside = [one.call_sid for one in await client.conferences(rooms[0]).participants.list_async()]
            await client.conferences(rooms[0]).participants(chance.choice(inside or [sid])).update_async(**changes)
        case 7 if rooms:
            await client.conferences(rooms[0]).participants(sid).delete_async()
        case 8 if rooms and not chance.randrange(4):
            await client.conferences(rooms[0]).update_async(status="completed")


async def look(desk: Bench, client: Client, alive: list[str]) -> None:
    """What must hold: all settle; nobody hears themselves, an ended call, or anybody from two places."""
    states = {}
    for sid in alive:
        await desk.client.settled(sid)
    for sid in alive:
        states[sid] = await desk.get(f"/calls/{sid}")
        assert states[sid]["activity"] != "busy", states[sid]
    waiting = set()
    for queue in await client.queues.list_async():
        members = [one.call_sid for one in await client.queues(queue.sid).members.list_async()]
        assert len(members) == len(set(members)) == queue.current_size
        waiting |= set(members)
    for sid, state in states.items():
        assert sid not in state["hears"]
        if state["activity"] == "ended" or sid in waiting:
            assert state["hears"] == []
        if sid in waiting:
            assert (state["conference"], state["activity"]) == (None, "waiting")
        for other in state["hears"]:
            assert states[other]["activity"] != "ended"
            assert states[other]["conference"] == state["conference"]
            assert state["conference"] or states[other]["hears"] == [sid]  # two that are joined hear each other
            assert not states[other]["muted"]


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_all_settles_ends_and_is_told(seed: int) -> None:
    chance, refusals = random.Random(seed), set[int]()
    async with bench(PAGES, clock=Clock()) as desk, sdk(desk) as client:
        alive = [await desk.client.start(CALLER, PRACTICE, "scripted") for _ in range(4)]
        for _ in range(45):
            try:
                await act(desk, client, chance, alive)
            except (TwilioRestException, Refusal) as refused:
                refusals.add(refused.status)
            await look(desk, client, alive)
        assert refusals <= {400, 404, 409}  # what does not fit is refused, and nothing breaks
        for sid in alive:
            await desk.client.hang_up(sid)
            await desk.closed(sid)
        assert {room.status for room in await client.conferences.list_async()} <= {"completed"}
        assert {queue.current_size for queue in await client.queues.list_async()} <= {0}
        rooms: dict[str, list[dict[str, str]]] = defaultdict(list)
        for fields in desk.application.asked("/told"):
            rooms[fields["ConferenceSid"]].append(fields)
        assert sum(len(told) for told in rooms.values()) > 5
        for told in rooms.values():
            assert [int(fields["SequenceNumber"]) for fields in told] == list(range(1, len(told) + 1))
            names = [fields["StatusCallbackEvent"] for fields in told]
            assert names.count("participant-join") == names.count("participant-leave")
            assert (names.count("conference-end"), names[-1]) == (1, "conference-end")
