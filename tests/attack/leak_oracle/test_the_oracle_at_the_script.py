"""What the script shows to an operator whose caller has proved nothing, while they try whatever it offers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from callcenter.app.by_script import OperatorsScripts
from callcenter.console import paths
from callcenter.console.cookies import SESSION
from callcenter.console.forms import PROOF
from callcenter.console.script_fields import CHOICE, DOCUMENT, TYPED
from callcenter.console.script_ports import Screen
from callcenter.console.workplace import PART
from tests.attack.leak_oracle.canaries import Canary
from tests.attack.leak_oracle.people import Person
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.taps import headers_of
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.test_the_oracle_at_work import _OUR_OWN, canary
from tests.attack.leak_oracle.verdict import Sink

#: Answers of one walk: each option of each screen is tried before any is tried again.
ANSWERS = 60
#: Clocks that run, hours of the register, numbers of screens, and the example of a date.
_TIMES = re.compile(rf'<time[^>]*>[^<]*</time>|\b\d+\xa0h\xa0\d\d ·|name="{DOCUMENT}" value="\d+"|05/03/1948|05031948')

_FORM = re.compile(r'<form method="post" action="(/poste/appels/[0-9a-f-]{36}/scenario)".*?</form>', re.DOTALL)
_BUTTON = re.compile(rf'<button name="{CHOICE}" value="([^"]*)".*?>(.*?)</button>', re.DOTALL)
_FIELD = re.compile(rf'<(?:input|textarea|select)[^>]* name="{TYPED}([a-z_.]+)"[^>]*')
_RADIO = re.compile(rf'<input type="radio"[^>]* name="{TYPED}([a-z_.]+)" value="([^"]*)"')
_SAID = re.compile(r'id="a-dire"[^>]*>(.*?)</div>', re.DOTALL)


class Curious:
    """An operator who tries everything, and claims the caller to be somebody whose birth date and number they know.

    Arguments:
        screens: that they have come to, by their words.
    """

    def __init__(self, house: Premises, token: str, person: Person) -> None:
        self._house = house
        self._person = person
        self._headers = {"Cookie": f"{SESSION}={token}", "Origin": house.running.console}
        self._tried: Counter[tuple[str, str]] = Counter()
        self.screens: set[str] = set()

    async def walks(self, answers: int = ANSWERS) -> None:
        page = await self._asks("GET", paths.WORKPLACE)
        for _ in range(answers):
            form = _FORM.search(page)
            if form is None:
                break
            page = await self._asks("POST", form[1], self._answer(page, form[0]))

    def _answer(self, page: str, form: str) -> dict[str, str]:
        said = unescape(" ".join(_SAID.findall(page)))
        self.screens.add(said)
        offered = dict(_BUTTON.findall(form))
        tried = {key: (self._tried[said, key], "Clore" in words) for key, words in offered.items()}
        choice = min(offered, key=tried.__getitem__)
        self._tried[said, choice] += 1
        (document,) = re.findall(rf'name="{DOCUMENT}" value="(\d+)"', form)
        typed = {TYPED + name: self._typed(name) for name in _FIELD.findall(form)}
        typed |= {TYPED + name: value for name, value in reversed(_RADIO.findall(form))}
        (proof, *_) = re.findall(rf'name="{PROOF}" value="([0-9a-f]+)"', form)
        return {PROOF: proof, PART: "1", DOCUMENT: document, CHOICE: choice, **typed}

    def _typed(self, name: str) -> str:
        """What is claimed is right; all else is nobody's, since a form shows again what was typed into it."""
        if name == "birth_date":
            return f"{self._person.birth_date:%d%m%Y}"
        if name == "telephone":
            return self._person.contacts[0].phone
        return "0199001234" if name == "number" else "Rappeler, merci."

    async def _asks(self, method: str, path: str, fields: dict[str, str] | None = None) -> str:
        url = self._house.running.console + path
        async with self._house.session.request(method, url, headers=self._headers, data=fields) as response:
            assert response.status == 200, path
            page = await response.text()
        whole = f"{headers_of(response.headers)}\n{page}"
        self._house.judge.leaves(Sink.PAGE, _OUR_OWN.sub("", _TIMES.sub("", whole)))
        return page


#: Days for which a training holds still; one that is over shows nothing, whatever is proved (SM-02).
TRAININGS = {"trained": timedelta(days=365), "whose training is over": timedelta(days=-1)}


async def _is_curious(house: Premises, telephone: Telephone, training: timedelta, answers: int = ANSWERS) -> Curious:
    """A caller who proves nothing is taken, and the operator tries whatever there is."""
    person = house.population.people["several"]
    await house.shift.begins(person.practice)
    await house.shift.is_trained(person.practice, (house.clock.now() + training).date())
    curious = Curious(house, await house.shift.signs_in(person.practice), person)
    await telephone.waits(next(iter(person.practice.numbers)))
    leg = await telephone.taken_at(house.shift.desk(person.practice))
    assert leg is not None, "no operator was rung"
    await curious.walks(answers)
    await telephone.left_by(leg)
    return curious


@pytest.mark.parametrize("training", TRAININGS)
async def test_p1_an_operator_whose_caller_has_proved_nothing_is_shown_nothing_of_anybody(
    house: Premises, telephone: Telephone, training: str
) -> None:
    house.judge.sinks.clear()
    curious = await _is_curious(house, telephone, TRAININGS[training])
    # Who works at a practice is nobody's secret: whom a message is for, and with whom to book, is asked of everybody.
    found = [one for one in house.judge.findings if one.canary.field != "practitioner.name"]
    assert not found, "\n".join(map(str, found))
    assert Sink.PAGE in house.judge.sinks
    assert len(curious.screens) >= 12, curious.screens


async def test_p1_a_value_planted_on_a_screen_is_found(
    house: Premises, telephone: Telephone, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted: Canary = canary(house)
    made = OperatorsScripts._screen

    def with_a_name(self: OperatorsScripts, *given: object) -> Screen | None:
        screen = made(self, *given)  # type: ignore[arg-type]
        return None if screen is None else replace(screen, said=(*screen.said, str(planted.value)))

    monkeypatch.setattr(OperatorsScripts, "_screen", with_a_name)
    await _is_curious(house, telephone, TRAININGS["trained"], answers=1)
    assert (Sink.PAGE, planted) in {(finding.sink, finding.canary) for finding in house.judge.findings}
