"""What a workplace shows and does, on the database: one's own practices, one's own calls, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from callcenter.app.bells import RoutingBells
from callcenter.app.workplaces import LINE, StaffWorkplaces
from callcenter.background import in_background
from callcenter.calls.own_legs import identity_of
from callcenter.calls.talk_values import Acted, Colleague, PracticeLine, Practitioner
from callcenter.console.workplace_ports import Act, Doing, Third, Waiting
from callcenter.emulator.access_tokens import AccessTokens
from callcenter.kernel.errors import Forbidden
from callcenter.practice.enrolment import PractitionerRecord, write_practitioners
from callcenter.practice.numbers import E164
from callcenter.routing import talks as standing_talks
from callcenter.routing.presence import move
from callcenter.routing.values import Limits, PresenceState, Priority, Reservation, Way
from callcenter.routing.waking import About, Subscription, Waking
from callcenter.staff.room import StaffRoom
from callcenter.store.keys import Keyring
from callcenter.store.sealed import Sealer
from callcenter.telephony.access_tokens import Passes
from tests.integration.routing.floor import Floor

ACCOUNT, KEY, SECRET = "AC" + "1" * 32, "SK" + "2" * 32, "a secret of the tests that is long enough"
PASSES = Passes(ACCOUNT, KEY, SECRET, "AP" + "3" * 32)


@dataclass
class Rooms:
    """Sessions by a token that is the account's own name."""

    floor: Floor
    full: bool = True
    left: timedelta = timedelta(hours=1)
    without_a_hand: timedelta = timedelta(minutes=45)
    duties: list[UUID] = field(default_factory=list)

    standing = StaffRoom.standing

    @property
    def sessions(self) -> Rooms:
        return self

    async def of(self, token: str, *, active: bool = True) -> object:
        assert not active, "what a page does by itself is no sign of its reader"
        if not token:
            return None
        now = self.floor.clock.now()
        return SimpleNamespace(
            account=SimpleNamespace(id=UUID(token)),
            is_full=self.full,
            ends_at=now + self.left,
            hand_by=now + self.without_a_hand,
        )

    async def on_duty(self, _: object, token: str) -> None:
        self.duties.append(UUID(token))


@pytest.fixture
def rooms(floor: Floor) -> Rooms:
    return Rooms(floor)


@pytest.fixture
def places(floor: Floor, rooms: Rooms) -> StaffWorkplaces:
    sealer = Sealer(Keyring("k1", {"k1": b"s" * 32}, b"i" * 32), floor.chance)
    return StaffWorkplaces(
        room=rooms,  # type: ignore[arg-type]
        database=floor.database,
        sealer=sealer,
        clock=floor.clock,
        reservations=floor.reservations,
        talks=SimpleNamespace(hang_up=_not_theirs, decline=_no),  # type: ignore[arg-type]
        keypad=SimpleNamespace(look=_nothing_proved),  # type: ignore[arg-type]
        passes=PASSES,
    )


async def _not_theirs(*_: object) -> str:
    return "not_yours"


async def _nothing_proved(*_: object) -> None:
    return None


async def _no(*_: object) -> bool:
    return False


async def test_who_waits_is_counted_at_ones_own_practices_alone(
    floor: Floor, practice: UUID, places: StaffWorkplaces
) -> None:
    mine, other = await floor.operator(practice), await floor.practice()
    await floor.moves(mine, PresenceState.BREAK)
    await floor.waits(practice)
    began = floor.clock.now()
    floor.clock.advance(10)
    await floor.waits(practice)
    await floor.waits(other)
    assert (await places.look(str(mine))).waiting == Waiting(2, began)
    theirs = await floor.operator(other)
    assert (await places.look(str(theirs))).waiting.count == 1


async def test_a_look_is_a_sign_of_life(floor: Floor, practice: UUID, places: StaffWorkplaces) -> None:
    staff = await floor.operator(practice)
    floor.clock.advance(30)
    await places.look(str(staff))
    assert (await floor.present(staff)).seen_at == floor.clock.now()


