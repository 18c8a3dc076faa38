"""What a caller has spoken: here, sealed, and gone at the carrier; and by a carrier that does not do as it should."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from callcenter.app import carrier_settings, working
from callcenter.calls.old_messages import OldMessages
from callcenter.calls.recordings import MAY_STILL_COME, NoSound, NotYet, Recordings
from callcenter.calls.steps import Steps
from callcenter.calls.strays import LOOKED_BACK, MAY_STILL_BE_TOLD, ListedRecording, StrayRecordings
from callcenter.calls.values import Answer, Incoming, RecordingReady, Render, Slot, StepAnswered
from callcenter.emulator.signature import HEADER, sign
from callcenter.emulator.voice import words_in
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.practice.changing import SettingsDesk
from callcenter.practice.demo_file import demo_id
from callcenter.practice.directory import Directory
from callcenter.practice.inbox import Inbox, erase_handled
from callcenter.practice.inbox_lines import waiting
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Author, Period
from callcenter.practice.values import VoiceState, WaitingMessage
from callcenter.practice.voice_messages import KEPT, KEPT_ONCE_HANDLED, VoiceMessages
from callcenter.settings.sections import RetentionSettings
from callcenter.staff.acts import StaffActs
from callcenter.store.database import Database, DatabaseDown
from callcenter.store.schema import APP
from callcenter.telephony.rest import TwilioCarrier
from callcenter.telephony.urls import Urls
from tests.acceptance.on_the_line import JEANNE, TILLEULS, OnTheLine, calling
from tests.acceptance.stage import Stage, stage_settings, staged
from tests.conftest import TODAY, Cluster

PORT = "+33261910001"
WORDS = "Bonjour, Jeanne Martin, je voudrais changer mon rendez-vous"


@pytest.fixture
async def stage(
    cluster: Cluster, database_name: str, keys_file: Path, clock: DrivenClock, random: SeededRandom
) -> AsyncIterator[Stage]:
    """A house whose jobs are done when a test says so."""
    app, jobs = (made(user=APP, database=database_name) for made in (cluster.server.url, cluster.server.dsn))
    async with staged(stage_settings(keys_file), app, jobs, clock, random, furnished=TODAY, jobs=False) as stage:
        yield stage


@dataclass
class Bell:
    """Hears alarms."""

    rung: list[UUID] = field(default_factory=list)

    def recording_left(self, voice: UUID) -> None:
        self.rung.append(voice)


@dataclass
class Office:
    """The practice's side of the stage: its inbox, and the work on recordings."""

    stage: Stage
    recordings: Recordings
    strays: StrayRecordings
    bell: Bell
    practice: UUID
    http: aiohttp.ClientSession

    async def inbox(self) -> list[WaitingMessage]:
        async with self.stage.running.database.practice(self.practice) as tx:
            return list(await Inbox(self.stage.running.sealer).waiting(tx))

    async def lines(self) -> str:
        now = self.stage.clock.now()
        async with self.stage.running.database.house() as connection:
            facts = await Directory.facts(connection, self.practice, now)
        return "\n".join(waiting(facts, await self.inbox(), 0, now))

    async def said(self, message: UUID) -> str | None:
        """What is heard in the sound that is kept with a message."""
        async with self.stage.running.database.practice(self.practice) as tx:
            sound = await VoiceMessages(self.stage.running.sealer).sound(tx, message)
        return None if sound is None else words_in(sound.content)

    async def at_carrier(self) -> list[dict[str, Any]]:
        """The recordings that the carrier has not deleted."""
        async with self.http.get(f"{self.stage.emulator.base_url}/emulator/recordings") as answer:
            return [one for one in (await answer.json())["recordings"] if not one["deleted"]]

    async def fails(self, of: str, **how: Any) -> None:
        url = f"{self.stage.emulator.base_url}/emulator/recordings/failures"
        async with self.http.post(url, json={"of": of, **how}) as answer:
            assert answer.status == 200

    async def mends(self) -> None:
        async with self.http.delete(f"{self.stage.emulator.base_url}/emulator/recordings/failures") as answer:
            assert answer.status == 200

    async def jobs(self) -> list[tuple[str, UUID]]:
        """The jobs on recordings that wait, which they then no longer do."""
        query = text(
            "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'todo' AND queue_name = 'recordings' "
            "RETURNING id, task_name, args"
        )
        async with self.stage.running.database.house() as connection:
            rows = sorted((await connection.execute(query)).all())
        assert all(row.args.keys() == {"practice", "voice"} for row in rows)
        return [(row.task_name, UUID(row.args["voice"])) for row in rows]

    async def works(self) -> None:
        """Do every job, and those that they make."""
        while jobs := await self.jobs():
            for task, voice in jobs:
                work = {"fetch_recording": self.recordings.fetch, "delete_recording": self.recordings.delete}[task]
                await work(self.practice, voice)

    async def row(self) -> Any:
        """The one spoken message."""
        async with self.stage.running.database.practice(self.practice) as tx:
            return (await tx.connection.execute(text("SELECT * FROM voice_message"))).one()

    async def events(self, voice: UUID) -> list[str]:
        """What the ledger tells of a spoken message's own stream."""
        query = text("SELECT body FROM audit_record WHERE stream = :stream ORDER BY seq")
        async with self.stage.running.database.practice(self.practice) as tx:
            bodies = (await tx.connection.execute(query, {"stream": voice})).scalars()
            return [json.loads(body)["event"] for body in bodies]


