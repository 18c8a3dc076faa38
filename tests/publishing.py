"""Other flows than those that are shipped, and their publication, as tests need them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from callcenter.app.publishing import Publishing
from callcenter.calls import flows as loading
from callcenter.calls.flows import Flows, load_flows
from callcenter.calls.shelf import Shelf
from callcenter.flow.language import Flow
from callcenter.flow.proof import Counterexample, Proven, Refuted
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.settings import PROJECT
from callcenter.staff.records import Actor
from callcenter.store.database import Database

POLICY = PROJECT / "config/disclosure-policy.yaml"
ANNA = Actor.command("anna")
#: What the shipped flow says when 3 is pressed, and what another release says instead.
HOURS, OUR_HOURS = "Horaires : ", "Nos heures d'ouverture : "


def folder_of(parent: Path, *changes: tuple[str, str, str]) -> Path:
    """A copy of the shipped flows below ``parent``.

    Arguments:
        changes: path in the folder, what stands there, and what stands there instead.
    """
    folder = Path(shutil.copytree(PROJECT / "flows", parent / "flows", dirs_exist_ok=True))
    for path, old, new in changes:
        file = folder / path
        text = file.read_text("utf-8")
        assert old in text, f"{path} does not say « {old} »"
        file.write_text(text.replace(old, new), "utf-8")
    return folder


def reworded(parent: Path, hours: str = OUR_HOURS) -> Path:
    """The shipped flows with other words for opening hours."""
    return folder_of(parent, ("prompts/fr.yaml", HOURS, hours))


def loaded(folder: Path, entry: str = "accueil") -> Flows:
    """A folder's flows, proven."""
    return load_flows(folder, entry, folder / "prompts" / "fr.yaml", POLICY)


def publishing(database: Database, clock: DrivenClock) -> Publishing:
    """Whoever publishes."""
    return Publishing(database, clock, SystemRandom())


async def published(database: Database, clock: DrivenClock, flows: Flows) -> str:
    """Publish; the release's digest."""
    assert await publishing(database, clock).publish(flows, ANNA)
    return flows.release.digest


async def taken_over(shelf: Shelf, digest: str) -> None:
    """Wait until a server lets calls begin in the release."""
    async with asyncio.timeout(60):
        while shelf.current.release.digest != digest:
            await asyncio.sleep(0.01)


def refusing(monkeypatch: pytest.MonkeyPatch, *digests: str) -> None:
    """As a version whose prover refuses these flows."""
    prove = loading.prove

    def refutes(flow: Flow, *about: Any) -> Proven | Refuted:
        if flow.digest not in digests:
            return prove(flow, *about)
        what, mend = "this version knows better", "write it anew"
        example = Counterexample(file=flow.file, line=1, fact=None, what=what, path=(), mend=mend)
        return Refuted(flow.name, (example,))

    monkeypatch.setattr(loading, "prove", refutes)
