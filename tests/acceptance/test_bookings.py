"""Booking, and what a reference lets one do, call by call. What one caller books, the next one is not offered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.audit.ledger import EventKind
from callcenter.audit.reading import records_of_call
from callcenter.calls.lookup import find_call
from callcenter.demo import ledger_reader
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.changing import SettingsDesk
from callcenter.practice.demo_file import demo_id
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Author, Period
from callcenter.practice.slot_references import reference_index
from callcenter.practice.waiting_bookings import WaitingBookings
from callcenter.speech.moments import WEEKDAYS
from callcenter.staff.acts import StaffActs
from tests.acceptance.caller import BREST, JEANNE, SILENCE, Caller, calling
from tests.acceptance.stage import Stage
from tests.conftest import ROOT, TODAY, Cluster

STRANGER, BORN = "+33639980071", "01021985"
TILLEULS = demo_id("practice", "cabinet-des-tilleuls")
FIRST_VISIT = demo_id("appointment", "jeanne-martin-duval/1")
CARD = "48271936"
HER_DAY = "Avec cette référence : mardi 1er décembre, 14 heures 30"
_REFERENCE = re.compile(r"Votre référence : (\d) (\d) (\d) (\d), (\d) (\d) (\d) (\d)")


async def books(stage: Stage, number: str = STRANGER, born: str = BORN) -> str:
    """Book the first free slot of Dr Lefèvre; the reference."""
    async with calling(stage, number) as caller:
        await caller.does("1", "2", "2", "1", born, "1#")
        found = _REFERENCE.search(caller.words)
        assert found, caller.words
        return "".join(found.groups())


async def prints_a_card(stage: Stage, cluster: Cluster, database: str, appointment: object = FIRST_VISIT) -> None:
    index = reference_index(stage.running.sealer, TILLEULS, CARD)
    statement = "UPDATE appointment SET reference_index = :index WHERE id = :id"
    await as_root(cluster, database, statement, index=index, id=appointment)


async def as_root(cluster: Cluster, database: str, statement: str, **values: object) -> Sequence[Any]:
    engine = create_async_engine(cluster.server.url(user=ROOT, database=database))
    try:
        async with engine.begin() as connection:
            done = await connection.execute(text(statement), values)
            return done.all() if done.returns_rows else ()
    finally:
        await engine.dispose()


async def by_reference(caller: Caller, reference: str, *answers: str) -> str:
    return await caller.does("1", "3", reference, *answers)


async def test_what_is_booked_is_not_offered_again_and_waits_for_the_practice(stage: Stage) -> None:
    await books(stage)
    async with calling(stage, "+33639980072") as caller:
        heard = await caller.does("1", "2", "2")
        assert "samedi 28 novembre, 9 heures 30" in heard
    async with stage.running.database.practice(TILLEULS) as tx:
        (waiting,) = await WaitingBookings(stage.running.sealer).waiting(tx)
    assert (waiting.number, f"{waiting.birth_date:%d%m%Y}", waiting.cancelled) == (STRANGER, BORN, False)


async def test_id_04_a_booking_with_a_patients_birth_date_and_number_is_linked_to_no_file(
    stage: Stage, cluster: Cluster, database_name: str
) -> None:
    before = await as_root(cluster, database_name, "SELECT count(*) FROM patient")
    await books(stage, JEANNE, "14031962")
    assert await as_root(cluster, database_name, "SELECT count(*) FROM patient") == before
    bodies = await as_root(cluster, database_name, "SELECT convert_from(body, 'UTF8') AS body FROM audit_record")
    (made,) = [row.body for row in bodies if EventKind.BOOKING_MADE.value in row.body]
    assert '"subject":null' in made
    assert '"identity":"PROV"' in made


async def test_ob_13_whoever_has_the_reference_cancels_and_hears_nothing_of_it(stage: Stage) -> None:
    reference = await books(stage)
    async with calling(stage, "+33639980073") as caller:
        await by_reference(caller, reference, "1", "1")
        assert "Le rendez-vous est annulé" in caller.words
        assert not re.search(r"Lefèvre|novembre|9 heures", caller.words.partition("Tapez les huit chiffres")[2])
    async with calling(stage, "+33639980074") as caller:
        assert "samedi 28 novembre, 9 heures." in await caller.does("1", "2", "2")
        assert "9 heures 30" not in caller.words.partition("Premier créneau")[2]


async def test_ob_13_whoever_has_the_reference_moves_and_keeps_it(stage: Stage) -> None:
    reference = await books(stage)
    async with calling(stage, STRANGER) as caller:
        heard = await by_reference(caller, reference, "2")
        assert "Premier créneau : samedi 28 novembre, 9 heures 30" in heard
        assert "Lefèvre" not in caller.words  # D04: the reference alone tells nobody with whom
        assert "C'est déplacé. Votre référence ne change pas" in await caller.does("1")
    async with calling(stage, STRANGER) as caller:
        await by_reference(caller, reference, "3", BORN)
        assert "samedi 28 novembre" not in caller.words


async def test_a_long_appointment_is_moved_to_where_all_of_it_is_free(
    stage: Stage, cluster: Cluster, database_name: str
) -> None:
    """Dr Lefèvre's slots last half an hour, this appointment a whole one; the second slot of the morning is booked."""
    await as_root(
        cluster,
        database_name,
        "UPDATE appointment SET duration_minutes = 60, practitioner_id = "
        "(SELECT id FROM practitioner WHERE name = 'Antoine Lefèvre') WHERE id = :id",
        id=FIRST_VISIT,
    )
    await prints_a_card(stage, cluster, database_name)
    await books(stage)
    second = "UPDATE booking_request SET starts_at = starts_at + interval '30 minutes'"
    await as_root(cluster, database_name, second)
    async with calling(stage, "+33639980079") as caller:
        heard = await by_reference(caller, CARD, "2")
        assert "Premier créneau : samedi 28 novembre, 10 heures." in heard
        assert "C'est déplacé" in await caller.does("1")
    moved = "SELECT duration_minutes FROM appointment WHERE id = :id"
    (row,) = await as_root(cluster, database_name, moved, id=FIRST_VISIT)
    assert row.duration_minutes == 60


