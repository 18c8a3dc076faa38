"""``callcenter audit``: a log leaves as a file, and whoever receives it is told what it shows and what to do."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
import re
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from click.testing import CliRunner, Result
from sqlalchemy import text

from callcenter import doctor
from callcenter.audit import proving
from callcenter.audit.about import reach_of
from callcenter.audit.anchors import Anchor, AnchorKind, keep_anchor
from callcenter.audit.cosigning import head_of
from callcenter.audit.ledger import EventKind
from callcenter.audit.logs import origin_of
from callcenter.audit.proving import prove
from callcenter.audit.refusals import refused_since
from callcenter.audit.verify import COSIGNATURE, Verdict, VerifierKey, What, verify_export
from callcenter.cli import main
from callcenter.cli.audit_verify import TO_DO, fingerprint
from callcenter.cli.whole_file import whole_file
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import CallcenterError, Conflict, Unavailable
from callcenter.kernel.randomness import SeededRandom
from callcenter.store.database import Database, in_practice
from callcenter.store.keys import create_keys
from callcenter.store.schema import APP, SEALER
from tests.attack.ledger.test_tampering import cut, rewrite, sign_anew
from tests.conftest import Cluster
from tests.exporting import TILLEULS, TODAY, Archive, archive_on
from tests.sealing import a_key, seal_once
from tests.unit.audit.log_by_hand import cosignature, head_text, secret, signature

SLUG = "cabinet-des-tilleuls"
KEY = a_key().verifier_key(origin_of(TILLEULS))


@pytest.fixture(scope="module")
async def archive(cluster: Cluster, peopled: str) -> AsyncIterator[Archive]:
    name = "audit_commands"
    await cluster.create(name, peopled)
    database = Database(cluster.server.url(user=APP, database=name), pool_size=2)
    archive = archive_on(cluster, name, database, DrivenClock(TODAY))
    await archive.call()
    await archive.seal()
    yield archive
    await database.close()
    await cluster.drop(name)


@pytest.fixture
def config(archive: Archive, tmp_path: Path) -> Path:
    seed = base64.b64encode(a_key().private.private_bytes_raw()).decode()
    (tmp_path / "sealer.key").write_text(json.dumps({"sealer": seed}))
    (tmp_path / "sealer.key").chmod(0o600)
    create_keys(tmp_path / "keys.json", SeededRandom(1))  # those of the demonstration that the archive is a copy of
    settings = {
        "environment": "test",
        "public_base_url": "http://127.0.0.1:8080",
        "keys_file": str(tmp_path / "keys.json"),
        "carrier": {"account_sid": "AC" + "0" * 32, "auth_tokens": ["t"], "sms_sender": "+33199000001"},
        "database": {"url": archive.urls[APP]},
        "console": {"public_url": "https://console.example.org/"},
    }
    (tmp_path / "house.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return tmp_path / "house.yaml"


async def typed(config: Path, *arguments: object) -> Result:
    given = ["--config", str(config), "audit", *map(str, arguments)]
    return await asyncio.to_thread(CliRunner().invoke, main, given)


async def test_a_log_leaves_on_record_and_its_reader_is_told_that_it_is_intact(
    archive: Archive, config: Path, tmp_path: Path
) -> None:
    file, kept = tmp_path / "log.ccaudit", tmp_path / "held.checkpoint"
    exported = await typed(config, "export", SLUG, "-o", file, "--by", "camille")
    assert exported.exit_code == 0, exported.output
    assert exported.stdout.startswith(f"callcenter/{TILLEULS}: ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    house = await typed(config, "export", "house", "-o", tmp_path / "house")
    assert "nothing of « house » is sealed yet" in house.output
    async with archive.app.practice(TILLEULS) as tx:
        query = text("SELECT count(*) FROM audit_record WHERE event = 'ledger.exported' AND actor = 'camille'")
        assert (await tx.connection.execute(query)).scalar_one() == 1
    verified = await typed(config, "verify", file, "--trust", KEY, "--keep", kept)
    assert verified.exit_code == 0, verified.output
    assert verified.stdout.startswith(f"intact: callcenter/{TILLEULS}, ")
    assert f"fingerprint {fingerprint(KEY)}" in verified.stdout
    assert "no earlier checkpoint was given" in verified.stdout
    await archive.seal()
    await typed(config, "export", SLUG, "-o", file, "--force")
    again = await typed(config, "verify", file, "--trust", KEY, "--since", kept)
    assert again.exit_code == 0
    assert "the log continues the checkpoint that you hold" in again.stdout


async def test_what_was_tampered_with_is_named_with_what_to_do(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "log.ccaudit"
    await typed(config, "export", SLUG, "-o", file)
    file.write_bytes(file.read_bytes().replace(b'"id":"callcenter"', b'"id":"nobody"', 1))
    found = await typed(config, "verify", file, "--trust", KEY)
    assert found.exit_code == 1
    assert found.stdout.startswith("TAMPERED: ")
    assert What.ROOT.value in found.stdout
    assert "the CNIL (72" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{file}", "--trust", str(a_key().verifier_key("callcenter/house"))), "the keys that you trust"),
        (("{config}", "--trust", str(KEY)), "the first line is not the head of an export"),
        (("{file}", "--trust", "{config}"), "could not check"),
        (("{file}", "--trust", f"{KEY}x"), "could not check"),
        (("/nowhere/at/all", "--trust", str(KEY)), "could not check"),
    ],
)
async def test_what_cannot_be_checked_is_neither_good_nor_bad(
    config: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "log.ccaudit"
    await typed(config, "export", SLUG, "-o", file)
    given = [one.format(file=file, config=config) for one in arguments]
    checked = await typed(config, "verify", *given)
    assert checked.exit_code == 2
    assert said in checked.output
    assert "intact" not in checked.output


async def test_a_file_that_is_there_stays(archive: Archive, config: Path, tmp_path: Path) -> None:
    file = tmp_path / "log.ccaudit"
    file.write_text("mine")
    refused = await typed(config, "export", SLUG, "-o", file)
    assert (refused.exit_code, file.read_text()) == (2, "mine")
    assert "--force" in refused.output
    assert list(tmp_path.glob(".log*")) == []


async def test_an_export_that_fails_leaves_nothing(config: Path, tmp_path: Path) -> None:
    failed = await typed(config, "export", "nobody-here", "-o", tmp_path / "log.ccaudit")
    assert failed.exit_code == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["house.yaml", "keys.json", "sealer.key"]


FIRST = "SELECT leaf FROM audit_leaf WHERE log_id = :log AND idx = 0"


async def test_columns_that_contradict_their_records_are_said(archive: Archive, config: Path, tmp_path: Path) -> None:
    async with archive.superuser() as connection:
        await connection.execute(text("ALTER TABLE audit_leaf DISABLE TRIGGER ALL"))
        flip = "UPDATE audit_leaf SET leaf = sha256(leaf) WHERE log_id = :log AND idx = 0"
        before = (await connection.execute(text(FIRST), {"log": TILLEULS})).scalars().all()
        await connection.execute(text(flip), {"log": TILLEULS})
    try:
        exported = await typed(config, "export", SLUG, "-o", tmp_path / "log.ccaudit")
    finally:
        async with archive.superuser() as connection:
            back = text("UPDATE audit_leaf SET leaf = :leaf WHERE log_id = :log AND idx = 0")
            await connection.execute(back, {"leaf": before[0], "log": TILLEULS})
            await connection.execute(text("ALTER TABLE audit_leaf ENABLE ALWAYS TRIGGER audit_leaf_append_only"))
    assert exported.exit_code == 1, exported.output
    assert "index 0, record" in exported.stderr
    assert "its leaf in the log is not the one of its bytes" in exported.stderr


def test_a_file_gets_its_name_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "whole"

    def write(*, replace: bool, meanwhile: Callable[[], object]) -> None:
        with whole_file(path, replace=replace) as file:
            file.write(b"whole")
            meanwhile()

    with pytest.raises(ZeroDivisionError):
        write(replace=False, meanwhile=lambda: 1 // 0)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Conflict):
        write(replace=False, meanwhile=lambda: path.write_bytes(b"somebody was faster"))
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"somebody was faster"]
    write(replace=True, meanwhile=lambda: None)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"whole"]


def test_a_full_disk_is_said_and_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "whole"
    path.write_bytes(b"before")

    def write(fails: OSError) -> None:
        with whole_file(path, replace=True) as file:
            file.write(b"a part")
            raise fails

    with pytest.raises(Unavailable, match="was not written"):
        write(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(ConnectionRefusedError):  # the database's, who fills the file
        write(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"before"]


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    """A device, by whoever may do anything on the machine; a folder, by anybody."""
    folder, device = tmp_path / "folder", tmp_path / "device"
    folder.mkdir()
    os.mkfifo(device)
    for path in (folder, device):
        with pytest.raises(Conflict, match="no file that could be replaced"), whole_file(path, replace=True):
            pass
    assert (folder.is_dir(), device.is_fifo()) == (True, True)


def test_two_people_compare_a_key_by_reading_eight_groups(archive: Archive) -> None:
    said = fingerprint(KEY).split(" ")
    assert [len(group) for group in said] == [5] * 8
    assert fingerprint(a_key().verifier_key("callcenter/house")).split(" ") != said


def test_every_verdict_says_what_to_do() -> None:
    assert {verdict.value for verdict in TO_DO} == {0, 1, 2}


async def test_a_log_has_a_key_that_is_shown_with_what_is_read_aloud(config: Path, tmp_path: Path) -> None:
    for called, origin in (("house", "callcenter/house"), (SLUG, origin_of(TILLEULS))):
        shown = await typed(config, "key", called)
        vkey = a_key().verifier_key(origin)
        assert shown.output == f"{vkey}\n# fingerprint, to be read aloud: {fingerprint(vkey)}\n"
    (tmp_path / "key.txt").write_text(shown.output)
    file = tmp_path / "log.ccaudit"
    await typed(config, "export", SLUG, "-o", file)
    verified = await typed(config, "verify", file, "--trust", tmp_path / "key.txt")
    assert verified.exit_code == 0, verified.output


async def test_one_record_is_proven_without_the_others(archive: Archive, config: Path, tmp_path: Path) -> None:
    stream = await archive.call(text="héron")
    await archive.seal()
    async with archive.app.practice(TILLEULS) as tx:
        query = text("SELECT id, body FROM audit_record WHERE stream = :stream AND seq = 1")
        row = (await tx.connection.execute(query, {"stream": stream})).one()
    file = tmp_path / "record.tlog-proof"
    written = await typed(config, "prove", row.id, "-o", file, "--by", "camille")
    assert written.exit_code == 0, written.output
    verified = await typed(config, "verify", file, "--trust", KEY)
    assert verified.exit_code == 0, verified.output
    assert verified.stdout.startswith("proven: record ")
    assert ascii(row.body.decode())[1:-1] in verified.stdout
    async with archive.app.practice(TILLEULS) as tx:
        query = text("SELECT ref FROM audit_record WHERE event = 'ledger.proven' AND actor = 'camille'")
        assert (await tx.connection.execute(query)).scalars().all() == [f"record:{row.id}"]
    house = a_key().verifier_key("callcenter/house")
    for more in (("--trust", house), ("--trust", KEY, "--since", config), ("--trust", KEY, "--keep", tmp_path / "k")):
        unchecked = await typed(config, "verify", file, *more)
        assert (unchecked.exit_code, "could not check" in unchecked.output) == (2, True), more
    assert not (tmp_path / "k").exists()
    lines = file.read_bytes().split(b"\n")
    for number in range(len(lines) - 1):
        if not lines[number]:
            continue
        turned = bytes([lines[number][-1] ^ 1])
        file.write_bytes(b"\n".join([*lines[:number], lines[number][:-1] + turned, *lines[number + 1 :]]))
        changed = await typed(config, "verify", file, "--trust", KEY)
        assert changed.exit_code in (1, 2), f"line {number}: {changed.output}"


async def test_what_no_proof_can_be_made_of_says_so(archive: Archive, config: Path, tmp_path: Path) -> None:
    file = tmp_path / "record.tlog-proof"
    unknown = await typed(config, "prove", "00000000-0000-0000-0000-000000000001", "-o", file)
    assert (unknown.exit_code, file.exists()) == (2, False)
    assert "no log has a record" in unknown.output
    stream = await archive.call()
    async with archive.app.practice(TILLEULS) as tx:
        query = text("SELECT id FROM audit_record WHERE stream = :stream LIMIT 1")
        record = (await tx.connection.execute(query, {"stream": stream})).scalar_one()
    early = await typed(config, "prove", record, "-o", file)
    assert (early.exit_code, file.exists()) == (2, False)
    assert "is not sealed yet" in early.output


async def test_somebody_signs_what_continues_what_they_have_seen_and_it_is_in_the_next_export(
    archive: Archive, config: Path, tmp_path: Path
) -> None:
    key, last, file = tmp_path / "claire.key", tmp_path / "claire.checkpoint", tmp_path / "log.ccaudit"
    made = await typed(config, "cosign", "new-key", key, "--name", "cabinet.example/claire")
    assert made.exit_code == 0, made.output
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    vkey = made.stdout.split("\n")[0]
    (tmp_path / "claire.vkey").write_text(made.stdout)
    signing = ("cosign", "sign", file, "--key", key, "--trust", KEY, "--last", last)
    keyless = await typed(config, *signing[:4], tmp_path / "none", *signing[5:], "--first")
    assert (keyless.exit_code, "`callcenter audit cosign new-key` makes one" in keyless.output) == (2, True)
    await typed(config, "export", SLUG, "-o", file)
    first = await typed(config, *signing, "--first")
    assert first.exit_code == 0, first.output
    again = await typed(config, "export", SLUG, "-o", file, "--force")
    assert re.search("not sealed yet, and not in it: [1-9]", again.stderr)  # that it was exported
    await archive.seal()
    await typed(config, "export", SLUG, "-o", file, "--force")
    second = await typed(config, *signing)
    assert second.exit_code == 0, second.output
    submitted = await typed(config, "cosign", "submit", SLUG, last, "--trust", tmp_path / "claire.vkey")
    assert submitted.exit_code == 0, submitted.output
    twice = await typed(config, "cosign", "submit", SLUG, last, "--trust", vkey)
    assert (twice.exit_code, "on file already" in twice.output) == (2, True)
    await archive.seal()
    exported = await typed(config, "export", SLUG, "-o", file, "--force")
    assert exported.exit_code == 0, exported.output
    verified = await typed(config, "verify", file, "--trust", KEY, "--trust", vkey, "--since", last)
    assert verified.exit_code == 0, verified.output
    assert "cosigned by cabinet.example/claire at " in verified.stdout
    assert "1 anchor" in verified.stdout


async def test_a_witness_who_sees_no_record_signs_what_continues_their_last_head(
    archive: Archive, config: Path, tmp_path: Path
) -> None:
    key, last, file, shown = (tmp_path / name for name in ("key", "seen", "log.ccaudit", "log.continuation"))
    made = await typed(config, "cosign", "new-key", key, "--name", "claire")
    vkey = made.stdout.split("\n")[0]
    await archive.call()
    await archive.seal()
    await typed(config, "export", SLUG, "-o", file)
    signing = ("cosign", "sign", "--key", key, "--trust", KEY, "--last", last)
    assert (await typed(config, *signing, file, "--first")).exit_code == 0
    before = head_of(last.read_text()).size
    held = tmp_path / "held"
    held.write_text(last.read_text())
    await archive.call()
    await archive.seal()
    written = await typed(config, "continuation", SLUG, "--since", last, "-o", shown, "--by", "camille")
    assert written.exit_code == 0, written.output
    assert b"{" not in shown.read_bytes()  # no record is in it
    async with archive.app.practice(TILLEULS) as tx:
        query = text(
            "SELECT count(*) FROM audit_record WHERE event = 'ledger.head_taken' AND actor = 'camille' "
            "AND ledger_text(body, '{held}') = 'continuation'"
        )
        assert (await tx.connection.execute(query)).scalar_one() == 1
    verified = await typed(config, "verify", shown, "--trust", KEY, "--since", held, "--keep", tmp_path / "kept")
    assert verified.exit_code == 0, verified.output
    assert f"holds the {before} records that you hold the head of" in verified.stdout
    signed = await typed(config, *signing, shown)
    assert signed.exit_code == 0, signed.output
    assert head_of(last.read_text()).size == head_of((tmp_path / "kept").read_text()).size > before
    submitted = await typed(config, "cosign", "submit", SLUG, last, "--trust", vkey)
    assert submitted.exit_code == 0, submitted.output


async def test_what_shows_nothing_of_a_head_that_is_held_is_refused_with_what_to_do(
    archive: Archive, config: Path, tmp_path: Path
) -> None:
    held, shown = tmp_path / "held", tmp_path / "log.continuation"
    await archive.call()
    await archive.seal()
    held.write_text((await archive.export()).report().keep)
    (tmp_path / "none").write_text("no head")
    size = head_of(held.read_text()).size
    longer = head_text(KEY.name, size + 1, bytes(32))
    (tmp_path / "longer").write_text(f"{longer}\n{signature(longer, a_key().private, KEY.name)}")
    fork = head_text(KEY.name, size, bytes(32))
    (tmp_path / "fork").write_text(f"{fork}\n{signature(fork, a_key().private, KEY.name)}")
    strange = head_text(KEY.name, size, bytes(32))
    (tmp_path / "strange").write_text(f"{strange}\n{signature(strange, secret(3), KEY.name)}")
    elsewhere = head_text("callcenter/house", size + 1, bytes(32))
    (tmp_path / "elsewhere").write_text(f"{elsewhere}\n{signature(elsewhere, a_key().private, 'callcenter/house')}")
    for name, status, words in (
        ("none", 2, "is not the head of that log"),
        ("missing", 2, "is not the head of a log"),
        ("longer", 1, "it was cut, or a backup restored"),
        ("fork", 1, "NOT CONTINUED"),
        ("strange", 2, "is not the head of that log"),
        ("elsewhere", 2, "is not the head of that log"),
    ):
        refused = await typed(config, "continuation", SLUG, "--since", tmp_path / name, "-o", shown)
        assert (refused.exit_code, words in refused.output, shown.exists()) == (status, True, False), refused.output
    lost = await typed(config, "continuation", SLUG, "--since", held, "-o", held, "--force")
    assert (lost.exit_code, "which would be lost" in lost.output, head_of(held.read_text()).size) == (2, True, size)
    assert (await typed(config, "continuation", SLUG, "--since", held, "-o", shown)).exit_code == 0
    lone = await typed(config, "verify", shown, "--trust", KEY)
    assert (lone.exit_code, "with --since" in lone.output) == (2, True)
    forked = await typed(config, "verify", shown, "--trust", KEY, "--since", tmp_path / "fork")
    assert (forked.exit_code, "TAMPERED" in forked.output) == (1, True)
    key, last = tmp_path / "key", tmp_path / "seen"
    await typed(config, "cosign", "new-key", key, "--name", "claire")
    first = await typed(config, "cosign", "sign", shown, "--key", key, "--trust", KEY, "--last", last, "--first")
    assert (first.exit_code, "take an export first" in first.output, last.exists()) == (2, True, False)


async def test_a_last_head_that_the_database_has_no_more_as_it_was_signed_continues_nothing(
    archive: Archive, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, shown = tmp_path / "held", tmp_path / "log.continuation"
    held.write_text((await archive.export()).report().keep)
    size = head_of(held.read_text()).size
    for note in ("no head at all", f"{head_text('callcenter/other', size, bytes(32))}\n"):

        async def changed(_: object, note: str = note) -> tuple[int, str]:
            return size, note

        monkeypatch.setattr(proving, "latest_head", changed)
        refused = await typed(config, "continuation", SLUG, "--since", held, "-o", shown)
        assert (refused.exit_code, "NOT CONTINUED" in refused.output, shown.exists()) == (1, True, False)


async def test_nothing_is_signed_that_does_not_continue_what_was_seen(
    archive: Archive, config: Path, tmp_path: Path
) -> None:
    key, last, file = tmp_path / "key", tmp_path / "seen", tmp_path / "log.ccaudit"
    stream = await archive.call()
    await archive.seal()
    await typed(config, "cosign", "new-key", key, "--name", "claire")
    signing = ("cosign", "sign", file, "--key", key, "--trust", KEY, "--last", last)
    file.write_bytes(b"".join((await archive.export()).lines))
    assert (await typed(config, *signing)).exit_code == 2  # nothing was seen yet, which is to be said
    assert (await typed(config, *signing, "--first")).exit_code == 0
    assert (await typed(config, *signing, "--first")).exit_code == 2
    seen = last.read_text()
    async with archive.meddling() as db:
        await cut(db, stream, heads=True)
        file.write_bytes(b"".join((await db.export()).lines))
    shorter = await typed(config, *signing)
    assert (shorter.exit_code, "shorter than what you have signed" in shorter.output) == (1, True)
    async with archive.meddling() as db:
        await rewrite(db, stream)
        await sign_anew(db)
        file.write_bytes(b"".join((await db.export()).lines))
    fork = await typed(config, *signing)
    assert (fork.exit_code, "fork" in fork.output) == (1, True)
    assert last.read_text() == seen
    last.write_text((await archive.export()).report().keep)
    somebodys = await typed(config, *signing)
    assert (somebodys.exit_code, "was not signed by claire" in somebodys.output) == (1, True)


async def test_what_comes_back_is_kept_only_with_both_signatures_over_a_head_of_this_log(
    archive: Archive, config: Path, tmp_path: Path
) -> None:
    name, private = "dpo.example", secret(9)
    trusted = VerifierKey.of(name, private, COSIGNATURE)

    def both_sign(said: str) -> str:
        return f"{said}\n{signature(said, a_key().private, KEY.name)}{cosignature(said, private, name, 1)}"

    keep = (await archive.export()).report().keep
    said = keep.split("\n\n")[0] + "\n"
    longer = said.replace(f"\n{head_of(keep).size}\n", "\n9999\n")
    elsewhere = said.replace(str(TILLEULS), "6ffb8c4e-8d3c-4b7a-9d53-2f8b0d1b7e0a")
    notes = {
        "the log has not signed it": f"{said}\n" + cosignature(said, private, name, 1),
        "the cosigner has not": keep,
        "it is longer than the log": f"{longer}\n{signature(longer, a_key().private, KEY.name)}"
        + cosignature(longer, private, name, 1),
        "it is another log's": f"{elsewhere}\n{signature(elsewhere, a_key().private, KEY.name)}"
        + cosignature(elsewhere, private, name, 1),
        "it is no note": "nothing",
    }
    for why, note in notes.items():
        (tmp_path / "note").write_text(note)
        kept = await typed(config, "cosign", "submit", SLUG, tmp_path / "note", "--trust", trusted)
        assert kept.exit_code == 2, f"{why}: {kept.output}"
    (tmp_path / "note").write_text(keep + cosignature(said, private, name, 1))
    kept = await typed(config, "cosign", "submit", SLUG, tmp_path / "note", "--trust", trusted)
    assert kept.exit_code == 0, kept.output


async def test_the_log_s_own_signature_is_nobody_else_s(archive: Archive, config: Path, tmp_path: Path) -> None:
    """Kept, it would say that somebody outside holds the head."""
    (tmp_path / "note").write_text((await archive.export()).report().keep)
    kept = await typed(config, "cosign", "submit", SLUG, tmp_path / "note", "--trust", KEY)
    assert kept.exit_code == 2
    assert "is the key of a log, and no cosigner's" in kept.output


async def test_a_head_of_another_past_is_not_kept_though_the_log_s_own_key_has_signed_it(
    archive: Archive, config: Path, tmp_path: Path
) -> None:
    """A database that was restored, or a fork: kept, it would make every export look as if it were tampered with."""
    name, private = "fork.example", secret(10)
    trusted = VerifierKey.of(name, private, COSIGNATURE)
    head = head_of((await archive.export()).report().keep)
    said = replace(head, root=bytes(32)).text()
    note = f"{said}\n{signature(said, a_key().private, KEY.name)}{cosignature(said, private, name, 1)}"
    (tmp_path / "note").write_text(note)
    kept = await typed(config, "cosign", "submit", SLUG, tmp_path / "note", "--trust", trusted)
    assert (kept.exit_code, "Keep both heads" in kept.output) == (2, True), kept.output
    copy = await archive.export()
    assert note not in [json.loads(line).get("checkpoint") for line in copy.lines]
    assert copy.report().verdict is Verdict.INTACT


async def test_what_the_application_says_that_others_hold_is_never_exported_as_a_head(archive: Archive) -> None:
    """Conquered, it has the right to add anchors. What it adds names itself, on the anchor's line."""
    copy = await archive.export()
    held = next(json.loads(line)["checkpoint"] for line in reversed(copy.lines) if line.startswith(b'{"checkpoint"'))
    head = head_of(held)
    forged = replace(head, root=bytes(32)).text()
    signed = cosignature(head.text(), secret(11), "claire", 1)
    notes = {
        "another head": f"{forged}\n{signature(forged, secret(11), KEY.name)}",
        "no note": "\n\n\x07",
        "claire": f"{head.text()}\n— somebody AAAA\n{signed}{signed}",
        "long": f"{head.text()}\n" + signed * 2_000,
    }
    async with archive.meddling() as db:
        tx = await in_practice(db.connection, TILLEULS)
        for place, note in notes.items():
            await keep_anchor(tx, Anchor(AnchorKind.COSIGNATURE, place, head.size, note, None, TODAY))
        told = await db.export()
    report = told.report()
    assert report.verdict is Verdict.INTACT, list(report.lines())
    values = [json.loads(line) for line in told.lines]
    (line,) = {one["checkpoint"] for one in values if f"\n{head.size}\n" in one.get("checkpoint", "")}
    assert sorted(line.split("\n")) == sorted(f"{held}{signed}".split("\n"))
    anchors = {one["anchor"]["place"]: one["anchor"].get("note") for one in values if "anchor" in one}
    assert {place: anchors[place] for place in notes} == notes | {"long": None}
    claire = VerifierKey.of("claire", secret(11), COSIGNATURE)
    assert verify_export(told.lines, [KEY, claire]).cosigned == (("claire", head.size, 1),)


