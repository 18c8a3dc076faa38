"""The ways that somebody is shown: to pages that there are, and that are for them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from callcenter.console.navigation import PLACES, ways
from tests.unit.console.doubles import ALICE, WELCOME, StaffDouble, open_desk

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
        (("practitioner",), ["/", "/messages", "/cabinets", "/bris-de-glace", "/compte"]),
        (("administrator",), ["/", "/cabinets", "/incidents", "/incidents/nouveau", "/administration", "/compte"]),
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
                "/incidents",
                "/incidents/nouveau",
                "/compte",
            ],
        ),
        (("supervisor", "administrator"), ALL),
    ],
)
def test_one_is_shown_what_is_for_ones_roles(roles: tuple[str, ...], paths: list[str]) -> None:
    assert shown(*roles) == paths


def test_no_way_leads_where_there_is_no_page() -> None:
    session = replace(ALICE, roles=frozenset({"operator"}))
    assert [way.path for way in ways(session, ["/", "/poste"], "/")] == ["/", "/poste"]
    assert [way.path for way in ways(None, ALL, "/")] == ["/", "/compte"]


@pytest.mark.parametrize(
    ("here", "current"),
    [("/", {"/": "page"}), ("/messages", {"/messages": "page"}), ("/messages/{id}", {"/messages": "true"})],
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
