"""Heads go to whoever is to hold them, each once; that they do not is told."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from callcenter.app.anchoring import LONGEST, Anchoring, Deposited, depositories_of, longest_alone
from callcenter.app.ledger_gauges import LedgerGauges
from callcenter.audit.agreement import anchors_on
from callcenter.audit.anchors import AnchorKind, latest_head, unheld_since
from callcenter.audit.depositories import Depository, Folder, NotDeposited, name_of
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.stamping import Authority
from callcenter.audit.verify import Verdict, What
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.everywhere import all_practices
from callcenter.settings.sections import LedgerSettings
from callcenter.store.database import Database
from callcenter.telephony.alerts import AlertKind, Alerts
from tests.acceptance.stage import stage_settings
from tests.conftest import Cluster
from tests.exporting import TILLEULS, Archive, archive_on
from tests.stamping import Issuer, Stamps


@pytest.fixture
def database_name(peopled_name: str) -> str:
    return peopled_name


@pytest.fixture
async def archive(cluster: Cluster, database_name: str, database: Database, clock: DrivenClock) -> Archive:
    archive = archive_on(cluster, database_name, database, clock)
    await archive.call()
    await archive.seal()
    return archive


class Cries(Alerts):
    """Keeps what was cried."""

    def __init__(self) -> None:
        self.heard: list[tuple[AlertKind, dict[str, str]]] = []

    def report(self, kind: AlertKind, **fields: str) -> None:
        self.heard.append((kind, fields))


@dataclass
class Refuses:
    """Takes nothing."""

    kind = AnchorKind.TIMESTAMP
    place = "nowhere"
    every = timedelta(0)
    asked: int = 0

    async def deposit(self, origin: str, size: int, note: str) -> bytes:
        self.asked += 1
        raise NotDeposited("nobody is there")


def anchoring(archive: Archive, *to: Depository) -> Anchoring:
    return Anchoring(archive.app, archive.clock, to)


async def test_each_head_is_deposited_once_and_found_by_whoever_verifies(archive: Archive, tmp_path: Path) -> None:
    to = anchoring(archive, Folder(tmp_path))
    assert await to.deposit() == Deposited(1, ())
    assert await to.deposit() == Deposited(0, ())
    await archive.call()
    await archive.seal()
    assert await to.deposit() == Deposited(1, ())
    files = sorted(tmp_path.iterdir())
    assert [one.name for one in files] == [f"callcenter.{TILLEULS}.{size:012}.checkpoint" for size in (4, 8)]
    copy = await archive.export()
    note = files[-1].read_text()
    assert json.loads(copy.lines[-1]) == {
        "anchor": {
            "kind": "file",
            "place": str(tmp_path),
            "size": 8,
            "sha256": sha256(note.encode()).hexdigest(),
            "at": "2026-11-26T09:00:00.000000Z",
            "note": note,
        }
    }
    for file in files:
        report = copy.report(file.read_text())
        assert (report.verdict, report.since) == (Verdict.INTACT, int(file.name.split(".")[2]))


async def test_what_is_held_in_a_folder_shows_that_the_end_was_cut_off(archive: Archive, tmp_path: Path) -> None:
    stream = await archive.call()
    await archive.seal()
    await anchoring(archive, Folder(tmp_path)).deposit()
    (held,) = tmp_path.iterdir()
    async with archive.meddling() as db:
        await db.do("DELETE FROM audit_leaf WHERE stream = :stream", stream=stream)
        await db.do("DELETE FROM audit_checkpoint WHERE size > 4")
        report = (await db.export()).report(held.read_text())
    assert What.CUT in {finding.what for finding in report.findings}


async def test_a_depository_that_takes_nothing_keeps_no_other_from_it_and_is_asked_once(
    archive: Archive, tmp_path: Path
) -> None:
    other = next(one for one in await all_practices(archive.app) if one != TILLEULS)
    await archive.call(practice=other)
    await archive.seal()
    refuses = Refuses()
    done = await anchoring(archive, refuses, Folder(tmp_path)).deposit()
    assert done == Deposited(2, ("nobody is there",))
    assert refuses.asked == 1
    async with archive.app.practice(TILLEULS) as tx:
        assert [one.kind for one in (await anchors_on(tx, 0, 10))[0]] == [AnchorKind.FILE]


async def test_that_a_head_is_ours_alone_for_too_long_is_cried(archive: Archive, tmp_path: Path) -> None:
    cries = Cries()
    none, missing = anchoring(archive), anchoring(archive, Folder(tmp_path / "not mounted"))
    await none.round(cries)
    assert cries.heard == []
    await missing.round(cries)
    assert cries.heard == [(AlertKind.LEDGER_NOT_HELD, {"failed": "1", "late": "false"})]
    archive.clock.advance(LONGEST.total_seconds() + 1)
    await missing.round(cries)
    assert cries.heard[1:] == [(AlertKind.LEDGER_NOT_HELD, {"failed": "1", "late": "true"})]
    await anchoring(archive, Folder(tmp_path)).round(cries)
    assert len(cries.heard) == 2


async def test_since_when_something_is_ours_alone_is_measured(archive: Archive, tmp_path: Path) -> None:
    gauges = LedgerGauges(archive.app, CollectorRegistry())
    name = "callcenter_ledger_unheld_timestamp_seconds"
    first = archive.clock.now()
    assert await unheld_since(archive.app) == first
    await anchoring(archive, Folder(tmp_path)).deposit()
    assert await unheld_since(archive.app) is None
    await gauges.read()
    assert gauges.registry.get_sample_value(name) == 0
    archive.clock.advance(3600)
    for _ in range(2):
        await archive.call()
        await archive.seal()
        archive.clock.advance(60)
    assert await unheld_since(archive.app) == first + timedelta(hours=1)
    await gauges.read()
    assert gauges.registry.get_sample_value(name) == (first + timedelta(hours=1)).timestamp()


async def test_a_head_is_a_file_that_is_never_written_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    await folder.deposit("callcenter/house", 7, "one\n\nsigned\n")
    (file,) = tmp_path.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("callcenter.house.000000000007.checkpoint", 0o444)
    await folder.deposit("callcenter/house", 7, "one\n\nsigned by more\n")
    with pytest.raises(NotDeposited, match="holds another head of this size"):
        await folder.deposit("callcenter/house", 7, "another\n\nsigned\n")
    assert file.read_text() == "one\n\nsigned\n"
    with pytest.raises(NotDeposited, match="cannot be written"):
        await Folder(tmp_path / "not mounted").deposit("callcenter/house", 7, "one\n\nsigned\n")


async def test_a_head_of_which_a_full_disk_took_a_part_is_written_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the machine stopped in the middle: what ends before its signature is no second head."""
    folder, note = Folder(tmp_path), "one\n\nsigned\n"

    def full_disk(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full_disk)
        with pytest.raises(NotDeposited, match="No space left"):
            await folder.deposit("callcenter/house", 7, note)
    assert list(tmp_path.iterdir()) == []
    for begun in ("", "one\n", "one\n\n", "one\n\nsig"):
        file = tmp_path / name_of("callcenter/house", 7)
        file.write_text(begun)
        await folder.deposit("callcenter/house", 7, note)
        assert file.read_text() == note
        file.unlink()


