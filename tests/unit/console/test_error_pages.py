"""Whoever is turned away reads what to do, in their own language, and why it was is in the log alone."""

from __future__ import annotations

import pytest

from callcenter.console.forms import LARGEST_FORM
from callcenter.console.ports import Overrun
from callcenter.console.troubles import Trouble, Turned
from callcenter.kernel.errors import Unavailable
from tests.unit.console.doubles import StaffDouble, open_desk
from tests.unit.console.test_languages import ENGLISH, french_in

RETRY = "Réessayer"


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_every_trouble_has_a_page_in_both_languages(trouble: Trouble) -> None:
    async with open_desk(StaffDouble(fails=Turned(trouble))) as desk:
        desk.guest.cookies["__Host-callcenter"] = "a" * 43
        french = await desk.guest.get("/compte")
        english = await desk.guest.get("/compte", ENGLISH)
        for page in (french, english):
            assert page.status == trouble.status
            assert page.text.count("<h1>") == 1
            assert page.text.count('<a class="button') >= 1
        assert french_in(french.words) != []
        assert french_in(english.words) == []


async def test_one_may_try_again_where_that_helps_and_nothing_is_sent_twice() -> None:
    for error in (Unavailable(), Overrun(), RuntimeError("of a test")):
        async with open_desk(StaffDouble(fails=error)) as desk:
            desk.guest.cookies["__Host-callcenter"] = "a" * 43
            page = await desk.guest.get("/compte?fait=session")
            assert 'href="/compte?fait=session">Réessayer' in page.text
            assert RETRY not in (await desk.guest.post("/compte/mot-de-passe")).words
            assert RETRY not in (await desk.guest.get("/compte?fait=//evil:80")).words


@pytest.mark.parametrize("path", ["/nothing", "/compte/cles/no-id/retrait"])
async def test_what_is_not_there_is_not_tried_again(path: str) -> None:
    async with open_desk() as desk:
        await desk.signed_in(confirmed=True)
        await desk.guest.get("/compte")
        page = await (desk.guest.get(path) if path == "/nothing" else desk.guest.post(path))
        assert page.status == 404
        assert RETRY not in page.words
        assert "Aller à l’accueil" in page.words


async def test_a_form_that_is_too_large_says_what_to_do() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/compte")
        page = await desk.guest.post("/compte/mot-de-passe", new_password="x" * LARGEST_FORM)
        assert page.status == 413
        assert "Raccourcissez ce que vous avez saisi" in page.words


async def test_a_session_that_is_over_says_so_and_leads_back() -> None:
    async with open_desk() as desk:
        desk.guest.cookies["__Host-callcenter"] = "a" * 43
        page = await desk.guest.follow(await desk.guest.get("/compte", ENGLISH))
        assert 'name="suite" value="/compte"' in page.text
        assert "Your session has ended" in (await desk.guest.get("/connexion?fin=1", ENGLISH)).words
