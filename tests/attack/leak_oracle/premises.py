"""A whole house on this machine with a tap on every way out: server, database, voice, carrier; only time is driven."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import aiohttp
import pytest
import structlog
from sqlalchemy import text

from callcenter.app import Running, faces, run_server
from callcenter.demo import emulator_settings
from callcenter.disclosure.policy import load_policy
from callcenter.emulator import Emulator
from callcenter.emulator.tape import Exchange
from callcenter.flow.language import Choose, Find, Flow, Say
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.installation import Addresses, keys_path
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.logs import configure_logs
from callcenter.kernel.randomness import SystemRandom
from callcenter.speech.local import LocalVoice
from callcenter.store.database import Database
from callcenter.store.keys import load_keys
from callcenter.store.schema import APP
from callcenter.store.sealed import Sealer
from tests.acceptance.stage import stage_settings
from tests.attack.leak_oracle.coverage import Coverage
from tests.attack.leak_oracle.invention import invent
from tests.attack.leak_oracle.ledger import Ledger
from tests.attack.leak_oracle.office import Administrator, Office
from tests.attack.leak_oracle.outbox import Outbox
from tests.attack.leak_oracle.people import OPEN, Population
from tests.attack.leak_oracle.search import Searcher
from tests.attack.leak_oracle.shift import Shift, notices_judged
from tests.attack.leak_oracle.taps import Edge, Logs, Observer, TappedVoice, headers_of
from tests.attack.leak_oracle.verdict import Judge, Sink
from tests.conftest import ROOT, Cluster

_numbers = itertools.count(1)
#: The own times of a log's line and of a record are the house's, and no patient's.
_LOG_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]* UTC")
_RECORD_TIME = re.compile(r'"ts":"[0-9T:.Z-]+"')
_ROUTING_TIME = re.compile(r'"\d{4}-\d\d-\d\d(?:T[0-9:.+-]+)?"')
#: Of an address of ours: the number of a document behind an identifier that ends in two digits is no day and month.
_DOCUMENT = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(/|%2F)(?=\d)")
_ROUTING_TABLES = ("queue_entry", "reservation", "presence", "routing_event", "talk", "talk_party")


@dataclass(slots=True)
class Premises:
    """The house, its taps, and what stands around it.

    Arguments:
        running: the server.
        database_log: the cluster's, of which this house answers for what stands beyond ``_logged_before`` bytes.
        session: sends what no carrier sends: repetitions, late and forged requests.
    """

    running: Running
    emulator: Emulator
    clock: DrivenClock
    population: Population
    judge: Judge
    ledger: Ledger
    observer: Observer
    edge: Edge
    voice: TappedVoice
    outbox: Outbox
    office: Office
    administrator: Administrator
    shift: Shift
    logs: Logs
    database_log: Path
    session: aiohttp.ClientSession
    _logged_before: int
    _read: int = 0
    _codes: int = 0
    _references: int = 0
    _routed: set[str] = field(default_factory=set)

    async def after_call(self) -> None:
        """Judge what left beside documents, sound and messages: URLs, requests to the carrier, logs."""
        exchanges, self._read = self.emulator.tape[self._read :], len(self.emulator.tape)
        for exchange in exchanges:
            if exchange.kind == "rest":
                self._judge_rest(exchange)
            else:
                self.judge.leaves(Sink.URL, _apart(f"{exchange.method} {exchange.url}"))
                seen = exchange.kind == "audio" or exchange.response_body in {b"", *self.edge.seen}
                assert seen, "an answer left past the tap"
        self.judge.leaves(Sink.LOG, self.logs.taken())
        await self.judge_routing()
        cards = [visit.reference for person in self.population.people.values() for visit in person.visits]
        self.judge.betrayed(self.outbox.codes[self._codes :], [*cards, *self.outbox.references[self._references :]])
        self._codes, self._references = len(self.outbox.codes), len(self.outbox.references)

    async def at_the_end(self) -> None:
        """Judge what is left behind: jobs, ledger, health pages, metrics."""
        await self.administrator.recordings_done()
        async with self.running.database.house() as connection:
            query = "SELECT concat_ws(' ', queue_name, task_name, lock, queueing_lock, args) FROM procrastinate_jobs"
            for job in (await connection.execute(text(query))).scalars():
                self.judge.leaves(Sink.JOB, job)
        for facts in self.population.practices.values():
            for body in await self.ledger.bodies(facts.id):
                self.judge.leaves(Sink.LEDGER, _RECORD_TIME.sub("", body))
        self.judge.leaves(Sink.METRICS, await self.page("/metrics"))
        for path in ("/healthz", "/readyz"):
            self.judge.leaves(Sink.HEALTH, await self.page(path))
        self.judge.leaves(Sink.LOG, self.logs.taken())
        logged = self.database_log.read_bytes()[self._logged_before :].decode(errors="replace")
        self.judge.leaves(Sink.DATABASE_LOG, _LOG_TIME.sub("", logged))
        self.judge.betrayed(self.outbox.codes, self.outbox.references)

    async def page(self, path: str) -> str:
        """A page of the private port."""
        async with self.session.get(self.running.private + path) as response:
            return f"{headers_of(response.headers)}\n{await response.text()}"

    async def judge_routing(self) -> None:
        """Judge every row of routing that is new or has changed; its times are the house's."""
        async with self.running.database.house() as connection:
            for table in _ROUTING_TABLES:
                query = text(f"SELECT cast(to_jsonb(t) AS text) FROM {table} t")
                for row in (await connection.execute(query)).scalars():
                    if row not in self._routed:
                        self._routed.add(row)
                        self.judge.leaves(Sink.ROUTING, _ROUTING_TIME.sub('""', row))

    def _judge_rest(self, exchange: Exchange) -> None:
        """Judge a request to the carrier. Recipient and words of a message were judged when it left."""
        form = parse_qsl(exchange.request_body.decode(), keep_blank_values=True)
        message = {name: value for name, value in form if name in ("To", "Body")}  # the To of a call is alone
        others = [(name, value) for name, value in form if name not in message]
        headers = headers_of(exchange.request_headers)
        self.judge.leaves(Sink.REST, _apart(f"{exchange.method} {exchange.url}\n{headers}\n\n{urlencode(others)}"))
        if message and tuple(message.values()) not in self.outbox.seen:
            self.judge.leaves(Sink.SMS_TO, message.get("To", ""))
            self.judge.leaves(Sink.SMS_BODY, message.get("Body", ""))