@pytest.fixture
async def office(stage: Stage) -> AsyncIterator[Office]:
    running = stage.running
    settings = carrier_settings(running.settings, Urls.below(running.settings.public_base_url))
    query = text("SELECT practice_id FROM directory_number WHERE number = :number")
    async with running.database.house() as connection:
        practice = (await connection.execute(query, {"number": TILLEULS})).scalar_one()
    async with TwilioCarrier(settings) as carrier, aiohttp.ClientSession() as http:
        bell = Bell()
        recordings = Recordings(running.database, running.sealer, stage.clock, SystemRandom(), carrier, bell)
        strays = StrayRecordings(running.database, running.sealer, stage.clock, SystemRandom(), carrier)
        yield Office(stage, recordings, strays, bell, practice, http)


@asynccontextmanager
async def speaking(stage: Stage, words: str = WORDS) -> AsyncIterator[OnTheLine]:
    """Somebody who is leaving a message, and has said ``words``."""
    async with calling(stage) as line:
        assert "Après le bip" in await line.press("2", "1")
        await line.client.speak(line.sid, words)
        await line.client.settled(line.sid)
        yield line


async def leave(stage: Stage, words: str = WORDS) -> None:
    async with speaking(stage, words) as line:
        assert "Votre demande est notée" in await line.press("#")


# --- as it should be


async def test_what_was_spoken_is_sealed_here_and_then_deleted_at_the_carrier(office: Office) -> None:
    await leave(office.stage)
    (message,) = await office.inbox()
    assert (message.kind, message.number, message.practitioner) == ("voice", "+33639980001", None)
    assert message.voice is not None
    assert message.voice.state is VoiceState.WAITING
    assert "message vocal" in await office.lines()
    assert "pas encore reçu de l'opérateur" in await office.lines()
    await office.works()
    row = await office.row()
    assert await office.said(message.id) == WORDS
    assert (row.deleted_at is not None, row.media_type) == (True, "audio/wav")
    assert await office.at_carrier() == []
    assert WORDS.encode() not in row.sound
    assert "à écouter" in await office.lines()
    assert await office.events(row.id) == ["message.voice_kept", "message.voice_deleted_at_carrier"]


