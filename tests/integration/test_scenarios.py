"""The pages of flows on the flows that ship: who sees them, and that page and picture are about the same."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from threading import Thread, current_thread
from typing import Any

import pytest

from callcenter.app import by_flows
from callcenter.app.by_flows import StaffFlows
from callcenter.calls.flows import Flows
from callcenter.calls.shelf import Shelf
from callcenter.console.flows import FlowPages
from callcenter.flow.draw import draw
from callcenter.flow.picture.guards import Guards, guards_of
from callcenter.flow.proof import Proven, prove
from callcenter.kernel.clock import DrivenClock
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.practice_office import flows
from tests.integration.supervising import Supervised, supervised
from tests.publishing import loaded, reworded


@pytest.fixture(scope="module")
def running() -> Flows:
    return flows().current


@pytest.fixture
def shelf(running: Flows) -> Shelf:
    return Shelf(running)


@pytest.fixture
async def house(database: Database, sealer: Sealer, clock: DrivenClock, shelf: Shelf) -> AsyncIterator[Supervised]:
    async with supervised(
        database, sealer, clock, also=lambda room: {"pages": (FlowPages(StaffFlows(room, shelf)),)}
    ) as house:
        yield house


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR])
async def test_each_flow_that_runs_is_shown_with_each_step_that_its_proof_guards(
    house: Supervised, running: Flows, role: Role
) -> None:
    await house.signed_in(await house.staff("quelqu-un", role))
    listed = await house.guest.get("/scenarios")
    paths = re.findall(r'href="(/scenarios/[0-9a-f]{64})"', listed.text)
    assert sorted(paths) == sorted(f"/scenarios/{digest}" for digest in running.by_digest)
    for path in paths:
        flow = running.by_digest[path.rpartition("/")[2]]
        proof = prove(flow, running.book, running.policy)
        assert isinstance(proof, Proven)
        page, picture = await house.guest.get(path), await house.guest.get(f"{path}/image.svg")
        rows = re.findall(r'<td data-label="Étape"><div>([a-z_]+)</div>', page.text)
        assert rows == [one.step for one in proof.summary]
        assert "niveau 1" not in page.words, "a level stands for those below it"
        assert f"empreinte {flow.digest[:12]}" in picture.text
        assert all(f"<title>{name}</title>" in picture.text for name in flow.steps)


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.SUPERVISOR, Role.ADMINISTRATOR)])
async def test_whoever_neither_supervises_nor_administers_is_told_that_there_is_nothing(
    house: Supervised, running: Flows, role: Role
) -> None:
    await house.signed_in(await house.staff("quelqu-un", role))
    page = f"/scenarios/{running.entry.digest}"
    for path in ("/scenarios", page, f"{page}/image.svg", f"/scenarios/{'0' * 64}"):
        assert (await house.guest.get(path)).status == 404
    assert "/scenarios" not in (await house.guest.get("/compte")).text


async def test_a_flow_that_does_not_run_is_not_there(house: Supervised) -> None:
    await house.signed_in(await house.staff("quelqu-un"))
    for digest in ("0" * 64, "..%2F..%2Fetc", "accueil"):
        assert (await house.guest.get(f"/scenarios/{digest}")).status == 404
        assert (await house.guest.get(f"/scenarios/{digest}/image.svg")).status == 404


async def test_a_flow_is_drawn_with_its_own_words_whatever_is_published_meanwhile(
    house: Supervised, running: Flows, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later, thread = loaded(reworded(tmp_path)), asyncio.to_thread

    async def after_a_publication(made: Callable[..., object], *about: object) -> object:
        shelf.put(later)
        return await thread(made, *about)

    await house.signed_in(await house.staff("quelqu-un"))
    monkeypatch.setattr(by_flows.asyncio, "to_thread", after_a_publication)
    seen = await house.guest.get(f"/scenarios/{running.entry.digest}/image.svg")
    monkeypatch.undo()
    assert shelf.current is later
    proof = running.proofs[running.entry.digest]
    assert seen.text == draw(running.entry, running.book, running.policy, proof)
    assert seen.text != draw(running.entry, later.book, running.policy, proof)
    shelf.put(running)
    assert (await house.guest.get(f"/scenarios/{running.entry.digest}/image.svg")).text == seen.text


async def test_what_a_flow_guards_is_worked_out_once_and_no_caller_waits_for_it(
    house: Supervised, running: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[Thread] = []

    def guards(*about: Any) -> Guards:
        worked.append(current_thread())
        return guards_of(*about)

    monkeypatch.setattr(by_flows, "guards_of", guards)
    await house.signed_in(await house.staff("quelqu-un"))
    await house.guest.get("/scenarios")
    assert not worked, "the proofs of the release say how many steps are guarded"
    pages = [(await house.guest.get(f"/scenarios/{running.entry.digest}")).status for _ in range(2)]
    assert pages == [200, 200]
    (thread,) = worked
    assert thread is not current_thread()
