"""What a supervisor is given of a call in which a patient was told their appointments: pages, paper, files."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from callcenter.console import paths
from callcenter.console.cookies import SESSION
from callcenter.console.forms import PROOF
from callcenter.reports import describing
from callcenter.reports.values import Fact, Kind
from callcenter.staff.administration import NewAccount
from callcenter.staff.sessions import Stage
from callcenter.staff.values import Role, day_of
from tests.attack.leak_oracle.canaries import Canary
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.shift import BY
from tests.attack.leak_oracle.taps import headers_of
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.test_the_oracle_at_work import canary
from tests.attack.leak_oracle.verdict import Sink
from tests.attack.reviewed.test_what_is_shown import unescaped

_PROOF = re.compile(rf'name="{PROOF}" value="([0-9a-f]+)"')
_CALL = re.compile(r'href="(/suivi/appels/[0-9a-f-]{36})"')
#: Times and days of the house's own clock, names of ours, and sealed keys: no canary's.
_OUR_OWN = re.compile(
    r'<time[^>]*>[^<]*</time>|data-after="\d+"|\+?\d+(?::\d\d){1,2}|\d\d/\d\d/\d{4}|\d{4}-\d\d-\d\d|'
    r'value="[A-Za-z0-9_=-]{60,}"|\b[0-9a-f]{32,}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b'
)


async def _supervisor(house: Premises, practice: Any) -> str:
    """The session of somebody who supervises a practice."""
    room = house.shift._room()
    try:
        login = f"superviseur-{practice.organisation_id.hex[:8]}-{uuid4().hex[:6]}"
        account = await room.administration.create(NewAccount(practice.organisation_id, login, "Superviseur"), BY)
        portfolio = await room.portfolios.create(practice.organisation_id, login, BY, whole=True)
        await room.administration.grant(account, Role.SUPERVISOR, portfolio, BY)
        await room.administration.sign(account.id, day_of(house.clock.now()), BY)
        async with house.running.database.house() as connection:
            return await room.sessions.begin(connection, account.id, Stage.FULL)
    finally:
        room.close()


async def _reviewed(house: Premises, telephone: Telephone) -> int:
    """A patient hears their appointments, and a supervisor looks at all that there is of it; how many answers came."""
    person = house.population.people["several"]
    await telephone.prove(person)
    await telephone.press("1")
    await telephone.state()
    await telephone.judged()
    headers = {"Cookie": f"{SESSION}={await _supervisor(house, person.practice)}", "Origin": house.running.console}
    day = house.clock.now().date().isoformat()
    came = 0

    async def asks(method: str, path: str, **fields: str) -> str:
        nonlocal came
        url = house.running.console + path
        async with house.session.request(method, url, headers=headers, data=fields or None) as response:
            assert response.status == 200, path
            body = await response.read()
        text = unescaped(body).decode("cp1252", "replace") if body.startswith(b"%PDF") else body.decode()
        house.judge.leaves(Sink.PAGE, _OUR_OWN.sub("", f"{headers_of(response.headers)}\n{text}"))
        came += 1
        return text

    (proof, *_) = _PROOF.findall(await asks("GET", paths.REVIEW))
    wanted = {PROOF: proof, "cabinet": str(person.practice.id), "du": day, "au": day}
    for kind in Kind:
        await asks("POST", paths.REVIEW, **wanted, nature=kind.value)
        await asks("POST", paths.REVIEW_EXPORT, **wanted, nature=kind.value)
    call = _CALL.findall(await asks("POST", paths.REVIEW, **wanted, nature="calls", issue="granted"))[0]
    assert "date et heure du rendez-vous" in await asks("GET", call)
    assert "date et heure du rendez-vous" in await asks("POST", f"{call}/pdf", **{PROOF: proof})
    return came


async def test_p1_nothing_of_a_patient_is_in_what_a_supervisor_is_given(house: Premises, telephone: Telephone) -> None:
    assert await _reviewed(house, telephone) > 10
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))


async def test_p1_a_value_planted_in_a_review_is_found(
    house: Premises, telephone: Telephone, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted: Canary = canary(house)
    monkeypatch.setattr(describing, "facts_of", lambda *_: (Fact("refs", str(planted.value)),))
    await _reviewed(house, telephone)
    assert (Sink.PAGE, planted) in {(finding.sink, finding.canary) for finding in house.judge.findings}