async def test_the_workers_own_jobs_do_it_too(
    cluster: Cluster, database_name: str, keys_file: Path, clock: DrivenClock, random: SeededRandom
) -> None:
    app, jobs = (made(user=APP, database=database_name) for made in (cluster.server.url, cluster.server.dsn))
    async with staged(stage_settings(keys_file), app, jobs, clock, random, furnished=TODAY) as stage:
        await leave(stage)
        left = text("SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'recordings' AND status <> 'succeeded'")
        made = text("SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'recordings'")
        async with asyncio.timeout(20):
            while True:
                async with stage.running.database.house() as connection:
                    counts = [(await connection.execute(query)).scalar_one() for query in (left, made)]
                if counts == [0, 2]:
                    break
                await asyncio.sleep(0.05)


async def test_whoever_hangs_up_while_speaking_has_left_the_message(office: Office) -> None:
    async with speaking(office.stage) as line:
        await line.hang_up()
    await office.works()
    (message,) = await office.inbox()
    assert await office.said(message.id) == WORDS


async def test_a_renewal_stands_even_if_nothing_is_added_and_the_voice_goes_with_it_if_it_is(office: Office) -> None:
    async with calling(office.stage) as line:
        await line.press("2", "2", "2", "1#")
    (message,) = await office.inbox()
    assert (message.kind, message.reason, message.practitioner) == ("renewal", "prescription", "Dr Claire Moreau")
    assert message.voice is None
    async with calling(office.stage) as line:
        await line.press("2", "3", "9", "1#")
        await line.client.speak(line.sid, WORDS)
        await line.press("#")
    await office.works()
    (_, message) = await office.inbox()
    assert (message.kind, message.practitioner, await office.said(message.id)) == ("certificate", None, WORDS)
    assert "renouvellement d'ordonnance" in await office.lines()
    assert re.search(r"pour Dr Claire Moreau, depuis \d min", await office.lines())


@pytest.mark.parametrize(
    ("keys", "told"),
    [(("5",), "EN ANGLAIS, depuis"), (("6", "3"), "PAR UN SERVICE DE RELAIS, depuis"), ((), "pour le cabinet, depuis")],
)
async def test_whoever_calls_back_knows_how_to_speak(office: Office, keys: tuple[str, ...], told: str) -> None:
    async with calling(office.stage) as line:
        await line.press(*keys, "0", "1", "1#")
    assert told in await office.lines()


async def test_where_voice_is_off_a_message_is_a_request_to_be_called_back_and_nothing_is_recorded(
    office: Office,
) -> None:
    stage, now = office.stage, office.stage.clock.now()
    acts = StaffActs(stage.clock, SystemRandom())
    desk = SettingsDesk(stage.running.database, "cabinet-des-tilleuls", Author("anna", now), acts)
    await desk.put(Setting.VOICE_MESSAGES, "off", Period(now))
    async with calling(stage) as line:
        assert "Cet appel n'est pas enregistré" in " ".join(
            spoken.text for spoken in (await line.client.settled(line.sid)).heard
        )
        assert "Une personne vous rappellera" in await line.press("2", "1")
        assert "Votre demande est notée. Elle sera lue" in await line.press("3", "1#")
    async with calling(stage) as line:
        assert "Votre demande est notée. Elle sera lue" in await line.press("2", "2", "1", "1#")
    assert [message.kind for message in await office.inbox()] == ["callback", "renewal"]
    assert b"<Record" not in b"".join(exchange.response_body for exchange in stage.emulator.tape)
    async with office.http.get(f"{stage.emulator.base_url}/emulator/recordings") as answer:
        assert (await answer.json())["recordings"] == []


# --- by a carrier that does not do as it should


async def test_p3_a_recorded_webhook_that_comes_again_makes_one_message(office: Office) -> None:
    stage = office.stage
    await leave(stage)
    before = await office.inbox()
    asked = [one for one in stage.emulator.tape if one.url.endswith("/recorded")]
    for change in ({}, {"Digits": "hangup"}, {"RecordingSid": "RE" + "f" * 32}):
        fields = {**asked[0].form, **change}
        assert await posted(office, asked[0].url, fields) == 200
    assert await office.inbox() == before
    assert (await office.row()).recording_sid == asked[0].form["RecordingSid"]


