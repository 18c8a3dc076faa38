"""The ways that somebody is shown: to pages that there are, and that are for them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest

from callcenter.console.home_ports import Waits
from callcenter.console.navigation import PLACES, ways, work_of
from tests.unit.console.doubles import ALICE, WELCOME, StaffDouble, open_desk


@dataclass(slots=True)
class WaitingDouble:
    """Implements ``Waiting``."""

    counted: Waits

    async def waits(self, token: str) -> Waits:
        return self.counted


ALL = [place.path for place in PLACES]
#: Whose pages are handed over with what stands behind them, which a desk of these tests does not have.
APART = frozenset({"/cabinets", "/administration"})


def shown(*roles: str) -> list[str]:
    return [way.path for way in ways(replace(ALICE, roles=frozenset(roles)), ALL, "/")]


@pytest.mark.parametrize(
    ("roles", "paths"),
    [
        ((), ["/", "/compte"]),
        (("operator",), ["/", "/poste", "/messages", "/compte"]),
        (("practitioner",), ["/", "/messages", "/cabinets", "/bris-de-glace", "/extraits", "/avis", "/compte"]),
        (
            ("administrator",),
            [
                "/",
                "/cabinets",
                "/registre",
                "/incidents",
                "/incidents/nouveau",
                "/scenarios",
                "/administration",
                "/compte",
            ],
        ),
        (
            ("supervisor",),
            [
                "/",
                "/poste",
                "/messages",
                "/cabinets",
                "/suivi",
                "/en-direct",
                "/bris-de-glace",
                "/extraits",
                "/registre",
                "/incidents",
                "/incidents/nouveau",
                "/scenarios",
                "/compte",
            ],
        ),
        (("supervisor", "administrator"), [path for path in ALL if path != "/avis"]),
    ],
)
def test_one_is_shown_what_is_for_ones_roles(roles: tuple[str, ...], paths: list[str]) -> None:
    assert shown(*roles) == paths


@pytest.mark.parametrize(
    ("roles", "behind"),
    [
        (("operator",), []),
        (("practitioner",), []),
        (("administrator",), []),
        (("supervisor",), ["/registre", "/incidents", "/scenarios", "/compte"]),
        (("supervisor", "administrator"), ["/registre", "/incidents", "/scenarios", "/administration", "/compte"]),
    ],
)
def test_whoever_has_many_ways_finds_what_is_seldom_gone_to_behind_one(
    roles: tuple[str, ...], behind: list[str]
) -> None:
    session = replace(ALICE, roles=frozenset(roles))
    assert [way.path for way in ways(session, ALL, "/") if way.behind] == behind


def test_no_way_leads_where_there_is_no_page() -> None:
    session = replace(ALICE, roles=frozenset({"operator"}))
    assert [way.path for way in ways(session, ["/", "/poste"], "/")] == ["/", "/poste"]
    assert [way.path for way in ways(None, ALL, "/")] == ["/", "/compte"]


@pytest.mark.parametrize(
    ("here", "current"),
    [
        ("/", {"/": "page"}),
        ("/messages", {"/messages": "page"}),
        ("/messages/{id}", {"/messages": "true"}),
        ("/ecarts", {"/incidents": "true"}),
    ],
)
def test_the_way_says_where_one_is(here: str, current: dict[str, str]) -> None:
    session = replace(ALICE, roles=frozenset({"supervisor"}))
    assert {way.path: way.current for way in ways(session, ALL, here) if way.current} == current
    assert not any(way.current for way in ways(session, ALL, "/messagerie"))


def test_one_is_at_one_place() -> None:
    """The page where an incident is declared has a way of its own, beside that to all of them."""
    session = replace(ALICE, roles=frozenset({"supervisor"}))
    here = "/incidents/nouveau"
    assert {way.path: way.current for way in ways(session, ALL, here) if way.current} == {here: "page"}


async def test_the_pages_show_the_ways_whose_doors_stand() -> None:
    everything = replace(ALICE, roles=frozenset({"operator", "supervisor", "practitioner", "administrator"}))
    async with open_desk(StaffDouble(account=everything, welcomed=WELCOME)) as desk:
        await desk.signed_in()
        page = await desk.guest.get("/compte")
        found = re.findall(r'<a href="([^"]*)"(?: aria-current="(\w+)")?>', page.text.partition("</nav>")[0])
        assert [path for path, current in found if current == "page"] == ["/compte"]
        assert set(ALL) - {path for path, _ in found} == APART
        for path, _ in found:
            assert (await desk.guest.get(path)).status == 200


@pytest.mark.parametrize(
    ("roles", "work"),
    [
        ((), "/"),
        (("operator",), "/poste"),
        (("supervisor",), "/poste"),
        (("practitioner",), "/messages"),
        (("administrator",), "/administration"),
        (("administrator", "practitioner"), "/messages"),
        (("administrator", "operator", "practitioner"), "/poste"),
    ],
)
async def test_whoever_has_no_work_at_the_workplace_is_led_to_where_theirs_is(
    roles: tuple[str, ...], work: str
) -> None:
    assert work_of(replace(ALICE, roles=frozenset(roles))) == work
    async with open_desk() as desk:
        await desk.signed_in(roles=frozenset(roles))
        page = await desk.guest.get("/poste")
        assert (page.status, page.location) == ((200, "") if work in ("/", "/poste") else (303, work))


async def test_the_first_page_leads_to_ones_places_and_counts_what_waits() -> None:
    waiting = WaitingDouble(Waits(calls=2, messages=1, follow_ups=3, locks=1))
    async with open_desk(waiting=waiting) as desk:
        await desk.signed_in(roles=frozenset({"supervisor", "practitioner"}))
        page = await desk.guest.get("/")
        main = page.text[page.text.index('id="lieux"') : page.text.index('id="cabinets"')]
        links = re.findall(r'href="([^"]+)"', main)
        assert links[:2] == ["/poste", "/messages"]
        assert "/blocages" in links
        for words in ("2 appels en attente", "1 message à lire", "3 suites à donner", "1 blocage à lever"):
            assert words in page.words
        waiting.counted = Waits()
        page = await desk.guest.get("/")
        assert "/blocages" not in page.text
        assert not re.search(r"[0-9] (?:appel|message|suite|blocage)", page.words), "nothing waits: no figure"