@pytest.mark.parametrize("state", PresenceState)
async def test_a_look_shows_who_is_on_duty_at_this_page(
    floor: Floor, practice: UUID, places: StaffWorkplaces, rooms: Rooms, state: PresenceState
) -> None:
    staff = await floor.operator(practice)
    wraps = "now()" if state is PresenceState.WRAP_UP else "NULL"
    for way in Way:
        await floor.run(
            f"UPDATE presence SET state = :state, way = :way, wrap_up_until = {wraps} WHERE staff_id = :staff",
            state=state.value,
            way=way.value,
            staff=staff,
        )
        await places.look(str(staff))
    works = state.value in ("available", "reserved", "on_call", "wrap_up")
    assert rooms.duties == ([staff] if works else [])  # at a telephone calls ring without the page


async def test_who_is_on_duty_is_asked_whether_they_are_there_a_minute_before_the_end(
    floor: Floor, practice: UUID, places: StaffWorkplaces, rooms: Rooms
) -> None:
    staff = await floor.operator(practice)
    asked = {}
    for seconds in (76, 75, 1):
        rooms.without_a_hand = timedelta(seconds=seconds)
        asked[seconds] = (await places.look(str(staff))).hand_by
    now = floor.clock.now()
    assert asked == {76: None, 75: now + timedelta(seconds=75), 1: now + timedelta(seconds=1)}
    rooms.left = timedelta(seconds=1)  # the session ends whatever is done
    assert (await places.look(str(staff))).hand_by is None
    rooms.left = timedelta(hours=1)
    await floor.moves(staff, PresenceState.BREAK)
    assert (await places.look(str(staff))).hand_by is None


async def test_a_ring_is_shown_to_whom_it_is_offered_and_taken_by_them_once(
    floor: Floor, practice: UUID, places: StaffWorkplaces
) -> None:
    staff = await floor.operator(practice)
    await floor.waits(practice)
    offer = await floor.one_offer()
    colleague = await floor.operator(practice)
    place = await places.look(str(staff))
    assert place.ring is not None
    assert (place.ring.id, place.ring.until, place.doing, place.talk) == (offer.id, offer.ends_at, Doing.RESERVED, None)
    assert (await places.look(str(colleague))).ring is None
    for act in (Act.ACCEPT, Act.REFUSE, Act.GIVE_BACK, Act.HANG_UP):
        assert not await places.act(str(colleague), act, offer.id)
    assert [await places.act(str(staff), Act.ACCEPT, offer.id) for _ in range(2)] == [True, True]
    assert (await floor.events(offer.call)).count("accepted") == 1
    talk = (await places.look(str(staff))).talk
    assert talk is not None
    assert (talk.voice, talk.since, talk.acts) == (offer.id, None, {Act.HANG_UP})


async def test_a_ring_says_whether_anybody_is_on_the_line_how_they_speak_and_by_which_line_they_came(
    floor: Floor, practice: UUID, places: StaffWorkplaces
) -> None:
    staff = await floor.operator(practice, languages=("fr", "en"))
    call = await floor.waits(practice, language="en", priority=Priority.PROFESSIONAL)
    await floor.one_offer()
    ring = (await places.look(str(staff))).ring
    assert ring is not None
    assert (ring.callback, ring.language, ring.professional) == (False, "en", True)
    await floor.do(floor.queue.ask_callback, call)
    offer = await floor.one_offer()
    ring = (await places.look(str(staff))).ring
    assert ring is not None
    assert ring.callback
    assert await places.act(str(staff), Act.ACCEPT, offer.id)
    talk = (await places.look(str(staff))).talk
    assert talk is not None
    assert talk.callback, "the page says that the person is rung"


async def test_at_a_telephone_the_page_takes_no_call(floor: Floor, practice: UUID, places: StaffWorkplaces) -> None:
    staff = await floor.operator(practice)
    async with floor.database.house() as connection:
        await move(connection, staff, PresenceState.BREAK, floor.clock.now())
        await move(connection, staff, PresenceState.AVAILABLE, floor.clock.now(), way=Way.TELEPHONE)
    await floor.waits(practice)
    offer = await floor.one_offer()
    place = await places.look(str(staff))
    assert place.ring is not None
    assert (place.by_telephone, place.ring.by_telephone) == (True, True)
    assert not await places.act(str(staff), Act.ACCEPT, offer.id)
    assert await places.act(str(staff), Act.REFUSE, offer.id)


