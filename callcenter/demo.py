"""The demo: database, server and emulator in one process, with people who do not exist. Data are kept between runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from callcenter.app import CannotListen, run_server
from callcenter.app.by_administration import Examine
from callcenter.audit.reading import disclosures, records_of_call
from callcenter.audit.sealing_key import create_sealing_key
from callcenter.calls.lookup import find_call
from callcenter.console.demonstration import DEMONSTRATION
from callcenter.demo_messages import seed_messages
from callcenter.demo_staff import on_duty, only_for_play, seed_staff
from callcenter.emulator import Emulator, EmulatorSettings, NamedNumber, NumberSettings
from callcenter.emulator.errors import EmulatorError
from callcenter.emulator.outcomes import CouldNotRun, Differed, Passed
from callcenter.emulator.runner import run
from callcenter.emulator.transcript import TranscriptError, load_transcript
from callcenter.installation import Addresses, keys_path, reach_database, sealer_key_path
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError, ConfigurationError, Problem, Unavailable
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.demo import FOLDER, seed
from callcenter.practice.demo_file import Demonstration, NamedPerson, read_demonstration
from callcenter.practice.key_fit import check_keys
from callcenter.practice.practice_form import Setting, as_written
from callcenter.practice.values import EntryKind
from callcenter.settings import PROJECT, Environment, Settings
from callcenter.speech.moments import WEEKDAYS
from callcenter.staff.accounts import NoSuchAccount
from callcenter.store.database import Database
from callcenter.store.embedded import EmbeddedPostgres, places_for
from callcenter.store.keys import create_keys, load_keys
from callcenter.store.sealed import Sealer
from callcenter.telephony import urls as paths

Say = Callable[[str], Any]

#: Where the emulator listens if the configuration names no carrier at an address of its own.
_EMULATOR = "http://127.0.0.1:8090"


def emulator_address(settings: Settings) -> str:
    """Where the carrier in a box is, without a slash at the end: the carrier of the demo's configuration."""
    return (settings.carrier.base_url or _EMULATOR).rstrip("/")


def what_to_try(settings: Settings) -> str:
    """What is said of a demo that runs."""
    staff = settings.console.public_url.rstrip("/")
    return f"""
callcenter is running, with a carrier in a box beside it. Telephones in your browser:

  {emulator_address(settings) + "/":<54}Jeanne calls the Cabinet des Tilleuls: 1, 1, 14031962,
                                                        then the code of the text message that arrives

The pages of staff, who do not exist either; in a second browser « {DEMONSTRATION.accounts[1].login} » is there too:

  {staff + "/poste":<54}« {DEMONSTRATION.accounts[0].login} »,
                                                        « {DEMONSTRATION.password} »
  {f"{DEMONSTRATION.code_command} {DEMONSTRATION.accounts[0].login}":<54}the six digits of the second step
                                                        « Disponible »: whoever calls and presses 0 rings there

In another terminal, in this folder:

  .venv/bin/callcenter phone                            the same call on a telephone in the terminal
  .venv/bin/callcenter phone --script tests/acceptance/transcripts/verified_by_sms.yaml
  .venv/bin/callcenter audit show --last                what the last caller was told, and what was refused
  .venv/bin/callcenter inbox                            who waits to be called back

Ctrl-C ends everything; the data stay. make demo-reset forgets them."""


class PortTaken(Unavailable):
    """A port of the demo is taken."""


async def run_demo(settings: Settings, say: Say, examine: Examine | None = None) -> None:
    """Run until interrupted.

    Arguments:
        examine: looks at the installation, for the page that shows its health.
    """
    _only_for_play(settings)
    stopped = _interrupted()
    if not keys_path(settings).exists():
        create_keys(keys_path(settings), SystemRandom())
    if not sealer_key_path(settings).exists():
        create_sealing_key(sealer_key_path(settings), SystemRandom())
    say("starting the database …")
    async with reach_database(settings, share=False) as addresses:
        report = await _seed(settings, addresses)
        say(f"demo data: {report}")
        say("starting server and emulator …")
        server = run_server(settings, addresses, examine=examine)
        async with on_free_ports(settings), server, _emulating(settings, _emulator_port(settings)):
            say(what_to_try(settings))
            if hint := closed_now(read_demonstration(FOLDER), SystemClock().now()):
                say(hint)
            await stopped.wait()
            say("\nending …")


#: From then on « until midnight » would be over before anybody has tried anything.
_LATE = time(21)