async def test_a_booking_is_heard_with_its_birth_date_unless_its_practitioner_is_sensitive(
    stage: Stage, cluster: Cluster, database_name: str
) -> None:
    reference = await books(stage)
    async with calling(stage, STRANGER) as caller:
        heard = await by_reference(caller, reference, "3", BORN, "1")
        assert "Avec cette référence : samedi 28 novembre, 9 heures." in heard
    await as_root(cluster, database_name, "UPDATE practitioner SET sensitive = true WHERE name = 'Antoine Lefèvre'")
    async with calling(stage, STRANGER) as caller:
        heard = await by_reference(caller, reference, "3", BORN, "1")
        assert "novembre" not in heard
        assert "Le secrétariat ne peut pas prendre votre appel" in heard


async def test_p1_a_card_tells_day_and_hour_on_record_and_opens_nothing_else(
    stage: Stage, cluster: Cluster, database_name: str
) -> None:
    await prints_a_card(stage, cluster, database_name)
    async with calling(stage, STRANGER) as caller:
        heard = await by_reference(caller, CARD, "3", "14031962", "1")
        assert HER_DAY in heard
        assert "Moreau" not in caller.words
        # it is no verification: her other appointments ask for a code as ever
        await caller.does("1", "1", "1")
        assert "tapez la date de naissance du patient" in await caller.does("1", "1")
        sid = caller.sid
    (record,) = await ledger_reader(stage.running.database)(sid)
    assert (record["categories"], record["level"], record["decision"]) == (["D02", "D03"], 2, "granted")


