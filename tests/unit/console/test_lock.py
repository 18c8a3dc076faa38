"""The page of locks: what it shows to whom, and that its words tell nothing of a patient."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callcenter.console.supervision import Supervision
from tests.unit.console.boards import BoardsDouble
from tests.unit.console.doubles import open_desk
from tests.unit.console.incidents import IncidentsDouble
from tests.unit.console.locks import RELEASE, REQUEST, LocksDouble
from tests.unit.console.workplaces import CALL, TILLEULS

SUPERVISOR = frozenset({"supervisor"})


async def test_why_is_opened_by_a_form_alone_and_confirmed_where_it_was_read() -> None:
    locks = LocksDouble()
    async with open_desk(supervision=Supervision(BoardsDouble(), IncidentsDouble(), locks)) as desk:
        await desk.signed_in(roles=SUPERVISOR, confirmed=True)
        page = await desk.guest.get("/blocages")
        assert TILLEULS in page.words
        assert "Elle a mal noté." not in page.words, "looking opens nothing"
        assert "à confirmer avant le 26 novembre 2026 à 10 h 09" in page.words
        assert f"/blocages/{RELEASE}/confirmation" not in page.text
        assert (await desk.guest.get(f"/blocages/{RELEASE}/motif")).location == "/blocages"
        assert locks.done == []
        read = await desk.guest.post(f"/blocages/{RELEASE}/motif")
        assert "Elle a mal noté." in read.words
        assert f"/blocages/{RELEASE}/confirmation" in read.text
        done = await desk.guest.post(f"/blocages/{RELEASE}/confirmation")
        assert done.location == "/blocages?fait=confirme"
        assert "ne dit pas si l’appel concernait un patient" in (await desk.guest.follow(done)).words
        assert locks.done == [("read", RELEASE), (RELEASE,)]


async def test_without_a_fresh_second_factor_nothing_is_done_and_nothing_typed_is_lost() -> None:
    locks = LocksDouble()
    async with open_desk(supervision=Supervision(BoardsDouble(), IncidentsDouble(), locks)) as desk:
        await desk.signed_in(roles=SUPERVISOR, confirmed=False)
        page = await desk.guest.get("/blocages")
        assert "Confirmer mon identité" in page.words
        assert 'name="texte"' not in page.text, "nobody writes what cannot be sent"
        for path in ("motif", "confirmation"):
            sent = await desk.guest.post(f"/blocages/{RELEASE}/{path}")
            assert sent.location == "/confirmation?suite=%2Fblocages"
        again = await desk.guest.post("/blocages", reference=str(CALL), texte="Elle a mal noté son code.")
        assert again.status == 422
        assert "Elle a mal noté son code." in again.words
        assert "dans un autre onglet" in again.words
        assert locks.done == []


async def test_ones_own_request_has_no_button() -> None:
    locks = LocksDouble((replace(REQUEST, own=True),))
    async with open_desk(supervision=Supervision(BoardsDouble(), IncidentsDouble(), locks)) as desk:
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get("/blocages")
        assert "Un autre superviseur confirme." in page.words
        assert f"/blocages/{RELEASE}/confirmation" not in page.text


@pytest.mark.parametrize("said", ["x", "<b>", "demande&fait=confirme"])
async def test_an_address_says_nothing_of_its_own(said: str) -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        words = (await desk.guest.get(f"/blocages?fait={said}")).words
        assert "C’est fait" not in words
        assert (await desk.guest.post("/blocages", reference=f" {CALL}", texte="x")).status == 422


async def test_whoever_supervises_nothing_has_no_link_to_it() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=frozenset({"operator", "administrator"}))
        page = await desk.guest.get("/")
        assert "/blocages" not in page.text
        assert 'href="/incidents"' in page.text
