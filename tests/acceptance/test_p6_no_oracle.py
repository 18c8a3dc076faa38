"""P6: a caller who has not proved who they are cannot tell a known patient from an unknown one: not by a word, not by
the number or order of questions, not by a byte or a second of what answers them."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.app import server
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import Random, SeededRandom, SystemRandom
from callcenter.routing.waking import PULSE
from callcenter.store.schema import APP
from tests.acceptance.caller import JEANNE, SILENCE, Trace, calling, trace
from tests.acceptance.stage import Stage, stage_settings, staged
from tests.conftest import ROOT, TODAY, Cluster


@dataclass(frozen=True)
class Claim:
    """Who somebody says that they are.

    Arguments:
        birth_date: as it is typed.
        calls_from: the calling number.
        types: the telephone that is typed when it is asked for.
        gets_code: the number on file to which a code goes, or None.
    """

    who: str
    birth_date: str
    calls_from: str
    types: str | None = None
    gets_code: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        return ("1", "1", self.birth_date) if self.types is None else ("1", "1", self.birth_date, self.types)


#: Karim, Hélène and Marie: made so below.
BARRED, NEARLY_BARRED, RESTRICTED = "+33639980004", "+33639980006", "+33639980002"

FROM_THEIR_LINE = (
    Claim("a known patient", "14031962", JEANNE, gets_code=JEANNE),
    Claim("one of a couple", "12061957", "+33639980006", gets_code="+33639980006"),
    Claim("a deceased patient", "30011931", "+33639980005"),
    Claim("a minor", "11012013", "+33639980160", gets_code="+33639980160"),
    Claim("a wrong birth date", "15031962", JEANNE),
    Claim("an unknown number", "14031962", "+33639980099"),
    Claim("twins", "05052012", "+33639980002"),
    Claim("a fictive birth date", "31121980", "+33639980003"),
    Claim("a landline only", "02111948", "+33465710099"),
    Claim("a patient who may not be contacted", "17091984", RESTRICTED),
    Claim("a patient with five wrong codes", "21071990", BARRED),
    Claim("a patient with four wrong codes", "03041959", NEARLY_BARRED, gets_code=NEARLY_BARRED),
    Claim("a patient of another practice", "08081971", "+33639980007"),
)

FROM_A_LINE_THAT_SAYS_NOTHING = (
    Claim("a known patient, withheld", "14031962", "anonymous", "0639980001", gets_code=JEANNE),
    Claim("a known patient, by the practice's line", "14031962", "+33465710091", "0639980001", gets_code=JEANNE),
    Claim("a wrong birth date", "15031962", "anonymous", "0639980001"),
    Claim("an unknown number", "14031962", "anonymous", "0639980099"),
    Claim("twins", "05052012", "anonymous", "0639980002"),
    Claim("a fictive birth date", "31121980", "anonymous", "0639980003"),
    Claim("a landline only", "02111948", "anonymous", "0465710099"),
    Claim("a patient who may not be contacted", "17091984", "anonymous", "0639980002"),
    Claim("a patient with five wrong codes", "21071990", "anonymous", "0639980004"),
)

#: What comes after the claim; none of it is the code.
ENDINGS = {
    "three wrong codes": ("111111", "222222", "333333", "1", "1#", "0639980008"),
    "wrong codes that are too short": ("1#", "12345#", "*#", "123#", "2", "0639980008"),
    "a hash": ("#", "3", "0639980008"),
    "silence": (SILENCE,) * 9,
    "only stars": ("******",) * 20,
    "a wrong code, then silence": ("444444", *(SILENCE,) * 9),
}


_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def barred(cluster: Cluster, furnished: str, keys_file: Path) -> AsyncIterator[str]:
    """The name of a database in which one patient has had five wrong codes, one has had four, and another may not be
    contacted; only to be copied."""
    name = "acceptance_barred"
    await cluster.create(name, template=furnished)
    async with _staged_on(cluster, name, keys_file, DrivenClock(TODAY), SystemRandom()) as stage:
        await wrong_codes(stage)
        await stage.messages_sent()
    await restrict(cluster, name)
    yield name
    await cluster.drop(name)


@pytest.fixture
async def barred_and_restricted(
    cluster: Cluster, barred: str, keys_file: Path, clock: DrivenClock, random: SeededRandom
) -> AsyncIterator[Stage]:
    """A stage on which that has happened."""
    name = f"p6_{next(_numbers)}"
    await cluster.create(name, template=barred)
    async with _staged_on(cluster, name, keys_file, clock, random) as stage:
        yield stage
    await cluster.drop(name)


def _staged_on(
    cluster: Cluster, name: str, keys_file: Path, clock: DrivenClock, random: Random, *, jobs: bool = True
) -> AbstractAsyncContextManager[Stage]:
    app, dsn = cluster.server.url(user=APP, database=name), cluster.server.dsn(user=APP, database=name)
    return staged(stage_settings(keys_file), app, dsn, clock, random, furnished=TODAY, jobs=jobs)


async def wrong_codes(stage: Stage) -> None:
    for number, birth_date, counts in ((BARRED, "21071990", (3, 2)), (NEARLY_BARRED, "03041959", (3, 1))):
        for wrong in counts:
            async with calling(stage, number) as caller:
                await caller.does("1", "1", birth_date, *("987654", "987653", "987652")[:wrong])


async def restrict(cluster: Cluster, database_name: str) -> None:
    engine = create_async_engine(cluster.server.url(user=ROOT, database=database_name))
    async with engine.begin() as connection:
        changed = await connection.execute(
            text("UPDATE patient SET contact_restricted = true WHERE external_id = 'marie-petit'")
        )
        assert changed.rowcount == 1
    await engine.dispose()


async def traced(stage: Stage, claim: Claim, *answers: str) -> Trace:
    """Make the claim, give the answers, and check to whom a code went."""
    await stage.furnish(TODAY)
    async with calling(stage, claim.calls_from) as caller:
        await caller.does(*claim.keys, *answers)
        for number in {claim.calls_from, claim.gets_code or JEANNE} - {"anonymous"}:
            codes = await caller.codes(number)
            assert len(codes) == (number == claim.gets_code), f"{claim.who}: {len(codes)} codes to {number}"
    return trace(caller, TODAY)


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
@pytest.mark.parametrize("claims", [FROM_THEIR_LINE, FROM_A_LINE_THAT_SAYS_NOTHING], ids=["their_line", "no_line"])
async def test_p6_every_claim_that_is_not_proved_is_answered_alike(
    barred_and_restricted: Stage, claims: tuple[Claim, ...], ending: tuple[str, ...]
) -> None:
    known, *others = claims
    expected = await traced(barred_and_restricted, known, *ending)
    assert len(expected.answers) > len(known.keys) + 2
    for claim in others:
        assert await traced(barred_and_restricted, claim, *ending) == expected, claim.who


#: « Renvoyer le rappel », which leads back to the menu, and the return call, which ends the call by itself.
REACHED_BY = {"the reminder again": ("4", ("0", "1", "1#")), "a return call": ("5", ())}


@pytest.mark.parametrize(("key", "afterwards"), REACHED_BY.values(), ids=REACHED_BY.keys())
@pytest.mark.parametrize("claims", [FROM_THEIR_LINE, FROM_A_LINE_THAT_SAYS_NOTHING], ids=["their_line", "no_line"])
async def test_p6_every_claim_to_be_reached_is_answered_alike(
    barred_and_restricted: Stage, claims: tuple[Claim, ...], key: str, afterwards: tuple[str, ...]
) -> None:
    known, *others = claims
    expected = await reached(barred_and_restricted, known, key, *afterwards)
    assert len(expected.answers) > len(known.keys)
    for claim in others:
        assert await reached(barred_and_restricted, claim, key, *afterwards) == expected, claim.who


async def reached(stage: Stage, claim: Claim, key: str, *afterwards: str) -> Trace:
    """Ask to be reached on the telephone on file; what was sent or rung for it is not the caller's to see."""
    await stage.furnish(TODAY)
    menu, _, *typed = claim.keys
    async with calling(stage, claim.calls_from) as caller:
        await caller.does(menu, key, *typed, *afterwards)
        await stage.messages_sent()
    heard = trace(caller, TODAY)
    spoken = tuple((kind, _RETURN_CODE.sub("…", words)) for kind, words in heard.heard)
    answers = tuple(
        (status, headers, _RETURN_CODE.sub("…", body.decode()).encode(), second)
        for status, headers, body, second in heard.answers
    )
    return Trace(spoken, answers)


