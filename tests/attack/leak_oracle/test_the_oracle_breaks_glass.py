"""What leaves around broken glass: every page but that of the topic, lists, papers, the inbox, the ledger."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from callcenter.console import glass as pages
from callcenter.console import paths
from callcenter.console.cookies import SESSION
from callcenter.console.forms import PROOF
from callcenter.staff.administration import NewAccount
from callcenter.staff.sessions import Stage
from callcenter.staff.values import Role, day_of
from tests.attack.leak_oracle.people import Person
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.shift import BY
from tests.attack.leak_oracle.taps import headers_of
from tests.attack.leak_oracle.test_the_oracle_at_work import canary
from tests.attack.leak_oracle.test_the_oracle_reviews import _OUR_OWN, _PROOF
from tests.attack.leak_oracle.verdict import Sink
from tests.attack.reviewed.test_what_is_shown import unescaped
from tests.integration.breaking import SWITCH

_OURS = re.compile(
    rf"{_OUR_OWN.pattern}|\b\d+ \w+ 2026 à \d+\xa0h\xa0\d\d\b|\b\d+\xa0h\xa0\d\d\b|(?:\d\d\xa0){{4}}\d\d"
)


class Supervisor:
    """Somebody at a browser, whose pages are judged."""

    def __init__(self, house: Premises, token: str) -> None:
        self._house = house
        self._headers = {"Cookie": f"{SESSION}={token}", "Origin": house.running.console}
        self._proof = ""

    async def asks(self, method: str, path: str, *, judged: bool = True, **fields: str) -> str:
        given = {PROOF: self._proof, **fields} if method == "POST" else None
        url = self._house.running.console + path
        async with self._house.session.request(method, url, headers=self._headers, data=given) as response:
            assert response.status == 200, (path, response.status)
            body = await response.read()
        words = unescaped(body).decode("cp1252", "replace") if body.startswith(b"%PDF") else body.decode()
        if found := _PROOF.findall(words):
            self._proof = found[0]
        if judged:
            self._house.judge.leaves(Sink.PAGE, _OURS.sub("", f"{headers_of(response.headers)}\n{words}"))
        return f"{response.url.path}\n{words}"


async def _supervisor(house: Premises, practice: Any) -> Supervisor:
    """Somebody who supervises a practice, is trained, and has given a second factor just now."""
    room = house.shift._room()
    try:
        login = f"glace-{uuid4().hex[:8]}"
        today = day_of(house.clock.now())
        account = await room.administration.create(NewAccount(practice.organisation_id, login, "Superviseur"), BY)
        portfolio = await room.portfolios.create(practice.organisation_id, login, BY, whole=True)
        await room.administration.grant(account, Role.SUPERVISOR, portfolio, BY)
        await room.administration.sign(account.id, today, BY)
        await room.administration.trained(account.id, today.replace(year=today.year + 1, day=1), BY)
        async with house.running.database.house() as connection:
            return Supervisor(house, await room.sessions.begin(connection, account.id, Stage.FULL, stepped_up=True))
    finally:
        room.close()


async def _broken(house: Premises, person: Person) -> str:
    """The glass is broken for somebody, and another supervisor reviews it; what the page of the topic said."""
    practice = person.practice
    async with house.running.database.house() as connection:
        await connection.execute(text(SWITCH.format(practice=practice.id, value="on")))
    one, other = await _supervisor(house, practice), await _supervisor(house, practice)
    await one.asks("GET", paths.GLASS)
    record, day = person.record, house.clock.now().date().isoformat()
    own = await one.asks(
        "POST",
        paths.GLASS,
        **{pages.PRACTICE: str(practice.id), pages.ASKS: "rescue", pages.WHO: "Le service", pages.WORDS: "x" * 20},
        **{pages.NUMBER: "+33199000042", pages.BORN: record.birth_date.isoformat()},
        **{pages.NAME: record.birth_name, pages.FIRST_NAME: record.first_name},
    )
    path = own.partition("\n")[0]
    assert re.fullmatch(r"/bris-de-glace/[0-9a-f-]{36}", path), own
    topic = await one.asks("POST", f"{path}/rubrique", judged=False, rubrique="identity")
    await one.asks("GET", path)
    await one.asks("GET", paths.MESSAGES)
    await other.asks("GET", paths.GLASS)
    await other.asks("GET", path)
    await other.asks("POST", f"{path}/relecture", verdict="unjustified", texte="Personne n’a rappelé.")
    await other.asks("GET", paths.REVIEW)
    wanted = {"cabinet": str(practice.id), "du": day, "au": day}
    for kind in ("disclosures", "refusals", "staff"):
        await other.asks("POST", paths.REVIEW, **wanted, nature=kind)
        listed = await other.asks("POST", paths.REVIEW_EXPORT, **wanted, nature=kind)
        assert ("bris" in listed.lower() or "Communication" in listed) or kind == "refusals"
    async with house.running.database.practice(practice.id) as tx:
        bodies = (
            await tx.connection.execute(text("SELECT convert_from(body, 'UTF8') AS body FROM audit_record"))
        ).all()
    house.judge.leaves(Sink.LEDGER, "\n".join(row.body for row in bodies if "glass" in row.body))
    return topic


async def test_p1_nothing_of_a_patient_is_around_broken_glass_but_on_the_page_of_its_topic(house: Premises) -> None:
    person = house.population.people["several"]
    topic = await _broken(house, person)
    assert person.record.birth_name in topic, "it was opened"
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))


async def test_p6_of_a_restricted_contact_nothing_is_anywhere(house: Premises) -> None:
    person = house.population.people["several"]
    await house.office.mark(person, "contact_restricted")
    try:
        topic = await _broken(house, person)
    finally:
        await house.office.restore(person.practice.id)
    house.judge.leaves(Sink.PAGE, _OURS.sub("", topic))
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))


async def test_p1_a_value_planted_on_a_page_of_broken_glass_is_found(
    house: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = canary(house)
    monkeypatch.setattr("callcenter.app.by_glass.in_pairs", lambda _: str(planted.value))
    await _broken(house, house.population.people["several"])
    assert (Sink.PAGE, planted) in {(finding.sink, finding.canary) for finding in house.judge.findings}
