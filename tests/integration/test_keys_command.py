"""``callcenter keys create``: both key files are made, and none is ever overwritten."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from callcenter.audit.sealing_key import load_sealing_key
from callcenter.cli import main
from callcenter.store.keys import load_keys


def create(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["keys", "create", *map(str, arguments)])


def test_a_new_installation_has_both_keys_apart(tmp_path: Path) -> None:
    made = create(tmp_path / "keys.json")
    assert made.exit_code == 0, made.output
    assert made.output.count("written; a locked backup holds it") == 2
    load_keys(tmp_path / "keys.json")
    key = load_sealing_key(tmp_path / "sealer.key")
    assert key.private.private_bytes_raw().hex() not in (tmp_path / "keys.json").read_text()
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("keys.json", "sealer.key")] == [0o600, 0o600]


def test_an_installation_of_the_version_before_gains_the_sealers_alone(tmp_path: Path) -> None:
    create(tmp_path / "keys.json", "--sealer", tmp_path / "apart" / "sealer.key")
    before = (tmp_path / "keys.json").read_bytes()
    added = create(tmp_path / "keys.json")
    assert (added.exit_code, (tmp_path / "keys.json").read_bytes()) == (0, before)
    assert f"{tmp_path / 'keys.json'} stays as it is" in added.output
    load_sealing_key(tmp_path / "sealer.key")


def test_where_both_are_there_nothing_is_done(tmp_path: Path) -> None:
    create(tmp_path / "keys.json")
    before = (tmp_path / "sealer.key").read_bytes()
    again = create(tmp_path / "keys.json")
    assert (again.exit_code, "never overwritten" in again.output) == (2, True)
    assert (tmp_path / "sealer.key").read_bytes() == before


def test_where_a_key_cannot_be_written_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = create(tmp_path / "file" / "keys.json")
    assert (refused.exit_code, "cannot be written" in refused.output) == (2, True)