async def test_heads_are_deposited_now_where_they_are_to_be_held(
    archive: Archive, config: Path, tmp_path: Path
) -> None:
    nobody = await typed(config, "anchor")
    assert (nobody.exit_code, "set ledger.anchor_folder" in nobody.output) == (2, True)
    held = tmp_path / "held"
    settings = yaml.safe_load(config.read_text()) | {"ledger": {"anchor_folder": str(held)}}
    config.write_text(yaml.safe_dump(settings))
    missing = await typed(config, "anchor")
    assert (missing.exit_code, "cannot be written" in missing.output) == (1, True)
    held.mkdir()
    done = await typed(config, "anchor")
    assert (done.exit_code, done.output) == (0, "1 heads deposited\n")
    again = await typed(config, "anchor")
    assert (again.exit_code, again.output) == (0, "0 heads deposited\n")


async def test_what_was_refused_is_listed_with_why_and_doctor_says_so(
    archive: Archive, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await typed(config, "refused", SLUG)).stdout == ""
    monkeypatch.setattr(doctor, "SystemClock", lambda: archive.clock)
    assert "has refused no record" in await doctor._refused(archive.app)
    stream = await archive.call(EventKind.ERASURE, reason="none")
    ((log, why),) = await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    assert (log, "is an erasure that names no range" in why) == (TILLEULS, True)
    listed = (await typed(config, "refused", SLUG, "--bodies")).stdout
    assert "is an erasure that names no range of records that are sealed" in listed
    assert f'"stream":"{stream}"' in listed
    with pytest.raises(CallcenterError, match="1 record of the ledger was refused"):
        await doctor._refused(archive.app)
    assert await refused_since(archive.app, archive.clock.now() + timedelta(seconds=1)) == (0, None)
    (record,) = re.findall(r"record (\S+)", listed.splitlines()[0])
    async with archive.app.practice(TILLEULS) as tx:
        proof = await prove(tx, UUID(record))
        proof.check([KEY])
        assert json.loads(proof.body)["event"] == "record.refused"
        assert (await reach_of(tx)).erasures == ()
    await archive.call(EventKind.ERASURE, reason="none")
    await seal_once(archive.urls[SEALER], a_key(), archive.clock)
    assert (await typed(config, "refused", SLUG)).stderr == "2 records were refused\n"
    monkeypatch.setattr("callcenter.cli.audit_refused.MOST", 1)
    cut_off = await typed(config, "refused", SLUG)
    assert len(cut_off.stdout.splitlines()) == 2  # where and why, of the last one
    assert cut_off.stderr == "more than 1 records were refused: the last 1 are listed\n"