async def test_a_card_is_judged_by_its_own_slot_whatever_else_its_patient_has_to_come(
    stage: Stage, cluster: Cluster, database_name: str
) -> None:
    """Jeanne's next appointment but one is the psychiatrist's: a refusal of this one would tell of it."""
    await prints_a_card(stage, cluster, database_name)
    statement = (
        "UPDATE appointment SET practitioner_id = (SELECT id FROM practitioner WHERE sensitive) "
        "WHERE external_id = 'jeanne-martin-duval/2' RETURNING id"
    )
    (sensitive,) = await as_root(cluster, database_name, statement)
    async with calling(stage, STRANGER) as caller:
        assert HER_DAY in await by_reference(caller, CARD, "3", "14031962", "1")
    await as_root(cluster, database_name, "UPDATE appointment SET reference_index = NULL")
    await prints_a_card(stage, cluster, database_name, sensitive.id)
    async with calling(stage, "+33639980078") as caller:
        heard = await by_reference(caller, CARD, "3", "14031962", "1")
        assert "Avec cette référence" not in caller.words
        assert "Le secrétariat ne peut pas prendre votre appel" in heard


async def test_a_slot_with_a_sensitive_practitioner_is_moved_by_a_person(
    stage: Stage, cluster: Cluster, database_name: str
) -> None:
    """D05: the hours that are free would tell whose slot it is; the words are those of an agenda that is full."""
    reference = await books(stage)
    await as_root(cluster, database_name, "UPDATE practitioner SET sensitive = true WHERE name = 'Antoine Lefèvre'")
    async with calling(stage, STRANGER) as caller:
        heard = await by_reference(caller, reference, "2")
        assert "Je ne peux pas vous proposer de créneau par ce service" in heard
        assert "novembre" not in caller.words


@pytest.mark.parametrize("flag", ["deceased", "contact_restricted", "birth_date_fictive"])
async def test_a_card_of_a_file_that_is_closed_tells_nothing(
    stage: Stage, cluster: Cluster, database_name: str, flag: str
) -> None:
    await prints_a_card(stage, cluster, database_name)
    closed = f"UPDATE patient SET {flag} = true WHERE external_id = 'jeanne-martin-duval'"
    await as_root(cluster, database_name, closed)
    async with calling(stage, STRANGER) as caller:
        await by_reference(caller, CARD, "3", "14031962", "1")
        assert "décembre" not in caller.words


async def test_a_wrong_one_a_cancelled_one_another_practices_and_one_too_many_sound_alike(stage: Stage) -> None:
    cancelled, anothers = await books(stage), await books(stage, "+33639980075")
    async with calling(stage, STRANGER) as caller:
        await by_reference(caller, cancelled, "1", "1")
    heard = {}
    for name, reference, to in (
        ("unknown", "00000001", None),
        ("cancelled", cancelled, None),
        ("another practice's", anothers, BREST),
    ):
        async with calling(stage, "+33639980076", *([to] if to else [])) as caller:
            heard[name] = [await by_reference(caller, reference), await caller.does("00000002", "00000003")]
    for n in range(3):  # ten wrong ones from one number
        async with calling(stage, "+33639980077") as caller:
            await by_reference(caller, f"1000000{n}", f"2000000{n}", f"3000000{n}")
    async with calling(stage, "+33639980077") as caller:
        await by_reference(caller, "40000000")
    async with calling(stage, "+33639980077") as caller:
        heard["throttled"] = [await by_reference(caller, anothers), await caller.does("00000002", "00000003")]
    assert heard["unknown"] == heard["cancelled"] == heard["throttled"]
    assert heard["another practice's"][0] == heard["unknown"][0]


async def test_where_the_agenda_is_not_ours_a_booking_is_a_request_to_be_called_back(stage: Stage) -> None:
    acts, by = StaffActs(stage.clock, SystemRandom()), Author("somebody", TODAY)
    desk = SettingsDesk(stage.running.database, "cabinet-des-tilleuls", by, acts)
    await desk.put(Setting.AGENDA, {"external": "https://agenda.example.org"}, Period(TODAY))
    async with calling(stage, STRANGER) as caller:
        heard = await caller.does("1", "2")
        assert "Je ne peux pas vous proposer de créneau par ce service" in heard
        assert "Pour être rappelé au numéro d'où vous appelez" in heard
        assert "Votre demande est notée" in await caller.does("1#")