async def test_what_cannot_be_spoken_on_is_given_back(floor: Floor, practice: UUID, places: StaffWorkplaces) -> None:
    staff = await floor.operator(practice)
    await floor.waits(practice)
    offer = await floor.one_offer()
    assert await places.act(str(staff), Act.ACCEPT, offer.id)
    assert await places.act(str(staff), Act.GIVE_BACK, offer.id)
    assert not await places.act(str(staff), Act.GIVE_BACK, offer.id)
    assert (await floor.entry(offer.call)).state == "waiting"


@pytest.mark.parametrize("met", [False, True])
async def test_p7_whoever_is_left_in_a_room_by_what_is_given_back_is_fetched_out_of_it(
    floor: Floor, practice: UUID, places: StaffWorkplaces, met: bool
) -> None:
    """Before the two have met there is no room yet: the caller still waits."""
    staff = await floor.operator(practice)
    await floor.waits(practice)
    offer = await floor.one_offer()
    assert await places.act(str(staff), Act.ACCEPT, offer.id)
    if met:
        assert await floor.do(floor.reservations.connected, offer.id, staff)
    assert await places.act(str(staff), Act.GIVE_BACK, offer.id)
    assert (await floor.entry(offer.call)).state == "waiting"
    rooms = await floor.run("SELECT args->>'room' FROM procrastinate_jobs WHERE task_name = 'dissolve_room'")
    assert [room for (room,) in rooms if room == str(offer.id)] == ([str(offer.id)] if met else [])


OWN_LINE, SERVED = E164("+33465710061"), E164("+33465710062")


async def _practitioners(floor: Floor, practice: UUID, **lines: E164 | None) -> dict[str, UUID]:
    """Practitioners of a practice, each with a line or without."""
    records = [
        PractitionerRecord(uuid4(), name, "Dr", "médecine générale", False, line) for name, line in lines.items()
    ]
    async with floor.database.practice(practice) as tx:
        await write_practitioners(tx, records)
    return {record.name: record.id for record in records}


async def _talk(floor: Floor, practice: UUID) -> Reservation:
    await floor.operator(practice)
    await floor.waits(practice)
    offer = await floor.one_offer()
    await floor.do(floor.reservations.accept, offer.id, offer.staff)
    await floor.do(floor.reservations.connected, offer.id, offer.staff)
    return offer


async def test_p5_whom_an_operator_may_ask_for_are_those_of_the_calls_practice_by_name_alone(
    floor: Floor, practice: UUID, places: StaffWorkplaces
) -> None:
    ours = await _practitioners(floor, practice, Bonnet=SERVED, Amiel=OWN_LINE, Caron=None)
    await _practitioners(floor, await floor.practice(), Durand=OWN_LINE)
    query = "INSERT INTO directory_number (number, practice_id) VALUES (:number, :practice)"
    await floor.run(query, number=SERVED, practice=practice)  # as if written by another program
    talk = await _talk(floor, practice)
    place = await places.look(str(talk.staff))
    key = f"praticien-{ours['Amiel'].hex}"
    assert [(one.key, one.name) for one in place.lines] == [
        (key, "Dr Amiel"),
        ("ligne", "Ligne directe du cabinet"),
    ]
    assert OWN_LINE.removeprefix("+33") not in repr(place)


async def test_whom_the_form_names_is_asked_and_shown_by_name(
    floor: Floor, practice: UUID, places: StaffWorkplaces
) -> None:
    whom = (await _practitioners(floor, practice, Amiel=OWN_LINE))["Amiel"]
    talk, asked = await _talk(floor, practice), []

    async def consult(*given: object) -> Acted:
        asked.append(given)
        return Acted.DONE

    places = replace(places, talks=SimpleNamespace(consult=consult))  # type: ignore[arg-type]
    assert await places.act(str(talk.staff), Act.CONSULT, talk.id, f"praticien-{whom.hex}")
    assert asked == [(talk.staff, talk.id, Practitioner(whom), False)]
    for nobody in ("praticien-", f"praticien-{whom.hex}0", "praticien-ligne"):
        assert not await places.act(str(talk.staff), Act.CONSULT, talk.id, nobody)
    # A caller is sent to whoever takes calls of the queue, and a practitioner takes none.
    assert not await places.act(str(talk.staff), Act.SEND, talk.id, f"praticien-{whom.hex}")
    assert len(asked) == 1
    async with floor.database.house() as connection:
        locked = await standing_talks.lock_talk(connection, talk.id, talk.staff)
        assert locked is not None
        given = (connection, locked[1], uuid4(), None, floor.clock.now())
        assert await standing_talks.ask(*given, private=True, limits=Limits(), practitioner=whom)
    place = await places.look(str(talk.staff))
    assert place.talk is not None
    assert place.talk.third == Third("Dr Amiel", there=False)
    assert place.lines == ()