async def posted(office: Office, url: str, fields: dict[str, str]) -> int:
    """A webhook that the carrier signs."""
    token = office.stage.running.settings.carrier.auth_tokens[0].get_secret_value()
    proof = sign(token, url, tuple(fields.items()))
    async with office.http.post(url, data=fields, headers={HEADER: proof}) as answer:
        return answer.status


async def test_the_message_is_kept_when_only_the_report_of_its_sound_arrives(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was down when the caller hung up, and the carrier asks for an action once."""
    stage, real, failed = office.stage, Steps.step, list[bool]()

    async def step(steps: Steps, event: Incoming | StepAnswered, render: Render) -> Answer:
        if isinstance(event, StepAnswered) and event.slot is Slot.RECORDED and not failed:
            failed.append(True)
            raise DatabaseDown
        return await real(steps, event, render)

    monkeypatch.setattr(Steps, "step", step)
    async with speaking(stage) as line:
        await line.hang_up()
    assert failed
    await office.works()
    (message,) = await office.inbox()
    assert await office.said(message.id) == WORDS
    assert await office.at_carrier() == []


async def leave_unheard(stage: Stage, monkeypatch: pytest.MonkeyPatch, words: str = WORDS) -> str:
    """A message of which neither the step nor the report arrives: the database is down; the call's sid."""

    async def step(steps: Steps, event: Incoming | StepAnswered, render: Render) -> Answer:
        raise DatabaseDown

    async def recording(steps: Steps, event: RecordingReady, render: Render) -> None:
        raise DatabaseDown

    async with speaking(stage, words) as line:
        with monkeypatch.context() as down:
            down.setattr(Steps, "step", step)
            down.setattr(Steps, "recording", recording)
            assert "Votre demande est notée" not in await line.press("#")
            await line.hang_up()
        return line.sid


async def test_p7_a_message_of_which_neither_step_nor_report_arrived_is_found_at_the_carrier(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, spoken_at = office.stage, office.stage.clock.now()
    await leave_unheard(stage, monkeypatch)
    await leave_unheard(stage, monkeypatch, "Et encore un mot")
    assert (await office.inbox(), await office.jobs(), len(await office.at_carrier())) == ([], [], 2)
    stage.clock.set(spoken_at + MAY_STILL_BE_TOLD - timedelta(seconds=10))
    assert await office.strays.take_up() == 0  # the carrier's report may still come
    stage.clock.advance(600)
    assert await office.strays.take_up() == 2
    assert await office.strays.take_up() == 0
    messages = await office.inbox()
    assert [(one.kind, one.number, one.reason) for one in messages] == [("voice", None, "unspecified")] * 2
    assert all(abs(one.created_at - spoken_at) < timedelta(minutes=10) for one in messages)
    assert (await office.lines()).count("message vocal") == 2
    await office.works()
    assert await office.at_carrier() == []
    assert {await office.said(one.id) for one in messages} == {WORDS, "Et encore un mot"}
    assert await office.strays.take_up() == 0
    assert len(await office.inbox()) == 2


async def test_what_was_found_at_the_carrier_is_on_record_and_what_was_told_is_not_found_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = office.stage
    await leave_unheard(stage, monkeypatch)
    stage.clock.advance(MAY_STILL_BE_TOLD.total_seconds() + 60)
    assert await office.strays.take_up() == 1
    await office.works()
    row = await office.row()
    events = ["message.voice_left", "message.voice_kept", "message.voice_deleted_at_carrier"]
    assert await office.events(row.id) == events
    await leave(stage)
    stage.clock.advance(MAY_STILL_BE_TOLD.total_seconds() + 60)
    assert await office.strays.take_up() == 0
    assert len(await office.inbox()) == 2


async def test_a_second_recording_of_a_question_that_was_answered_becomes_a_message_too(office: Office) -> None:
    """A report about it is answered with 204, and defers nothing: the carrier would keep it for ever."""
    stage = office.stage
    await leave(stage)
    await office.works()
    row, second = await office.row(), "RE" + "f" * 32

    class Listing:
        async def recordings(self, after: datetime, before: datetime) -> list[ListedRecording]:
            return [ListedRecording(row.call_sid, sid, 5, row.left_at) for sid in (row.recording_sid, second)]

    strays = replace(office.strays, source=Listing())
    assert [await strays.take_up() for _ in range(2)] == [1, 0]
    assert len(await office.inbox()) == 2
    assert [task for task, _ in await office.jobs()] == ["fetch_recording"]


async def test_p5_a_recording_of_a_call_that_is_not_ours_stays_where_it_is(
    office: Office, monkeypatch: pytest.MonkeyPatch, owner_database: Database
) -> None:
    """Another application may use the same account."""
    stage = office.stage
    sid = await leave_unheard(stage, monkeypatch)
    async with owner_database.house() as connection:
        await connection.execute(
            text("UPDATE call SET carrier_sid = :other WHERE carrier_sid = :sid"),
            {"sid": sid, "other": "CA" + "0" * 32},
        )
    stage.clock.advance(MAY_STILL_BE_TOLD.total_seconds() + 60)
    with capture_logs() as logs:
        assert await office.strays.take_up() == 0
    assert [one for one in logs if one["event"] == "recordings_of_other_calls"] == [
        {"event": "recordings_of_other_calls", "count": 1, "log_level": "info"}
    ]
    assert sid not in str(logs)
    await office.works()
    assert (await office.inbox(), len(await office.at_carrier())) == ([], 1)


async def test_p5_a_message_found_at_the_carrier_goes_to_the_practice_that_was_called(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = office.stage
    await leave_unheard(stage, monkeypatch)
    stage.clock.advance(LOOKED_BACK.total_seconds() - 60)
    assert await office.strays.take_up() == 1
    async with stage.running.database.practice(demo_id("practice", "maison-de-sante-du-port")) as tx:
        assert await Inbox(stage.running.sealer).waiting(tx) == ()
    assert len(await office.inbox()) == 1


async def test_p1_a_report_about_words_that_nobody_was_asked_for_changes_nothing(office: Office) -> None:
    stage = office.stage
    async with calling(stage) as line:
        await line.press("2")
        call, _ = await line.identity()
        fields = {
            "CallSid": line.sid,
            "RecordingSid": "RE" + "f" * 32,
            "RecordingStatus": "completed",
            "RecordingDuration": "5",
        }
        base = stage.running.settings.public_base_url
        for document in (1, 2, 3):
            assert await posted(office, f"{base}/voice/recordings/{call}/{document}", fields) == 204
            assert await posted(office, f"{base}/voice/calls/{call}/{document}/recorded", fields) == 200
        assert "Ce message sera enregistré" in await line.press("1")
    assert (await office.inbox(), await office.jobs()) == ([], [])


async def test_a_carrier_that_does_not_delete_is_told_of_and_asked_again_until_it_has(office: Office) -> None:
    stage = office.stage
    await office.fails("deletion", for_ever=True)
    await leave(stage)
    (fetch,) = await office.jobs()
    await office.recordings.fetch(office.practice, fetch[1])
    (delete,) = await office.jobs()
    with pytest.raises(NotYet):
        await office.recordings.delete(office.practice, delete[1])
    assert (await office.row()).deleted_at is None
    for _ in range(40):
        stage.clock.advance(3600)
        await office.recordings.sweep()
    assert office.bell.rung == [delete[1]]  # once
    assert len(await office.at_carrier()) == 1
    assert (await office.row()).deleted_at is None
    assert "PAS EFFACÉ chez l'opérateur" in await office.lines()
    await office.mends()
    stage.clock.advance(3600)
    assert await office.recordings.sweep() == 1
    assert await office.at_carrier() == []
    assert "PAS EFFACÉ" not in await office.lines()


async def test_a_sound_that_cannot_be_fetched_stays_at_the_carrier_and_in_sight(office: Office) -> None:
    stage = office.stage
    await office.fails("media", status=503, for_ever=True)
    await leave(stage)
    for _ in range(30):
        stage.clock.advance(3600)
        await office.recordings.sweep()
    assert (await office.row()).state == "waiting"
    assert len(await office.at_carrier()) == 1
    assert len(office.bell.rung) == 1
    assert "pas encore reçu de l'opérateur, PAS EFFACÉ chez l'opérateur" in await office.lines()
    await office.mends()
    stage.clock.advance(3600)
    await office.recordings.sweep()
    (message,) = await office.inbox()
    assert await office.said(message.id) == WORDS
    assert await office.at_carrier() == []


@pytest.mark.parametrize("foreign", [False, True], ids=["of no call", "of another call"])
async def test_a_recording_of_another_call_is_neither_fetched_nor_deleted(office: Office, foreign: bool) -> None:
    """A forged identifier leads to nobody else's words: the carrier is asked for the call's own recordings only."""
    stage, sid = office.stage, "RE" + "f" * 32
    if foreign:
        async with calling(stage, called=PORT) as line:  # of a patient of another practice
            await line.press("2", "1")
            await line.client.speak(line.sid, "Ces mots sont pour un autre cabinet")
            await line.press("#")
        (other,) = await office.at_carrier()
        sid = other["sid"]
    await office.jobs()
    async with speaking(stage) as line:
        documents = [one.response_body.decode() for one in stage.emulator.tape if one.call_sid == line.sid]
        (url,) = re.findall(r'<Record[^>]*action="([^"]*)"', documents[-1])
        forged = {"CallSid": line.sid, "RecordingSid": sid, "RecordingDuration": "5", "Digits": "#"}
        assert await posted(office, url, forged) == 200
    row = await office.row()
    assert row.recording_sid == sid
    with pytest.raises(NotYet):
        await office.recordings.fetch(office.practice, row.id)
    stage.clock.advance(MAY_STILL_COME.total_seconds())
    await office.recordings.fetch(office.practice, row.id)
    await office.recordings.delete(office.practice, row.id)
    (message,) = await office.inbox()
    assert message.voice is not None
    assert (message.voice.state, await office.said(message.id)) == (VoiceState.LOST, None)
    assert "irrécupérable" in await office.lines()
    assert [one["sid"] for one in await office.at_carrier()][: int(foreign)] == [sid] * foreign


@pytest.mark.parametrize(
    "answer",
    [b"<html>", b"RIFF", bytes(5 * 1024 * 1024), NoSound.UNFIT],
    ids=["a page", "cut", "zeros", "over a bound"],
)
async def test_what_is_no_sound_of_ours_is_not_kept(office: Office, answer: bytes | NoSound) -> None:
    """The message itself stands, with the number to call back, and says that its words are lost."""
    await leave(office.stage)
    await office.jobs()
    row = await office.row()
    real = office.recordings.source

    class Other:
        async def recording(self, call_sid: str, recording_sid: str, *, most_bytes: int, most_seconds: int) -> Any:
            return answer

        async def delete_recording(self, call_sid: str, recording_sid: str) -> None:
            await real.delete_recording(call_sid, recording_sid)

    await replace(office.recordings, source=Other()).fetch(office.practice, row.id)
    assert (await office.row()).state == "lost"
    assert await office.events(row.id) == ["message.voice_lost"]
    (message,) = await office.inbox()
    assert (message.voice is not None and message.voice.state, message.number) == (VoiceState.LOST, JEANNE)
    assert "irrécupérable" in await office.lines()


# --- its time


async def test_rc06_a_sound_is_erased_when_its_time_is_over_and_the_message_stays(office: Office) -> None:
    stage = office.stage
    await leave(stage)
    await office.works()
    stage.clock.set((await office.row()).left_at + KEPT)
    assert await office.recordings.erase() == 0
    stage.clock.advance(1)
    assert await office.recordings.erase() == 1
    (message,) = await office.inbox()
    row = await office.row()
    assert (await office.said(message.id), row.sound, row.state) == (None, None, "erased")
    assert "effacé, délai passé" in await office.lines()
    assert (await office.events(row.id))[-1] == "message.voice_erased"


async def test_rc06_a_sound_is_erased_a_week_after_its_message_was_handled(office: Office) -> None:
    stage = office.stage
    await leave(stage)
    await office.works()
    (message,) = await office.inbox()
    async with stage.running.database.practice(office.practice) as tx:
        await Inbox(stage.running.sealer).handle(tx, message.id, "anna", stage.clock.now())
    stage.clock.advance(KEPT_ONCE_HANDLED.total_seconds())
    assert await office.recordings.erase() == 0
    stage.clock.advance(1)
    assert await office.recordings.erase() == 1


async def test_a_message_is_erased_a_month_after_it_was_handled_with_all_that_hangs_on_it(
    office: Office, owner_database: Database
) -> None:
    stage, kept = office.stage, timedelta(days=31)
    database, now = stage.running.database, stage.clock.now()
    await leave(stage)
    await leave(stage)
    await office.works()
    handled, waits = [message.id for message in await office.inbox()]
    async with database.practice(office.practice) as tx:
        await Inbox(stage.running.sealer).handle(tx, handled, "anna", now - kept)
    await noted(owner_database, days=8)
    old = OldMessages(database, stage.clock, SeededRandom(3), kept)
    assert await old.erase() == 0  # its month is not over
    stage.clock.advance(1)
    assert await old.erase() == 0  # its sound is here still
    await office.recordings.erase()
    async with database.practice(demo_id("practice", "maison-de-sante-du-port")) as tx:
        assert await erase_handled(tx, stage.clock.now(), 100) == []  # P5
    assert await old.erase() == 1
    assert await office.events(handled) == ["message.erased"]
    assert await old.erase() == 0
    assert [message.id for message in await office.inbox()] == [waits]
    async with database.practice(office.practice) as tx:
        left = "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM voice_message)"
        assert tuple((await tx.connection.execute(text(left))).one()) == (1, 1)


async def test_how_long_a_handled_message_stays_is_a_setting(
    cluster: Cluster,
    database_name: str,
    keys_file: Path,
    clock: DrivenClock,
    random: SeededRandom,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[timedelta] = []

    def made(*given: Any) -> OldMessages:
        kept.append(OldMessages(*given).kept)
        return OldMessages(*given)

    monkeypatch.setattr(working, "OldMessages", made)
    settings = stage_settings(keys_file)
    settings = settings.model_copy(update={"retention": RetentionSettings(handled_message_days=12)})
    app, jobs = (of(user=APP, database=database_name) for of in (cluster.server.url, cluster.server.dsn))
    async with staged(settings, app, jobs, clock, random):
        pass
    assert kept == [timedelta(days=12)]


async def noted(owner_database: Database, *, days: int) -> None:
    """As if the database had seen ``days`` ago that messages were handled; the server can say no such thing."""
    async with owner_database.house() as connection:
        statement = text(
            "UPDATE message SET handling_noted_at = now() - CAST(:ago AS interval) WHERE handled_at IS NOT NULL"
        )
        await connection.execute(statement, {"ago": timedelta(days=days)})


async def test_the_server_may_erase_no_message_that_waits_or_was_seen_handled_within_a_week(
    office: Office, owner_database: Database
) -> None:
    stage = office.stage
    await leave(stage)
    await leave(stage)
    await office.works()
    handled, waits = [message.id for message in await office.inbox()]

    async def erased() -> list[UUID]:
        async with stage.running.database.practice(office.practice) as tx:
            return list(await erase_handled(tx, datetime(2999, 1, 1, tzinfo=UTC), 100))

    async with stage.running.database.practice(office.practice) as tx:
        await Inbox(stage.running.sealer).handle(tx, handled, "anna", datetime(2000, 1, 1, tzinfo=UTC))
    assert await office.recordings.erase() == 1
    assert await erased() == []
    for message in (handled, waits):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with stage.running.database.practice(office.practice) as tx:
                await tx.connection.execute(text("DELETE FROM message WHERE id = :id"), {"id": message})
    await noted(owner_database, days=6)
    assert await erased() == []
    await noted(owner_database, days=8)
    assert await erased() == [handled]