#: The digits that are given out for the line on file: as many, whoever asks, and none of them tells anything.
_RETURN_CODE = re.compile(r"\d \d \d \d")


async def test_p6_a_claim_that_will_be_proved_is_answered_alike_until_its_code_is_typed(
    barred_and_restricted: Stage,
) -> None:
    stage, known = barred_and_restricted, FROM_THEIR_LINE[0]
    async with calling(stage, known.calls_from) as caller:
        await caller.does(*known.keys)
        until_the_code = caller.heard
        (code,) = await caller.codes(JEANNE)
        assert "tranquillement" in await caller.does(code)
    asked = len(known.keys) + 1
    for claim in FROM_THEIR_LINE:
        failed = await traced(stage, claim, "111111")
        assert failed.heard[: len(until_the_code)] == tuple((spoken.kind, spoken.text) for spoken in until_the_code)
        assert len(failed.answers) == asked + 2  # the wrong code, and the end of the call


# --- in the database, where a difference would be one in time


@pytest.fixture
async def without_jobs(
    cluster: Cluster,
    database_name: str,
    keys_file: Path,
    clock: DrivenClock,
    random: SeededRandom,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Stage]:
    """A stage on which nobody works on jobs or looks after anything: every statement is one of a webhook."""
    monkeypatch.setattr(server, "refreshing", lambda *_: nullcontext())
    monkeypatch.setattr(server, "following", lambda *_: nullcontext())
    await restrict(cluster, database_name)
    async with _staged_on(cluster, database_name, keys_file, clock, random, jobs=False) as stage:
        yield stage


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement of every connection, in its order; the pulse of whoever listens beats when it will."""
    noted: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        if statement != PULSE:
            noted.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_p6_every_claim_runs_the_same_statements(without_jobs: Stage) -> None:
    expected: list[str] = []
    await wrong_codes(without_jobs)
    for number, claim in enumerate(FROM_THEIR_LINE, start=1):
        # What is remembered of the directory is as old each time, and the practice is open each time.
        without_jobs.clock.set(TODAY + number * timedelta(minutes=9))
        with statements() as noted:
            async with calling(without_jobs, claim.calls_from) as caller:
                await caller.does(*claim.keys, "111111", "222222", "333333")
        expected = expected or noted
        assert len(noted) > 20
        assert noted == expected, claim.who
