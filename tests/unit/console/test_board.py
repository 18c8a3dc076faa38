"""The live board: what it shows of each figure, that it says what each means, and for whom it is."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.app.supervising import marks_of, targets_of
from callcenter.console.board import Standing, in_short, live, percent, service, span
from callcenter.console.board_ports import Targets
from callcenter.console.supervision import Supervision
from callcenter.routing.statistics import Marks, Queue, Queued, Span
from callcenter.settings.sections import BoardSettings
from tests.unit.console.boards import DAY, MORNING, TARGETS, BoardsDouble
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
        assert "Qualité de service 73 % objectif ≥ 80 % ▲ à surveiller" in words
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
        told = re.search(r"<summary>Définitions et formules</summary>\s*<dl>(.*?)</dl>", page.text, re.DOTALL)
        assert told
        terms = re.findall(r"<dt>(.*?)</dt><dd>(.+?)</dd>", told[1], re.DOTALL)
        assert len(terms) == len(live(MORNING)) + len(span(DAY, TARGETS))
        assert all(term and words.strip() for term, words in terms)
        assert "Décrochés en 20\u00a0s au plus ÷ (appels dont l’attente est finie − abandons courts)." in told[1]
        assert "l’arrondi seul n’atteint jamais un objectif, ni 0 % ni 100 %." in page.words


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
    assert service(Span(offered=40, answered=40, within=within), TARGETS).standing is standing


def test_a_share_is_rounded_and_all_and_none_are_said_of_all_and_none_alone() -> None:
    shares = (2 / 3, 1 / 3, 0.29, 0.999, 1.0, 0.001, 0.0, 0.125)
    assert [percent(share) for share in shares] == [f"{one}\u00a0%" for one in (67, 33, 29, 99, 100, 1, 0, 13)]


@pytest.mark.parametrize(
    ("figures", "shown", "standing"),
    [
        (Span(offered=2000, answered=1599, within=1599, elsewhere=401), "79\u00a0%", Standing.NEAR),
        (Span(offered=2000, answered=1601, within=1601, elsewhere=399), "80\u00a0%", Standing.GOOD),
        (Span(offered=3, answered=2, within=2, elsewhere=1), "67\u00a0%", Standing.NEAR),
    ],
)
def test_a_share_that_misses_its_target_is_not_rounded_onto_it(figures: Span, shown: str, standing: Standing) -> None:
    told = service(figures, TARGETS)
    assert (told.shown, told.standing) == (shown, standing)


def test_a_share_that_is_over_what_it_may_be_is_not_rounded_down_to_it() -> None:
    figures = {one.key: one for one in span(Span(offered=1000, answered=946, abandoned=54), TARGETS)}
    assert (figures["abandonment_rate"].shown, figures["abandonment_rate"].standing) == ("6\u00a0%", Standing.NEAR)
    figures = {one.key: one for one in span(Span(offered=1000, answered=950, abandoned=50), TARGETS)}
    assert (figures["abandonment_rate"].shown, figures["abandonment_rate"].standing) == ("5\u00a0%", Standing.GOOD)


def test_calls_that_still_ring_are_in_no_rate() -> None:
    figures = Span(offered=10, answered=4, within=4, abandoned=1, short=1)
    assert figures.waiting == 5
    assert (figures.service_level, figures.answer_rate, figures.abandonment_rate) == (1.0, 0.8, 0.2)
    assert Span(offered=3).answer_rate is None, "nothing is known of any of them"


def test_a_wait_that_has_not_begun_for_us_is_none() -> None:
    ahead = Queue(Queued(1, NOW + timedelta(seconds=3)))
    assert in_short(ahead, replace(MORNING, total=ahead))[1].shown == "0:00"


def test_what_the_board_measures_against_is_set_and_begins_as_the_field_has_it() -> None:
    assert (marks_of(BoardSettings()), targets_of(BoardSettings())) == (
        Marks(timedelta(seconds=5), timedelta(seconds=20), timedelta(minutes=30)),
        Targets(0.8, 0.9, 0.05, timedelta(seconds=30), timedelta(seconds=120)),
    )
    own = BoardSettings(
        answered_within_seconds=30,
        short_seconds=10,
        late_callback_minutes=60,
        service_percent=90,
        answered_percent=95,
        abandoned_percent=3,
        speed_seconds=15,
        longest_seconds=60,
    )
    assert marks_of(own) == Marks(timedelta(seconds=10), timedelta(seconds=30), timedelta(minutes=60))
    assert targets_of(own) == Targets(0.9, 0.95, 0.03, timedelta(seconds=15), timedelta(seconds=60))
    assert service(Span(offered=100, answered=85, within=85, elsewhere=15), targets_of(own)).target == "≥ 90\u00a0%"
