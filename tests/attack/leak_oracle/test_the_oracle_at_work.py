"""What an operator's browser is given while they talk with a verified patient: page, stream, pass."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from callcenter.app import own_work
from callcenter.console import paths, streams
from callcenter.console.cookies import SESSION
from callcenter.console.forms import PROOF
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.practice import correspondence
from callcenter.practice.inbox import Inbox
from callcenter.telephony import access_tokens
from tests.attack.leak_oracle.canaries import Canary
from tests.attack.leak_oracle.people import Person
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.taps import headers_of
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.verdict import Sink

_PROOF = re.compile(rf'name="{PROOF}" value="([0-9a-f]+)"')
#: Times of the house's own clock, and names of ours: no canary's.
_OUR_OWN = re.compile(
    r'data-(?:since|until|now)="\d+"|\b[0-9a-f]{32,}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b'
    r"|\b2026 à \d+\xa0h\xa0\d\d\b"
)


class Browser:
    """The browser of whoever answers."""

    def __init__(self, house: Premises, token: str) -> None:
        self._house = house
        self._headers = {"Cookie": f"{SESSION}={token}", "Origin": house.running.console}

    async def looks(self) -> None:
        """Load the workplace, and the part of it that is loaded again and again; have a pass made."""
        house = self._house
        for path in (paths.WORKPLACE, paths.WORKPLACE_STATE, paths.HOME, paths.MESSAGES):
            async with house.session.get(house.running.console + path, headers=self._headers) as response:
                assert response.status == 200
                page = await response.text()
                house.judge.leaves(Sink.PAGE, _OUR_OWN.sub("", f"{headers_of(response.headers)}\n{page}"))
            if path == paths.WORKPLACE:
                await self._has_a_pass_made(page)

    async def _has_a_pass_made(self, page: str) -> None:
        (proof, *_) = _PROOF.findall(page)
        url = self._house.running.console + paths.WORKPLACE_PASS
        async with self._house.session.post(url, headers=self._headers, data={PROOF: proof}) as response:
            assert response.status == 200
            token = str((await response.json())["token"])
        for part in token.split(".")[:2]:
            readable = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
            self._house.judge.leaves(Sink.PASS, _OUR_OWN.sub("", re.sub(r'"(?:nbf|exp)":\d+|-\d{10}', "", readable)))

    @asynccontextmanager
    async def hears_what_is_new(self) -> AsyncIterator[None]:
        """A stream stands meanwhile; what came on it is judged."""
        url = self._house.running.console + paths.WORKPLACE_NEWS
        async with self._house.session.get(url, headers=self._headers) as response:
            yield
            came = await response.content.readany()
            self._house.judge.leaves(Sink.STREAM, f"{headers_of(response.headers)}\n{came.decode()}")


async def _leaves_a_message(house: Premises, person: Person) -> None:
    """What an operator has written down of a patient waits for the practice."""
    running, mobile = house.running, person.contacts[0].phone
    async with running.database.practice(person.practice.id) as tx:
        await Inbox(running.sealer).leave(
            tx,
            id=new_id(SystemRandom()),
            reason="other",
            number=mobile,
            call_reference=None,
            now=house.clock.now(),
            text=f"{person.record.used_first_name} {person.record.used_name} : {mobile}",
            written_by=house.shift.on_call(person.practice),
        )


async def _talks(house: Premises, telephone: Telephone) -> None:
    """A patient proves who they are, then asks for a person; whoever takes the call looks at their page throughout."""
    person = house.population.people["several"]
    await house.shift.begins(person.practice)
    await _leaves_a_message(house, person)
    browser = Browser(house, await house.shift.signs_in(person.practice))
    async with browser.hears_what_is_new():
        await telephone.prove(person)
        await telephone.press("0")
        await browser.looks()
        leg = await telephone.taken_at(house.shift.desk(person.practice))
        assert leg is not None, "no operator was rung"
        await browser.looks()
        await telephone.left_by(leg)
        await browser.looks()
    await telephone.judged()


def canary(house: Premises) -> Canary:
    """Something of the patient who calls."""
    return next(
        one for one in house.population.canaries() if (one.owner, one.field) == ("several", "patient.used_name")
    )


async def test_p1_nothing_of_a_verified_patient_is_on_the_page_the_stream_or_the_pass(
    house: Premises, telephone: Telephone
) -> None:
    house.judge.sinks.clear()
    await _talks(house, telephone)
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))
    assert {Sink.PAGE, Sink.STREAM, Sink.PASS} <= house.judge.sinks


def on_the_page(patch: pytest.MonkeyPatch, planted: Canary) -> None:
    name = own_work.practice_name

    async def and_who_calls(*given: object) -> str:
        return f"{await name(*given)} ({planted.value})"  # type: ignore[arg-type]

    patch.setattr(own_work, "practice_name", and_who_calls)


def on_a_list(patch: pytest.MonkeyPatch, planted: Canary) -> None:
    heading = correspondence._heading

    def and_what_it_says(row: Any) -> correspondence.Heading:
        return replace(heading(row), whom=str(planted.value))

    patch.setattr(correspondence, "_heading", and_what_it_says)


def in_a_pass(patch: pytest.MonkeyPatch, planted: Canary) -> None:
    made = access_tokens.Passes.made

    def for_whom(self: access_tokens.Passes, identity: str, *given: object) -> object:
        return made(self, f"{identity}_{planted.value}", *given)  # type: ignore[arg-type]

    patch.setattr(access_tokens.Passes, "made", for_whom)


def on_the_stream(patch: pytest.MonkeyPatch, planted: Canary) -> None:
    patch.setattr(streams, "LOOK", f"event: look\ndata: {planted.value}\n\n".encode())


PLANTS: list[tuple[Sink, Callable[[pytest.MonkeyPatch, Canary], None]]] = [
    (Sink.PAGE, on_the_page),
    (Sink.PAGE, on_a_list),
    (Sink.PASS, in_a_pass),
    (Sink.STREAM, on_the_stream),
]


@pytest.mark.parametrize(("sink", "plant"), PLANTS)
async def test_p1_a_value_planted_at_work_is_found(
    house: Premises,
    telephone: Telephone,
    monkeypatch: pytest.MonkeyPatch,
    sink: Sink,
    plant: Callable[[pytest.MonkeyPatch, Canary], None],
) -> None:
    planted = canary(house)
    plant(monkeypatch, planted)
    await _talks(house, telephone)
    assert (sink, planted) in {(finding.sink, finding.canary) for finding in house.judge.findings}