def closed_now(demonstration: Demonstration, now: datetime) -> str:
    """What to do where nobody is put through to staff, since the practice that is called is closed; else nothing."""
    slug, practice = next(iter(demonstration.practices.items()))
    opening = practice.facts.opening
    local = now.astimezone(opening.zone)
    if opening.is_open(now):
        return ""
    if opening.is_holiday(local.date()):
        return f"\nThe {practice.facts.name} is closed today, a public holiday: callers cannot wait for somebody."
    late = local.time() >= _LATE
    days = [local.date() + timedelta(days=ahead) for ahead in range(2 if late else 1)]
    week = {**as_written(practice.facts)[Setting.HOURS], **{WEEKDAYS[day.weekday()]: ["00:00-23:59"] for day in days}}
    hours = "'{" + ", ".join(f"{day}: [{', '.join(open)}]" for day, open in week.items()) + "}'"
    until = "for the rest of tonight and all of tomorrow" if late else "until midnight"
    return f"""
The {practice.facts.name} is closed at this hour, and callers cannot wait for somebody. To open it {until}:

  .venv/bin/callcenter practice set {slug} hours {hours} --until {days[-1] + timedelta(days=1)}"""


@asynccontextmanager
async def on_free_ports(settings: Settings) -> AsyncIterator[None]:
    """Say which ports the demo needs, where one cannot be had; whatever else goes wrong is told as what it is."""
    try:
        yield
    except (CannotListen, EmulatorError) as error:
        mend = (
            f"end what uses {_ports(settings)}, or write other ports into a copy of config/demo.yaml "
            "and run CALLCENTER_CONFIG=COPY make demo"
        )
        raise PortTaken(f"a port of the demo cannot be used ({error}): {mend}") from error


def _ports(settings: Settings) -> str:
    mail = "" if settings.mail is None else f"{settings.mail.port}, "
    ports = (settings.webhooks.port, settings.console.port, settings.private.port)
    return f"{mail}{', '.join(map(str, ports))} or {_emulator_port(settings)}"


def _emulator_port(settings: Settings) -> int:
    return urlsplit(emulator_address(settings)).port or 80


def _only_for_play(settings: Settings) -> None:
    if settings.environment is not Environment.DEMO or settings.database.url is not None:
        what = "the demo runs on its own embedded database, with environment: demo"
        raise ConfigurationError([Problem("configuration", 0, what, "use config/demo.yaml, without DATABASE_URL")])


def _interrupted() -> asyncio.Event:
    import signal

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def _seed(settings: Settings, addresses: Addresses) -> str:
    sealer = Sealer(load_keys(keys_path(settings)), SystemRandom())
    database = Database(addresses.app, pool_size=2, application="callcenter-demo")
    try:
        await check_keys(database, sealer)
        report = await seed(database, sealer, SystemClock(), SystemRandom())
        await seed_staff(settings, database, sealer, SystemClock(), SystemRandom())
        await seed_messages(settings, database, sealer, SystemClock(), SystemRandom())
    finally:
        await database.close()
    return str(report)


async def forget_demo(settings: Settings) -> None:
    """Delete the demo's database and keys."""
    _only_for_play(settings)
    await EmbeddedPostgres(places_for(settings.database.folder or PROJECT)).forget()
    keys_path(settings).unlink(missing_ok=True)
    sealer_key_path(settings).unlink(missing_ok=True)


# --- emulator


def emulator_settings(settings: Settings, port: int) -> EmulatorSettings:
    """The emulator's account and numbers, as ``settings`` expect them of the carrier."""
    base = settings.public_base_url
    number = NumberSettings(
        base + paths.INCOMING, base + paths.FALLBACK, base + paths.STATUS, base + paths.MESSAGE_INCOMING
    )
    demonstration = read_demonstration(FOLDER) if settings.environment is Environment.DEMO else None
    private = f"http://{settings.private.host}:{settings.private.port}/captions" if settings.captions else None
    return EmulatorSettings(
        account_sid=settings.carrier.account_sid,
        auth_token=settings.carrier.auth_tokens[0].get_secret_value(),
        default_number=number,
        port=port,
        captions_url=private,
        senders=frozenset({settings.carrier.sms_sender}),
        telephones=tuple(_telephones(demonstration)) if demonstration else (),
        lines=tuple(_lines(demonstration)) if demonstration else (),
        smtp_port=None if settings.mail is None else settings.mail.port,
        **_softphones(settings),
    )


def _softphones(settings: Settings) -> dict[str, Any]:
    """What the operators' browsers call, and by what key."""
    base, softphone = settings.public_base_url, settings.softphone
    if softphone is None:
        return {}
    called = NumberSettings(base + paths.OWN_LEG, status_callback=base + paths.OWN_LEG_STATUS)
    return {
        "api_keys": {softphone.api_key: softphone.api_secret.get_secret_value()},
        "applications": {softphone.application: called},
    }


