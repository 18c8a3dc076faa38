"""The pages of flows: who sees them, what they say, and that a picture comes as a picture."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from callcenter.console.flows import FlowPages
from callcenter.console.headers import POLICY
from callcenter.flow.facts import PROVED
from callcenter.flow.picture.words import FACTS
from callcenter.kernel.levels import Channel
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.scenarios import DIGEST, PICTURE, SCENARIO, ScenariosDouble
from tests.unit.console.wording import CONSOLE

PATH = f"/scenarios/{DIGEST}"


@asynccontextmanager
async def desk_with(scenarios: ScenariosDouble) -> AsyncIterator[Desk]:
    async with open_desk(pages=(FlowPages(scenarios),)) as desk:
        await desk.signed_in(roles=frozenset({"supervisor"}))
        yield desk


async def test_the_flows_that_run_are_listed_with_their_proof() -> None:
    async with desk_with(ScenariosDouble()) as desk:
        page = await desk.guest.get("/scenarios")
        assert page.status == 200
        assert f'href="{PATH}"' in page.text
        assert "accueil appels reçus prouvé, politique 2026-11-3 76, 2 étapes gardées 555555555555" in page.words


async def test_the_table_says_what_the_picture_shows() -> None:
    async with desk_with(ScenariosDouble()) as desk:
        page = await desk.guest.get(PATH)
        assert f'<img src="{PATH}/image.svg" alt="Les étapes du scénario' in page.text
        told = "D02 existence d’un rendez-vous, D03 date et heure du rendez-vous niveau 2, rendez-vous trouvé"
        assert f"{told} niveau 2, rendez-vous trouvé, téléphone du dossier en main" in page.words
        english = await desk.guest.get(PATH, headers={"Accept-Language": "en"})
        assert "D02 that there is an appointment, D03 date and time of the appointment level 2" in english.words
        # A fact that this page has no words for is shown all the same.
        assert "– référence reconnue, made:up référence reconnue" in page.words


async def test_a_flow_that_guards_nothing_says_so() -> None:
    scenario = replace(SCENARIO, channel=Channel.CONSOLE, guarded=0)
    async with desk_with(ScenariosDouble(shown=scenario, guarded=())) as desk:
        page = await desk.guest.get(PATH)
        assert "Aucune : ce scénario ne dit rien d’aucun patient." in page.words.replace("\xa0", " ")
        assert "script des télésecrétaires" in page.words
        assert "<table" not in page.text


async def test_the_picture_is_shown_whole_or_as_large_as_it_is() -> None:
    async with desk_with(ScenariosDouble()) as desk:
        large, whole = await desk.guest.get(PATH), await desk.guest.get(f"{PATH}?vue=entiere")
        assert '<div class="picture" role="region" tabindex="0"' in large.text
        assert '<div class="picture whole" role="region" tabindex="0"' in whole.text


async def test_a_picture_comes_as_one_under_the_strict_policy_and_packed() -> None:
    async with desk_with(ScenariosDouble()) as desk:
        picture = await desk.guest.get(f"{PATH}/image.svg")
        assert picture.text == PICTURE
        assert picture.headers["Content-Type"] == "image/svg+xml"
        assert picture.headers["Content-Security-Policy"] == POLICY
        assert picture.headers["X-Content-Type-Options"] == "nosniff"
        assert picture.headers["Cache-Control"] == "no-store"
        assert picture.headers["Content-Encoding"] in ("gzip", "deflate")


async def test_whoever_may_not_and_what_is_not_there_are_told_the_same() -> None:
    async with desk_with(ScenariosDouble()) as desk, desk_with(ScenariosDouble(theirs=False)) as other:
        paths = ["/scenarios", PATH, f"{PATH}/image.svg"]
        refused = [await other.guest.get(path) for path in paths]
        missing = await desk.guest.get(f"/scenarios/{'6' * 64}")
        assert {answer.status for answer in (*refused, missing)} == {404}
        told = {answer.words.partition("Référence")[0] for answer in (*refused, missing)}
        assert len(told) == 1


async def test_nobody_sees_a_flow_who_is_not_signed_in() -> None:
    async with open_desk(pages=(FlowPages(ScenariosDouble()),)) as desk:
        for path in ("/scenarios", PATH, f"{PATH}/image.svg"):
            answer = await desk.guest.get(path)
            assert answer.status == 303
            assert answer.location.startswith("/connexion")


async def test_no_word_of_a_flow_is_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    guarded = tuple(
        replace(one, name=evil, does=evil, tells=((evil, evil),), needs=(evil,), holds=(evil,))
        for one in ScenariosDouble().guarded
    )
    scenario = replace(SCENARIO, name=evil, policy=evil)
    async with desk_with(ScenariosDouble(shown=scenario, guarded=guarded)) as desk:
        for path in ("/scenarios", PATH):
            page = await desk.guest.get(path)
            assert "<img src=x" not in page.text
            assert "&lt;img src=x" in page.text


def test_facts_are_called_on_the_page_as_in_the_picture_beside_it() -> None:
    """The page has words of its own because they are translated. What is about the call it shows nowhere."""
    template = (CONSOLE / "templates" / "scenario_words.html").read_text(encoding="utf-8")
    words = dict(re.findall(r'^  "([a-z:>=0-9]+)": _\("([^"]+)"\),$', template, re.MULTILINE))
    assert words == {fact: said for fact, said in FACTS.items() if fact in PROVED}
