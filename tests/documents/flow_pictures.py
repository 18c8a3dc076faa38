"""``docs/images/flows/*.svg``: the shipped flows as pictures, as ``callcenter flows draw`` makes them."""

from __future__ import annotations

from pathlib import Path

from callcenter.disclosure.policy import load_policy
from callcenter.flow.draw import draw
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import prove

#: From the root of the repository.
FLOWS, PICTURES = Path("flows"), Path("docs/images/flows")


def flow_files(root: Path) -> list[Path]:
    """The files of the shipped flows."""
    return sorted((root / FLOWS).glob("*.yaml"))


def flow_picture(root: Path, name: str) -> str:
    """The picture of the flow ``name``."""
    book = PromptBook.load(root / FLOWS / "prompts" / "fr.yaml")
    flow, policy = load_flow(root / FLOWS / f"{name}.yaml", book), load_policy(root / "config/disclosure-policy.yaml")
    return draw(flow, book, policy, prove(flow, book, policy))