def _apart(text: str) -> str:
    """``text`` with a word between identifiers and numbers of documents."""
    return _DOCUMENT.sub(r"\1 document \2", text)


@asynccontextmanager
async def premises(
    cluster: Cluster, people: str, keys_file: Path, *, rows_logged: bool = False
) -> AsyncIterator[Premises]:
    """Put the house up with everybody in it, and take it down.

    Arguments:
        people: the name of a database in which everybody is; it is copied.
        keys_file: with which it was sealed.
        rows_logged: whether whoever asks the database logs each statement and each row.
    """
    name, database_log = f"leak_oracle_{next(_numbers)}", cluster.server.log_file
    logged_before = database_log.stat().st_size  # by another house, which may have planted something there
    await cluster.create(name, people)
    settings = stage_settings(keys_file, captions=False, log={"form": "json", "level": "debug"})
    url = cluster.server.url(user=APP, database=name)
    outside = Database(url, pool_size=3, application="oracle")
    administrator = Administrator(cluster.server.url(user=ROOT, database=name))
    sealer, population = Sealer(load_keys(keys_path(settings)), SystemRandom()), invent()
    book = PromptBook.load(settings.flows.prompts)
    flow, policy = load_flow(settings.flows.folder / "accueil.yaml", book), load_policy(settings.flows.policy)
    ledger = Ledger(outside)
    judge = Judge(Searcher(population.canaries()), ledger, policy, population, _telling(flow, book))
    office = Office(outside, sealer, population)
    outbox = Outbox(judge, ledger, office, population, sealer)
    clock, observer, edge = DrivenClock(OPEN), Observer(Coverage(flow), flow), Edge(judge)
    emulator = Emulator(emulator_settings(settings, int((settings.carrier.base_url or "").rsplit(":", 1)[1])), clock)
    await emulator.start()
    try:
        async with LocalVoice(words_per_minute=settings.voice_rate) as local, aiohttp.ClientSession() as session:
            voice = TappedVoice(local, judge)
            with _logging(rows_logged) as logs, pytest.MonkeyPatch.context() as patch, observer.watching(patch):
                outbox.watch(patch)
                patch.setattr(faces, "webhook_application", edge.application)
                addresses = Addresses(url, cluster.server.dsn(user=APP, database=name), None)
                server = run_server(settings, addresses, clock=clock, voice=voice)
                async with notices_judged(url, judge), server as running:
                    shift = Shift(running, clock, population)
                    yield Premises(
                        running, emulator, clock, population, judge, ledger, observer, edge, voice, outbox, office,
                        administrator, shift, logs, database_log, session, logged_before,
                    )  # fmt: skip
    finally:
        await emulator.stop()
        await administrator.close()
        await outside.close()
        await cluster.drop(name)


def _telling(flow: Flow, book: PromptBook) -> Iterator[str]:
    """What is said first on each side of a ``find``: public words, which only one side hears."""
    for step in flow.steps.values():
        for target in (step.found, step.none) if isinstance(step, Find) else ():
            told = flow.steps[target]
            if isinstance(told, Say | Choose):
                yield book[told.prompt].always_said


@contextmanager
def _logging(rows: bool) -> Iterator[Logs]:
    """The product's logs at their most talkative, the libraries' too, into a stream that is read."""
    logs, before = Logs(), structlog.get_config()
    loggers = [logging.getLogger(), logging.getLogger("sqlalchemy.engine")]
    handlers, levels = loggers[0].handlers[:], [logger.level for logger in loggers]
    configure_logs("json", "debug", logs)
    for logger, level in zip(loggers, (logging.DEBUG, logging.DEBUG if rows else logging.WARNING), strict=True):
        logger.setLevel(level)
    try:
        yield logs
    finally:
        loggers[0].handlers = handlers
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        structlog.configure(**before)
