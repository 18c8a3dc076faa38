"""Pages in the language of whoever reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache

import pytest

from callcenter.console import dates
from callcenter.console.words import Language
from tests.unit.console.doubles import INVITATION, open_desk
from tests.unit.console.test_words import FILES
from tests.unit.console.wording import messages, translated

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}


@cache
def sentences() -> frozenset[str]:
    """French that is other than its English: what is filled in is no message, and single words stand in names too."""
    same = {entry.one for path in FILES.values() for entry in translated(path) if entry.one in entry.forms}
    return frozenset(one for one, _ in messages() if " " in one.strip() and "%" not in one) - same


def french_in(words: str) -> list[str]:
    """Messages that stand in a page's words as they are in French, and ought to be in English."""
    return sorted(one for one in sentences() if f" {one.strip()} " in f" {words} ")


async def test_a_browser_reads_its_own_language() -> None:
    async with open_desk() as desk:
        french = await desk.guest.get("/connexion")
        english = await desk.guest.get("/connexion", headers=ENGLISH)
        assert '<html lang="fr">' in french.text
        assert '<html lang="en">' in english.text
        assert "Identifiant" in french.words
        assert "Login Password Continue" in english.words
        assert french_in(french.words) != []
        assert french_in(english.words) == []


async def test_every_page_of_an_account_is_in_english() -> None:
    async with open_desk() as desk:
        for path in (f"/invitation/{INVITATION}", "/invitation/none", "/nothing"):
            assert french_in((await desk.guest.get(path, headers=ENGLISH)).words) == [], path
        await desk.signed_in(confirmed=True)
        for path in ("/", "/poste", "/compte", "/confirmation"):
            page = await desk.guest.get(path, headers=ENGLISH)
            assert page.status == 200, path
            assert french_in(page.words) == [], path


async def test_a_refusal_and_a_counted_problem_are_in_english() -> None:
    async with open_desk() as desk:
        await desk.guest.get("/connexion")
        both = await desk.guest.post("/connexion", headers=ENGLISH, login="", password="")
        assert "2 things need correcting" in both.words
        one = await desk.guest.post("/connexion", headers=ENGLISH, login="operatrice1", password="")
        assert "One thing needs correcting" in one.words
        stale = await desk.guest.send("/connexion", {"preuve": "none"}, headers=ENGLISH)
        assert stale.status == 403
        assert "This form is no longer valid" in stale.words


MORNING = datetime(2026, 12, 1, 8, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [
        (Language.FRENCH, "1er décembre 2026", "1er décembre 2026 à 9 h 05"),
        (Language.ENGLISH, "1 December 2026", "1 December 2026 at 9:05"),
    ],
)
def test_days_and_moments(language: Language, day: str, moment: str) -> None:
    assert dates.day(date(2026, 12, 1), language).replace("\xa0", " ") == day
    assert dates.moment(MORNING, language).replace("\xa0", " ") == moment


async def test_an_account_reads_what_it_has_chosen_whatever_the_browser_asks() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        page = await desk.guest.get("/compte")
        assert 'name="langue" value="" checked' in page.text
        chosen = await desk.guest.follow(await desk.guest.post("/compte/langue", langue="en"))
        assert "The pages are in the language that you chose." in chosen.words
        assert 'name="langue" value="en" checked' in chosen.text
        assert french_in((await desk.guest.get("/", headers={"Accept-Language": "fr"})).words) == []
        await desk.guest.post("/compte/langue", langue="")
        assert french_in((await desk.guest.get("/")).words) != []


async def test_a_refusal_is_in_the_language_of_the_account() -> None:
    async with open_desk() as desk:
        await desk.signed_in(language=Language.ENGLISH)
        refused = await desk.guest.send("/compte/langue", {"preuve": "none", "langue": "fr"})
        assert refused.status == 403
        assert "This form is no longer valid" in refused.words


@pytest.mark.parametrize("wanted", ["de", "EN", "en\x00", "e" * 400])
async def test_no_other_language_is_taken(wanted: str) -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/compte")
        assert (await desk.guest.post("/compte/langue", langue=wanted)).status == 400
        assert '<html lang="fr">' in (await desk.guest.get("/compte")).text