async def test_who_answers_for_nobody_is_not_there(floor: Floor, places: StaffWorkplaces, practice: UUID) -> None:
    staff = await floor.operator(practice)
    await floor.run("DELETE FROM staff_role WHERE staff_id = :staff RETURNING staff_id", staff=staff)
    assert not (await places.look(str(staff))).answers
    assert not await places.move(str(staff), Doing.AVAILABLE)


async def test_without_a_softphone_nobody_is_there_whose_telephone_is_not_known(
    floor: Floor, places: StaffWorkplaces, practice: UUID
) -> None:
    staff = await floor.operator(practice)
    silent = replace(places, passes=None)
    assert not await silent.move(str(staff), Doing.BREAK)
    assert await silent.softphone_pass(str(staff)) is None
    assert await places.move(str(staff), Doing.BREAK)


async def test_a_pass_is_ones_own_and_ends_with_the_session(
    floor: Floor, places: StaffWorkplaces, practice: UUID, rooms: Rooms
) -> None:
    staff = await floor.operator(practice)
    rooms.left = timedelta(minutes=2)
    made = await places.softphone_pass(str(staff))
    assert made is not None
    grant = AccessTokens(ACCOUNT, {KEY: SECRET}, floor.clock.now).verify(made.token)
    assert (grant.identity, made.seconds) == (identity_of(staff), 120)


class Hearing:
    """A listener that hears what a test says."""

    is_listening = True

    def __init__(self) -> None:
        self.news = Subscription()

    @contextmanager
    def subscribed(self) -> Iterator[Subscription]:
        yield self.news


async def test_a_bell_rings_for_oneself_at_once_and_for_ones_queue_soon_and_once(floor: Floor, practice: UUID) -> None:
    staff, colleague = await floor.operator(practice), await floor.operator(practice)
    hearing = Hearing()
    bells = RoutingBells(hearing, floor.database, soon=0.3)  # type: ignore[arg-type]
    async with in_background(bells.run()), bells.of(staff) as bell:
        hearing.news.put(Waking(About.STAFF, colleague))
        hearing.news.put(Waking(About.QUEUE, colleague))  # of another organisation
        assert not await bell.rung(0.1)
        hearing.news.put(Waking(About.STAFF, staff))
        assert await bell.rung(5)
        for _ in range(20):
            hearing.news.put(Waking(About.QUEUE, floor.organisation))
        assert not await bell.rung(0.05)
        assert await bell.rung(5)
        assert not await bell.rung(0.4)
        hearing.is_listening = False  # the connection is lost: every page looks by itself
        assert await bell.rung(0.01)
    assert bells._bells == {}


@pytest.mark.parametrize("key", [LINE, str(UUID(int=5)), "nobody"])
async def test_a_caller_is_sent_on_to_whom_the_form_names_the_practices_line_among_them(
    floor: Floor, practice: UUID, places: StaffWorkplaces, key: str
) -> None:
    staff, named = await floor.operator(practice), {LINE: PracticeLine(), str(UUID(int=5)): Colleague(UUID(int=5))}
    sent: list[object] = []

    async def send(who: UUID, call: UUID, whom: object) -> Acted:
        sent.append((who, call, whom))
        return Acted.DONE

    acting = replace(places, talks=SimpleNamespace(send=send))  # type: ignore[arg-type]
    done = await acting.act(str(staff), Act.SEND, UUID(int=6), key)
    assert (done, sent) == ((True, [(staff, UUID(int=6), named[key])]) if key in named else (False, []))


async def test_a_session_that_is_over_or_half_sees_and_does_nothing(places: StaffWorkplaces, rooms: Rooms) -> None:
    for token, full in (("", True), (str(UUID(int=1)), False)):
        rooms.full = full
        with pytest.raises(Forbidden):
            await places.look(token)
        with pytest.raises(Forbidden):
            await places.act(token, Act.ACCEPT, UUID(int=1))
        with pytest.raises(Forbidden):
            await places.move(token, Doing.AVAILABLE)
        with pytest.raises(Forbidden):
            await places.softphone_pass(token)