async def test_hours_of_today_alone_offer_no_slot_of_another_day(stage: Stage) -> None:
    """The Tilleuls are open all night tonight, and as usual from tomorrow on: midnight of Saturday was offered."""
    desk = SettingsDesk(
        stage.running.database, "cabinet-des-tilleuls", Author("test", TODAY), StaffActs(stage.clock, SystemRandom())
    )
    hours = {day: ["00:00-23:59"] for day in WEEKDAYS}
    await desk.put(Setting.HOURS, hours, Period(TODAY, TODAY + timedelta(hours=12)))
    async with calling(stage, STRANGER) as caller:
        heard = await caller.does("1", "2", "2")
        assert "samedi 28 novembre, 9 heures." in heard


# --- hunting for a record


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that the product sends meanwhile, without its values."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.endswith("held_until <= $1"):  # upkeep, which runs when it will
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_p6_a_booking_for_a_patient_is_a_booking_for_anybody(
    stage: Stage, cluster: Cluster, database_name: str
) -> None:
    """Same words, same order, same statements: for a patient, from their own number, and for nobody on file."""
    told = {}
    for who, number, born in (("patient", JEANNE, "14031962"), ("nobody", STRANGER, BORN)):
        with statements() as sent:
            async with calling(stage, number) as caller:
                await caller.does("1", "2", "2", "1", born, "1#", SILENCE)
                words = _REFERENCE.sub("", caller.words).partition("Je répète")[0]
        told[who] = (words, [one for one in sent if "booking" in one or "slot_hold" in one or "patient" in one])
        await as_root(cluster, database_name, "UPDATE booking_request SET state = 'cancelled'")
    assert told["patient"] == told["nobody"]
    assert told["patient"][1]


async def written_down(stage: Stage, sid: str) -> list[tuple[str, object]]:
    """What a call has left in the ledger: what happened, and what it tried to change."""
    async with stage.running.database.house() as connection:
        call = await find_call(connection, sid=sid)
    assert call
    async with stage.running.database.practice(TILLEULS) as tx:
        records = await records_of_call(tx, call.id)
    return [(record.body["event"], record.body.get("act")) for record in records]


async def test_p6_whoever_forges_a_calling_number_does_not_hear_how_much_its_owner_has_booked(
    stage: Stage, cluster: Cluster, database_name: str
) -> None:
    """From the number of a neighbour who has booked all that one may, and from one whose slot the practice has just
    given away: same words, same order, same statements, same entry in the ledger."""
    for _ in range(2):
        await books(stage, "+33639980003")
    given_away = (
        "UPDATE appointment a SET starts_at = h.starts_at, practitioner_id = h.practitioner_id FROM slot_hold h "
        "WHERE a.external_id = 'karim-haddad/1'"
    )
    told = {}
    for number, meanwhile in (("+33639980003", None), ("+33639980004", given_away)):
        with statements() as sent:
            async with calling(stage, number) as caller:
                await caller.does("1", "2", "2", "1", BORN)
                if meanwhile:
                    await as_root(cluster, database_name, meanwhile)
                heard = await caller.does("1#")
                assert "Je ne peux pas vous proposer de créneau par ce service" in heard
                words, sid = caller.words, caller.sid
        ours = [one for one in sent if one != given_away and any(table in one for table in ("booking", "slot_hold"))]
        told[number] = (words, ours, await written_down(stage, sid))
    assert told["+33639980003"] == told["+33639980004"]
    assert told["+33639980003"][1]


@pytest.mark.parametrize("line", [STRANGER, "anonymous"])
async def test_p6_a_number_that_is_typed_does_not_tell_how_much_its_owner_has_booked(stage: Stage, line: str) -> None:
    """Somebody types the number of a neighbour, who has booked all that one may from a line of their own."""
    for _ in range(2):
        await books(stage, "+33639980003", BORN)
    told = {}
    for neighbour in ("0639980003", "0639980004"):
        async with calling(stage, line) as caller:
            await caller.does("1", "2", "2", "1", BORN, neighbour, SILENCE)
            told[neighbour] = bool(_REFERENCE.search(caller.words))
    assert told == {"0639980003": True, "0639980004": True}
