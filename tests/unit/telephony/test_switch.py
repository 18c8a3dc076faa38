"""The kill switch's file: read at once, written whole, and never taken for off because it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.telephony.switch import RescueSwitch, Switched, SwitchUnwritable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rescue-switch.json"


def test_without_a_file_calls_are_served(path: Path) -> None:
    assert not RescueSwitch(path).now().takes("cabinet-des-tilleuls")


def test_what_one_process_turns_another_sees_at_once(path: Path) -> None:
    server, command = RescueSwitch(path), RescueSwitch(path)
    assert not server.now().takes("a")
    command.turn(command.now().with_practices(["a", "b"], "Anna"))
    assert [server.now().takes(slug) for slug in ("a", "b", "c")] == [True, True, False]
    command.turn(command.now().without_practices(["a"], "Anna"))
    assert [server.now().takes(slug) for slug in ("a", "b")] == [False, True]
    command.turn(Switched(everybody=True, by="Anna"))
    assert server.now().takes("c")
    command.turn(Switched(by="Anna"))
    assert server.now() == Switched(by="Anna")


DAMAGED = ["", "{", "[]", "[" * 100_000, '{"all": "yes", "practices": [], "by": ""}', '{"all": false}']


@pytest.mark.parametrize("damaged", DAMAGED, ids=lambda text: text[:12] or "empty")
def test_p7_a_damaged_file_is_a_switch_that_is_on(path: Path, damaged: str) -> None:
    path.write_text(damaged)
    assert RescueSwitch(path).now() == Switched(everybody=True, readable=False)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SwitchUnwritable, match="nowhere"):
        RescueSwitch(tmp_path / "nowhere" / "switch.json").turn(Switched(everybody=True))