def _telephones(demonstration: Demonstration) -> Iterator[NamedNumber]:
    """The telephones of the demonstration's people, with the dates of birth to type, and the rescue lines."""
    by_number: dict[str, list[NamedPerson]] = {}
    for person in demonstration.named:
        for number in person.phones:
            by_number.setdefault(number, []).append(person)
    for number, people in by_number.items():
        name = demonstration.practices[people[0].practice].facts.name
        births: dict[str, list[str]] = {}
        for person in people:
            births.setdefault(person.traits["birth_date"].replace("/", ""), []).append(person.traits["first_name"])
        dates = " ou ".join(f"{date} ({', '.join(who)})" for date, who in births.items())
        yield NamedNumber(number, _household(people), f"{name}\u00a0: tapez 1, encore 1, puis {dates}.")
    for practice in demonstration.practices.values():
        yield NamedNumber(practice.facts.rescue_number, f"{practice.facts.name}, ligne de secours")


def _household(people: Sequence[NamedPerson]) -> str:
    """« Jeanne Martin-Duval », « Paul et Hélène Garnier », « Lucas, Hugo et Marie Petit »."""
    first = [person.traits["first_name"] for person in people]
    names = " et ".join([", ".join(first[:-1]), first[-1]] if len(first) > 1 else first)
    families = dict.fromkeys(person.traits["birth_name"] for person in people)
    return f"{names} {'-'.join(families)}"


#: How a number's name says where it leads.
_DOORS = {
    EntryKind.MAIN: "",
    EntryKind.OVERFLOW: " (débordement)",
    EntryKind.PROFESSIONALS: " (professionnels)",
    EntryKind.CLOSED: " (fermé)",
}


def _lines(demonstration: Demonstration) -> Iterator[NamedNumber]:
    """The numbers at which the demonstration's practices answer."""
    for practice in demonstration.practices.values():
        for number, door in practice.facts.numbers.items():
            yield NamedNumber(number, practice.facts.name + _DOORS[door.entry])


@asynccontextmanager
async def _emulating(settings: Settings, port: int) -> AsyncIterator[Emulator]:
    emulator = Emulator(emulator_settings(settings, port))
    await emulator.start()
    try:
        yield emulator
    finally:
        await emulator.stop()


async def run_emulator(settings: Settings, port: int, say: Say) -> None:
    """Run the emulator alone until interrupted."""
    if settings.environment is Environment.PRODUCTION:
        what = "an emulator would call an installation of real patients, signing as the carrier does"
        raise ConfigurationError([Problem("environment", 0, what, "use a configuration of environment demo or test")])
    stopped = _interrupted()
    async with _emulating(settings, port) as emulator:
        say(f"telephones {emulator.base_url}/, calling {settings.public_base_url}   Ctrl-C ends")
        await stopped.wait()


# --- transcripts


async def run_transcript(settings: Settings, script: Path, base_url: str, say: Say) -> int:
    """Run a transcript against a running demo: 0 as expected, 1 at the first difference, 2 could not run."""
    try:
        transcript = load_transcript(script)
    except TranscriptError as error:
        say(str(error))
        return 2
    try:
        keys = load_keys(keys_path(settings))
    except CallcenterError as error:
        say(f"{error}\nstart the demo first: make demo")
        return 2
    async with reach_database(settings) as addresses:
        database = Database(addresses.app, pool_size=2, application="callcenter-phone")
        try:
            if transcript.on_duty:
                only_for_play(settings)
            sealer, people = Sealer(keys, SystemRandom()), [(one.login, one.telephone) for one in transcript.on_duty]
            async with on_duty(database, sealer, SystemClock(), SystemRandom(), people):
                outcome = await run(transcript, base_url=base_url, ledger=ledger_reader(database), narrate=say)
        except (NoSuchAccount, ConfigurationError) as error:
            outcome = CouldNotRun(str(error))
        finally:
            await database.close()
    match outcome:
        case Passed():
            say(f"{transcript.title}: as expected")
            return 0
        case Differed():
            say(f"{transcript.title}: {outcome}")
            return 1
        case CouldNotRun():
            say(f"{transcript.title}: could not run: {outcome}")
            return 2


def ledger_reader(database: Database) -> Callable[[str], Any]:
    """Reads the disclosures of a call back, by the carrier's identifier."""

    async def read(sid: str) -> list[dict[str, Any]]:
        async with database.house() as connection:
            found = await find_call(connection, sid=sid)
        if found is None:
            return []
        async with database.practice(found.practice_id) as tx:
            return disclosures(await records_of_call(tx, found.id))

    return read
