"""The carrier's own file is served as it is locked, or not at all; the lock names no registry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from callcenter.console.carrier_file import FOLDER, NAME, NotInstalled, carrier_file

PACKAGE = "node_modules/@twilio/voice-sdk"


def installed(folder: Path, version: str, locked: str = "2.1.0") -> Path:
    file = folder / PACKAGE / "dist" / NAME
    file.parent.mkdir(parents=True)
    file.write_text("// the carrier's")
    (folder / PACKAGE / "package.json").write_text(json.dumps({"version": version}))
    (folder / "package-lock.json").write_text(json.dumps({"packages": {PACKAGE: {"version": locked}}}))
    return file


def test_the_version_that_is_locked_is_served(tmp_path: Path) -> None:
    file = installed(tmp_path, "2.1.0")
    assert carrier_file(tmp_path) == file


def test_another_version_is_none(tmp_path: Path) -> None:
    installed(tmp_path, "2.2.0")
    assert carrier_file(tmp_path) == NotInstalled(
        "the carrier's file for browsers is 2.2.0, not 2.1.0: make softphone mends it"
    )


@pytest.mark.parametrize("gone", [f"{PACKAGE}/dist/{NAME}", f"{PACKAGE}/package.json", "package-lock.json"])
def test_what_is_not_whole_is_none(tmp_path: Path, gone: str) -> None:
    installed(tmp_path, "2.1.0")
    (tmp_path / gone).unlink()
    assert isinstance(carrier_file(tmp_path), NotInstalled)


def test_a_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    installed(tmp_path, "2.1.0")
    (tmp_path / "package-lock.json").write_text("[]")
    assert isinstance(carrier_file(tmp_path), NotInstalled)


def test_the_lock_names_what_is_asked_for_with_its_digest_and_no_registry() -> None:
    lock = json.loads((FOLDER / "package-lock.json").read_text())
    asked = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    packages = {name: part for name, part in lock["packages"].items() if name}
    assert {name.removeprefix("node_modules/"): packages[name]["version"] for name in (PACKAGE,)} == asked
    assert all(part["integrity"].startswith("sha512-") and "resolved" not in part for part in packages.values())
    assert "http" not in "".join(str(part) for part in packages.values()).replace("https://tidelift.com", "")