async def test_another_head_of_one_log_keeps_no_other_log_s_from_being_deposited(
    archive: Archive, tmp_path: Path
) -> None:
    """As after a restore: the folder holds what the database does not have any more."""
    other = next(one for one in await all_practices(archive.app) if one != TILLEULS)
    await archive.call(practice=other)
    await archive.seal()
    for log in (HOUSE_LOG, TILLEULS, other):
        async with archive.app.practice(log) as tx:
            head = await latest_head(tx)
        if head is not None and log != other:
            (tmp_path / name_of(origin_of(log), head[0])).write_text("another\n\nsigned\n")
    done = await anchoring(archive, Folder(tmp_path)).deposit()
    assert (done.heads, ["another head" in said for said in done.failed]) == (1, [True])


def test_whoever_is_to_hold_heads_is_configured(tmp_path: Path) -> None:
    settings = stage_settings(keys_file=tmp_path / "keys.json")
    assert depositories_of(settings) == []
    issuers, url = tmp_path / "issuers.pem", "https://stamps.example.org/tsr"
    issuers.write_bytes(Issuer().certificate.public_bytes(Encoding.PEM))
    ledger = LedgerSettings(anchor_folder=tmp_path, timestamp_url=url, timestamp_issuers=issuers)
    found = depositories_of(settings.model_copy(update={"ledger": ledger}))
    assert [(one.kind, one.place) for one in found] == [(AnchorKind.FILE, str(tmp_path)), (AnchorKind.TIMESTAMP, url)]
    assert longest_alone(found) == LONGEST
    assert longest_alone(found[1:]) == LONGEST + timedelta(days=1)
    with pytest.raises(ValidationError, match="who vouches for it"):
        LedgerSettings(timestamp_url=url)


async def test_an_authority_stamps_each_log_once_a_day_and_the_token_leaves_with_the_log(archive: Archive) -> None:
    issuer = Issuer()
    stamps = Stamps(issuer)
    async with stamps.served() as url:
        to = anchoring(archive, Authority(url, [issuer.certificate], SeededRandom(1)))
        assert await to.deposit() == Deposited(1, ())
        await archive.call()
        await archive.seal()
        assert await to.deposit() == Deposited(0, ())
        archive.clock.advance(timedelta(days=1).total_seconds())
        assert await to.deposit() == Deposited(1, ())
    anchor = json.loads((await archive.export()).lines[-1])["anchor"]
    assert (anchor["kind"], anchor["place"], anchor["size"], stamps.asked) == ("timestamp", url, 8, 2)
    assert bytes.fromhex(anchor["sha256"]) in base64.b64decode(anchor["receipt"])
