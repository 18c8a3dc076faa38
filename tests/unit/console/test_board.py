"""The live board: what it shows of each figure, that it says what each means, and for whom it is."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.console.board import Standing, in_short, live, percent, service, span
from callcenter.console.board_ports import Targets
from callcenter.console.supervision import Supervision
from callcenter.routing.statistics import Queue, Queued, Span
from tests.unit.console.boards import DAY, MORNING, BoardsDouble
from tests.unit.console.doubles import open_desk
from tests.unit.console.incidents import IncidentsDouble
from tests.unit.console.locks import LocksDouble
from tests.unit.console.workplaces import NOW

PAGES = ("/en-direct", "/en-direct/etat", "/en-direct/mur", "/en-direct/mur/etat")


async def test_the_board_shows_figures_with_target_word_and_sign() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=frozenset({"supervisor"}))
        page = await desk.guest.get("/en-direct")
        words = page.words
        assert page.status == 200
        assert "Attente maximale en cours 1:35 objectif ≤ 2:00 ✓ conforme" in words
        assert "Qualité de service 71 % objectif ≥ 80 % ▲ à surveiller" in words
        assert "Rappels en retard 1 objectif 0 ✕ hors objectif" in words
        assert "Taux de vérification 75 % 12 / 16" in words
        assert "Attente maximale 3:05 objectif ≤ 2:00 ✕ hors objectif" in words
        assert "Disponible 1 Télésecrétaire 1" in words
        assert "Repas 1 Télésecrétaire 3" in words
        assert "4 autres cabinets" in words
        assert 'aria-current="page">En direct' in page.text


async def test_each_figure_has_its_definition_and_formula_on_the_page() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=frozenset({"supervisor"}))
        page = await desk.guest.get("/en-direct")
        told = re.search(r'<dl class="definitions">(.*?)</dl>', page.text, re.DOTALL)
        assert told
        terms = re.findall(r"<dt>(.*?)</dt><dd>(.+?)</dd>", told[1], re.DOTALL)
        assert len(terms) == len(live(MORNING)) + len(span(DAY, Targets()))
        assert all(term and words.strip() for term, words in terms)
        assert "Décrochés en 20\u00a0s au plus ÷ (présentés − abandons courts)." in told[1]


async def test_the_wall_has_six_figures_and_no_name() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        page = await desk.guest.get("/en-direct/mur")
        assert page.text.count('class="tile ') == 6
        named = ("Télésecrétaire 2", "Télésecrétaire 3", "Tilleuls", "Port")
        assert [name for name in named if name in page.text] == []


async def test_whoever_supervises_nothing_has_no_board() -> None:
    async with open_desk(
        supervision=Supervision(BoardsDouble(supervises=False), IncidentsDouble(), LocksDouble())
    ) as desk:
        await desk.signed_in()
        for path in (*PAGES, "/en-direct/evenements"):
            assert (await desk.guest.get(path)).status == 404, path
        assert "/en-direct" not in (await desk.guest.get("/")).text


async def test_a_part_is_a_part_and_keeps_no_session() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        for path in ("/en-direct/etat", "/en-direct/mur/etat"):
            part = await desk.guest.get(path)
            assert "<html" not in part.text
            assert 'id="tableau"' in part.text
        assert desk.staff.used == 0


async def test_an_empty_day_is_no_failure() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        desk.boards.stands(total=Queue(), rows=(), people=(), quiet=6)
        words = (await desk.guest.get("/en-direct")).words
        assert "Personne n’est présent pour vos cabinets." in words
        assert "Aucun appel dans la file aujourd’hui." in words
        assert "Qualité de service – objectif ≥ 80" in words


@pytest.mark.parametrize(
    ("within", "standing"),
    [(40, Standing.GOOD), (32, Standing.GOOD), (31, Standing.NEAR), (25, Standing.NEAR), (23, Standing.BAD)],
)
def test_a_share_is_good_near_or_bad(within: int, standing: Standing) -> None:
    assert service(Span(offered=40, answered=40, within=within), Targets()).standing is standing


def test_a_share_is_never_rounded_up_to_what_is_not_reached() -> None:
    assert [percent(share) for share in (0.999, 1.0, 0.29, 0.7999)] == [
        f"{whole}\u00a0%" for whole in (99, 100, 29, 79)
    ]


def test_a_wait_that_has_not_begun_for_us_is_none() -> None:
    ahead = Queue(Queued(1, NOW + timedelta(seconds=3)))
    assert in_short(ahead, replace(MORNING, total=ahead))[1].shown == "0:00"
