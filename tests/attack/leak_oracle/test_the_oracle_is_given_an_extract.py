"""What leaves around an extract of the register: the pages, both files, and the ledger; each line has its record."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import hdrs
from sqlalchemy import text

from callcenter.console import extracts as pages
from callcenter.console import paths
from callcenter.console.cookies import SESSION
from callcenter.console.forms import PROOF
from callcenter.reports import register_extract
from callcenter.staff.administration import NewAccount
from callcenter.staff.sessions import Stage
from callcenter.staff.values import Role, day_of
from tests.attack.extracting import words_on
from tests.attack.leak_oracle.canaries import Value
from tests.attack.leak_oracle.people import Person
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.shift import BY
from tests.attack.leak_oracle.taps import headers_of
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.test_the_oracle_at_work import canary
from tests.attack.leak_oracle.test_the_oracle_breaks_glass import _OURS
from tests.attack.leak_oracle.test_the_oracle_reviews import _PROOF
from tests.attack.leak_oracle.verdict import Sink

_KEY = re.compile(r'name="patient" value="([A-Za-z0-9_=-]{60,})"')
_SEEN = re.compile(r'name="vu" value="([0-9T:.+-]+)"')
_DIGEST = re.compile(r'name="empreinte" value="([0-9a-f]{64})"')
_DAY = re.compile(r"\b\d+(?:er)?[\xa0 ]\w+ 2026\b")


class Somebody:
    """Somebody of staff at a browser, whose pages and files are judged.

    Arguments:
        files: how many came.
    """

    def __init__(self, house: Premises, token: str, shown: tuple[Value, ...]) -> None:
        self._house = house
        self._headers = {"Cookie": f"{SESSION}={token}", "Origin": house.running.console}
        self._shown = shown
        self._proof = ""
        self.files = 0

    async def asks(self, method: str, path: str, *, refused: bool = False, **fields: str) -> str:
        """Where it went, and what came.

        Arguments:
            refused: it may be.
        """
        given = {PROOF: self._proof, **fields} if method == "POST" else None
        url = self._house.running.console + path
        async with self._house.session.request(method, url, headers=self._headers, data=given) as response:
            assert response.status in ({200, 403, 404, 422} if refused else {200}), (path, response.status)
            body = await response.read()
            self.files += hdrs.CONTENT_DISPOSITION in response.headers
        words = words_on(body) if body.startswith(b"%PDF") else body.decode()
        if found := _PROOF.findall(words):
            self._proof = found[0]
        judged = _DAY.sub("", _OURS.sub("", f"{headers_of(response.headers)}\n{words}"))
        # What whoever asks has shown heads the paper, and nothing else of the file does.
        self._house.judge.leaves(Sink.PAGE, judged, allowed=self._shown)
        return f"{response.url.path}\n{words}"


async def somebody(
    house: Premises, person: Person, *roles: Role, training: timedelta = timedelta(days=365), shown: bool = True
) -> Somebody:
    """A member of staff of a patient's practice, who has just given both factors.

    Arguments:
        training: for which theirs holds; negative where it is over.
        shown: they have seen who the patient is, on a card or at the desk.
    """
    practice, room = person.practice, house.shift._room()
    try:
        login = f"extrait-{uuid4().hex[:8]}"
        today = day_of(house.clock.now())
        account = await room.administration.create(NewAccount(practice.organisation_id, login, "Quelqu’un"), BY)
        portfolio = await room.portfolios.create(practice.organisation_id, login, BY, whole=True)
        for role in roles:
            await room.administration.grant(account, role, portfolio, BY)
        await room.administration.sign(account.id, today, BY)
        await room.administration.trained(account.id, today + training, BY)
        async with house.running.database.house() as connection:
            token = await room.sessions.begin(connection, account.id, Stage.FULL, stepped_up=True)
    finally:
        room.close()
    record = person.record
    return Somebody(house, token, (record.birth_name, record.first_name, record.birth_date) if shown else ())


async def asked_for(house: Premises, person: Person, one: Somebody) -> str:
    """A patient asks at the desk who was told about them: the page of the extract as it is read, behind its address."""
    record, day = person.record, house.clock.now().date().isoformat()
    await one.asks("GET", paths.REVIEW)
    wanted = {"cabinet": str(person.practice.id), "nature": "calls", "du": day, "au": day}
    why = {"finalite": "request", "motif": "Demandé au comptoir", "naissance": record.birth_date.isoformat()}
    (key, *_) = _KEY.findall(await one.asks("POST", paths.REVIEW_PATIENT, **wanted, **why))
    whose = {pages.PRACTICE: str(person.practice.id), pages.PATIENT: key}
    await one.asks("POST", paths.EXTRACT_NEW, **whose)
    asked = {pages.ASKS: "patient", pages.CHECK: "in_person", pages.FIRST: day, pages.LAST: day}
    named = {pages.BORN: record.birth_date.isoformat(), pages.NAME: record.birth_name}
    return await one.asks("POST", paths.EXTRACTS, **whose, **asked, **named, **{pages.FIRST_NAME: record.first_name})


def choice_of(read: str) -> dict[str, str]:
    """What the form of an extract that was read sends with how it is given."""
    (seen,), (digest,) = _SEEN.findall(read), _DIGEST.findall(read)
    return {"vu": seen, "empreinte": digest}


async def _given(house: Premises, telephone: Telephone) -> dict[str, Any]:
    """A patient hears their appointments, asks who was told about them, and is given both files; what the JSON says."""
    person = house.population.people["several"]
    await telephone.prove(person)
    await telephone.press("1")
    await telephone.state()
    await telephone.judged()
    one = await somebody(house, person, Role.SUPERVISOR, Role.PRACTITIONER)
    read = await asked_for(house, person, one)
    path = read.partition("\n")[0]
    assert re.fullmatch(r"/extraits/[0-9a-f-]{36}", path), read
    await one.asks("GET", paths.EXTRACTS)
    house.clock.advance(1)  # what is given comes after what was read, and is no line of it
    assert "Dit au téléphone" in await one.asks("POST", f"{path}/remise", forme="pdf", **choice_of(read))
    given = await one.asks("POST", f"{path}/remise", forme="json", **choice_of(read))
    told: dict[str, Any] = json.loads(given.partition("\n")[2])
    async with house.running.database.practice(person.practice.id) as tx:
        query = "SELECT convert_from(body, 'UTF8') AS body FROM audit_record WHERE event LIKE 'extract.%'"
        bodies = [row.body for row in (await tx.connection.execute(text(query))).all()]
        subject = await tx.connection.execute(
            text("SELECT token FROM audit_subject WHERE patient_id = :id"), {"id": person.id}
        )
        known = await tx.connection.execute(
            text("SELECT id FROM audit_record WHERE subject = :whose"), {"whose": str(subject.scalar_one())}
        )
        theirs = set(known.scalars())
    assert {UUID(line["record"]) for line in told["lines"]} <= theirs, "each line has its record, and it is theirs"
    house.judge.leaves(Sink.LEDGER, "\n".join(bodies))
    return told


async def test_p1_nothing_of_the_file_is_in_an_extract_but_what_whoever_asks_has_shown(
    house: Premises, telephone: Telephone
) -> None:
    told = await _given(house, telephone)
    assert {"told", "proof", "looks"} <= {line["section"] for line in told["lines"]}
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))


async def test_p1_a_value_planted_in_an_extract_is_found(
    house: Premises, telephone: Telephone, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.clock.advance(60)  # behind what the test above may have put on record
    planted, line = canary(house), register_extract._line
    monkeypatch.setattr(register_extract, "_line", lambda *given: replace(line(*given), why=str(planted.value)))
    await _given(house, telephone)
    assert (Sink.PAGE, planted) in {(finding.sink, finding.canary) for finding in house.judge.findings}
