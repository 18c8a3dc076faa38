"""``callcenter flows draw``: what it writes, what it says, and what it leaves alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from callcenter.cli import main

ROOT = Path(__file__).parents[3]
UNSAFE = Path(__file__).parent / "unsafe"


def draw(*arguments: str | Path) -> Result:
    command = ["--config", str(ROOT / "config" / "demo.yaml"), "flows", "draw", *map(str, arguments)]
    return CliRunner().invoke(main, command)


def test_a_proven_flow_is_drawn_and_the_verdict_said(tmp_path: Path) -> None:
    file = tmp_path / "rappel.svg"
    for _ in range(2):  # a picture is replaced by a picture
        result = draw(ROOT / "flows" / "rappel.yaml", "-o", file)
        assert result.exit_code == 0
        assert ": proven: " in result.stdout
    assert file.read_bytes() == (ROOT / "docs" / "images" / "flows" / "rappel.svg").read_bytes()
    mask = os.umask(0)
    os.umask(mask)
    assert file.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_flow_of_the_configuration_is_drawn_by_its_name_to_the_terminal() -> None:
    result = draw("rappel", "-o", "-")
    assert result.exit_code == 0
    assert result.stdout == (ROOT / "docs" / "images" / "flows" / "rappel.svg").read_text(encoding="utf-8")
    assert ": proven: " in result.stderr


def test_p9_a_refuted_flow_is_drawn_and_is_no_success(tmp_path: Path) -> None:
    file = tmp_path / "bad.svg"
    result = draw(UNSAFE / "failure_rejoins.yaml", "--prompts", UNSAFE / "prompts" / "fr.yaml", "-o", file)
    assert result.exit_code == 1
    assert ": refuted: " in result.stdout
    assert "n’est pas prouvé" in file.read_text(encoding="utf-8")


def test_a_flow_that_does_not_load_is_not_drawn(tmp_path: Path) -> None:
    file = tmp_path / "bad.svg"
    result = draw(UNSAFE / "unknown_step.yaml", "--prompts", UNSAFE / "prompts" / "fr.yaml", "-o", file)
    assert result.exit_code == 1
    assert ": refused: " in result.stdout
    assert not file.exists()


@pytest.mark.parametrize(
    ("flow", "why"), [("nowhere.yaml", "there is no such file"), (str(ROOT / "flows"), "a folder is no flow")]
)
def test_what_is_no_flow_is_told(tmp_path: Path, flow: str, why: str) -> None:
    file = tmp_path / "none.svg"
    result = draw(flow, "-o", file)
    assert result.exit_code == 2
    assert why in result.stdout
    assert not file.exists()


def test_nothing_but_a_picture_is_overwritten(tmp_path: Path) -> None:
    flow = tmp_path / "flow.yaml"
    flow.write_text("flow: mine\n", encoding="utf-8")
    for place, why in ((flow, "no picture of a flow"), (tmp_path, "no file"), (tmp_path / "no" / "x.svg", "written")):
        result = draw("rappel", "-o", place)
        assert result.exit_code == 2
        assert why in result.stderr
        assert "mend: " in result.stderr
    assert flow.read_text(encoding="utf-8") == "flow: mine\n"
    assert [one.name for one in tmp_path.iterdir()] == ["flow.yaml"]
