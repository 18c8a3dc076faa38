"""The sealer's key is changed for another while the server runs; whoever verifies goes on with either key."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from callcenter.app.key_changing import KeyChange, NotYet
from callcenter.audit import ledger
from callcenter.audit.anchors import accept_cosignature
from callcenter.audit.cosigning import Witness
from callcenter.audit.key_changes import LEAST, announced, vouched_since
from callcenter.audit.ledger import Entry, EventKind
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.proof import Proof
from callcenter.audit.proving import prove
from callcenter.audit.sealer import LogBroken, LogSealer
from callcenter.audit.sealing_key import KeyFile, content_of, load_sealing_key
from callcenter.audit.signing import SealingKey
from callcenter.audit.verify import Checkpoint, Report, Rotation, Verdict, VerifierKey, What, verify_export
from callcenter.cli import main
from callcenter.cli.audit_verify import fingerprint
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Conflict, IntegrityError
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.practice.everywhere import all_practices
from callcenter.staff.ledger_acts import LedgerActs
from callcenter.store.database import Database, Transaction
from callcenter.store.keys import create_keys
from callcenter.store.schema import APP, SEALER
from tests.conftest import Cluster
from tests.exporting import IVR, TILLEULS, Archive, archive_on
from tests.sealing import Cries, a_key
from tests.unit.audit.log_by_hand import NEW, WITNESS, LogByHand, vkey
from tests.unit.audit.log_by_hand import OLD as FORMER
from tests.unit.audit.merkle_by_hand import tree_hash

ORIGIN = origin_of(TILLEULS)
OLD = a_key().verifier_key(ORIGIN)


@dataclass(slots=True)
class Installation:
    """A ledger, the sealer's file, and a sealer that runs on all the while.

    Arguments:
        path: of the file.
    """

    archive: Archive
    path: Path
    sealer: LogSealer
    cries: Cries = field(default_factory=Cries)

    @property
    def key(self) -> SealingKey:
        return load_sealing_key(self.path)

    @property
    def change(self) -> KeyChange:
        return KeyChange(self.archive.app, self.archive.clock, SystemRandom(), "camille", self.put, self.seal, looks=0)

    def put(self, key: SealingKey) -> None:
        fresh = self.path.with_name("fresh")
        fresh.write_bytes(content_of(key))
        fresh.chmod(0o600)
        fresh.replace(self.path)

    async def seal(self) -> None:
        """A round of the sealer that runs."""
        database = Database(self.archive.urls[SEALER], pool_size=1)
        try:
            async with database.engine.connect() as connection:
                await self.sealer.round(connection)
        finally:
            await database.close()

    async def verified(self, *trust: VerifierKey, since: str | None = None) -> Report:
        return verify_export(iter((await self.archive.export()).lines), trust, since)

    async def heads(self) -> list[str]:
        """Who has signed each kept head of the practice's log: a letter for each key, as they came up."""
        async with self.archive.app.practice(TILLEULS) as tx:
            query = text("SELECT note FROM audit_checkpoint WHERE log_id = :log ORDER BY size")
            notes = (await tx.connection.execute(query, {"log": TILLEULS})).scalars().all()
        letters: dict[str, str] = {}
        signed = [re.findall(rf"— {re.escape(ORIGIN)} (\S{{6}})", note.partition("\n\n")[2]) for note in notes]
        return ["".join(letters.setdefault(key[:5], "abc"[len(letters)]) for key in keys) for keys in signed]


@pytest.fixture
async def house(cluster: Cluster, peopled_name: str, clock: DrivenClock, tmp_path: Path) -> AsyncIterator[Installation]:
    database = Database(cluster.server.url(user=APP, database=peopled_name), pool_size=2)
    path = tmp_path / "sealer.key"
    path.write_bytes(content_of(a_key()))
    path.chmod(0o600)
    file, cries = KeyFile.read(path), Cries()
    sealer = LogSealer(file.key, clock, cries, file=file)
    house = Installation(archive_on(cluster, peopled_name, database, clock), path, sealer, cries)
    await house.archive.call()
    await house.seal()
    yield house
    await database.close()
    assert cries.unusable == []


async def test_p4_a_key_is_changed_while_the_server_runs_and_either_verifies(house: Installation) -> None:
    held = (await house.verified(OLD)).keep
    changed = await house.change.rotate(house.key)
    logs = [HOUSE_LOG, *await all_practices(house.archive.app)]
    assert (list(changed.logs), changed.written, changed.unknown) == (logs, len(logs), 0)
    assert stat.S_IMODE(house.path.stat().st_mode) == 0o600
    following = house.key.next_key(ORIGIN)
    assert following is not None
    with pytest.raises(NotYet, match="have not signed for the change yet"):
        await house.change.retire(house.key)
    assert house.cries.heard == []
    assert (await house.change.rotate(house.key)).written == 0  # it is on record already
    await house.seal()
    assert house.cries.heard == []
    with pytest.raises(NotYet, match="both keys sign until"):
        await house.change.retire(house.key)
    for trust in (OLD, following):
        report = await house.verified(trust, since=held)
        assert (report.verdict, report.since) == (Verdict.INTACT, 4), [*report.lines()]
    house.archive.clock.advance(LEAST.total_seconds())
    await house.archive.call()
    await house.seal()
    await house.change.retire(house.key)
    assert (house.key.keys(ORIGIN), house.key.following) == ([following], None)
    stream = await house.archive.call()
    await house.seal()
    assert house.cries.heard == []
    by_old, by_next = [await house.verified(trust, since=held) for trust in (OLD, following)]
    assert (by_old.verdict, by_old.rotated) == (Verdict.INTACT, (str(following),))
    assert (by_next.verdict, by_next.former) == (Verdict.INTACT, (str(OLD),))
    assert by_old.keep == by_next.keep
    # What is done with a log besides.
    witness = Witness("cabinet.example/claire", WITNESS)
    lines = (await house.archive.export()).lines
    note = witness.cosign(lines, [OLD], None, 1_795_000_000)
    async with house.archive.app.practice(TILLEULS) as tx:
        own, now = house.key.every_key(ORIGIN), house.archive.clock.now()
        assert await accept_cosignature(tx, note, witness.key, own, now) == by_old.records
        query = text("SELECT id FROM audit_record WHERE stream = :stream AND seq = 0")
        record = (await tx.connection.execute(query, {"stream": stream})).scalar_one()
        proof = await prove(tx, record)
    assert proof.check([following]).head.size == by_old.records
    async with house.archive.superuser() as connection:
        query = text("SELECT body::jsonb FROM house_record WHERE body LIKE '%key.retired%'")
        ((retired,),) = (await connection.execute(query)).all()
    assert (retired["why"], retired["actor"]["id"]) == ("over", "camille")


async def test_p4_heads_of_an_hour_are_thinned_and_either_key_still_leads_to_the_other(house: Installation) -> None:
    """All of the change falls into one hour: of its heads those of the old key, of both, and of the next stay."""
    held = (await house.verified(OLD)).keep
    for step in (house.archive.call, lambda: house.change.rotate(house.key), house.archive.call):
        await step()
        await house.seal()
    await house.change.retire(house.key, "nobody-has-it")
    following = house.key.verifier_key(ORIGIN)
    for _ in range(2):
        await house.archive.call()
        await house.seal()
    assert await house.heads() == ["a", "a", "ab", "ab", "b", "b"]
    for _ in range(3):
        house.archive.clock.advance(3_600)
        await house.archive.call()
        await house.seal()
    assert (await house.heads())[:3] == ["a", "ab", "b"]
    assert house.cries.heard == []
    for trust in (OLD, following):
        report = await house.verified(trust, since=held)
        assert report.verdict is Verdict.INTACT, [*report.lines()]


class Interrupted(Exception):
    """Whoever has typed the command has stopped it."""


async def test_a_change_that_was_interrupted_is_completed(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is where practices have come meanwhile: those that lack the record get it, nothing is put away before."""
    written, once = list[UUID](), LedgerActs.key_rotated

    async def dies(self: LedgerActs, log: UUID, change: dict[str, str]) -> None:
        if len(written) == 1:
            raise Interrupted
        written.append(log)
        await once(self, log, change)

    with monkeypatch.context() as patch:
        patch.setattr(LedgerActs, "key_rotated", dies)
        with pytest.raises(Interrupted):
            await house.change.rotate(house.key)
    during = house.key
    await house.seal()
    with pytest.raises(NotYet, match="nothing says so yet"):
        await house.change.retire(house.key, "nobody-has-it")
    house.archive.clock.advance(LEAST.total_seconds())
    changed = await house.change.rotate(house.key)
    assert (changed.written, content_of(changed.key)) == (len(changed.logs) - 1, content_of(during))
    await house.seal()
    assert house.cries.heard == []
    with pytest.raises(NotYet, match="both keys sign until"):  # the logs that came last have their week too
        await house.change.retire(house.key)
    await house.change.retire(house.key, "nobody-has-it")


async def test_a_stolen_key_counts_to_its_last_good_head_and_goes_at_once(house: Installation) -> None:
    good = (await house.verified(OLD)).keep
    await house.archive.call()
    await house.seal()
    later = (await house.verified(OLD)).keep
    # It may be found out while the key is being changed already.
    await house.change.rotate(house.key)
    void = house.key.next_key(ORIGIN)
    await house.seal()
    before = house.path.read_bytes()
    with pytest.raises(Conflict, match="no good head is named"):
        await house.change.rotate(house.key, [good])
    assert house.path.read_bytes() == before
    changed = await house.change.rotate(house.key, [good], without_good=True)
    assert (changed.key.stolen, changed.written, changed.unknown) == (True, len(changed.logs), len(changed.logs) - 1)
    assert house.key.sizes is not None
    assert house.key.sizes[ORIGIN] == 9
    # Begun again, with nothing or with something else, it stays what it was.
    changed = await house.change.rotate(house.key, [later])
    assert (changed.written, changed.ignored, content_of(changed.key)) == (0, 1, content_of(house.key))
    following = house.key.next_key(ORIGIN)
    assert following not in (None, void)
    await house.seal()
    await house.change.retire(house.key)
    await house.archive.call()
    await house.seal()
    assert house.cries.heard == []
    report = await house.verified(OLD, since=good)
    assert (report.verdict, {one.what for one in report.findings}) == (Verdict.UNCHECKED, {What.STOLEN})
    report = await house.verified(following, since=later)
    assert (report.verdict, report.since, report.stolen) == (Verdict.INTACT, 8, ((str(OLD), 4), (str(void), 4)))
    report = await house.verified(void)
    assert (report.verdict, {one.what for one in report.findings}) == (Verdict.UNCHECKED, {What.STOLEN})


async def test_p4_a_key_that_was_put_away_is_declared_stolen_later(house: Installation) -> None:
    """Whoever has it alone hears of it, and goes on. A head that the thief has signed since is no fork to anybody."""
    held = (await house.verified(OLD)).keep
    await house.change.rotate(house.key)
    await house.seal()
    await house.archive.call()
    await house.seal()
    await house.change.retire(house.key, "nobody-has-it")
    ends = (await house.verified(OLD)).records
    for _ in range(2):
        await house.archive.call()
        await house.seal()
    following = house.key.verifier_key(ORIGIN)
    theirs = SealingKey(a_key().private).sign(Checkpoint(ORIGIN, ends + 1, bytes(32)))
    assert (await house.verified(OLD, since=theirs)).verdict is Verdict.TAMPERED
    with pytest.raises(Conflict, match="nothing is kept"):
        await house.change.declare_stolen(house.key, following.public)
    logs = [HOUSE_LOG, *await all_practices(house.archive.app)]
    assert await house.change.declare_stolen(house.key, OLD.public) == len(logs)
    assert await house.change.declare_stolen(house.key, OLD.public) == 0  # it waits for its seal
    await house.seal()
    assert await house.change.declare_stolen(house.key, OLD.public) == 0
    await house.archive.call()
    await house.seal()
    assert house.cries.heard == []
    for trust in (OLD, following):
        report = await house.verified(trust, since=held)
        assert (report.verdict, report.stolen) == (Verdict.INTACT, ((str(OLD), ends),)), [*report.lines()]
    report = await house.verified(OLD, since=theirs)
    assert (report.verdict, {one.what for one in report.findings}) == (Verdict.UNCHECKED, {What.NOT_HELD})
    # The next change keeps it.
    await house.change.rotate(house.key)
    await house.seal()
    await house.change.retire(house.key, "nobody-has-it")
    assert [one.former for one in house.key.put_away(ORIGIN)] == [OLD, following]


@pytest.mark.parametrize("more", [0, 50], ids=["another root", "more records than there are"])
async def test_p4_a_database_that_was_set_back_is_not_spoilt_by_what_the_old_key_has_signed(
    house: Installation, more: int
) -> None:
    """What is kept in the file names a head from after the backup: on record, every verifier would find it for ever."""
    await house.change.rotate(house.key)
    await house.seal()
    await house.change.retire(house.key, "nobody-has-it")
    ends = (await house.verified(OLD)).records + more
    following = house.key.verifier_key(ORIGIN)
    lost = Rotation(OLD, following, Checkpoint(ORIGIN, ends, bytes(32))).members(a_key().private)
    key = replace(house.key, ends={**house.key.ends, ORIGIN: (lost,)})
    house.change.put(key)
    house.sealer = LogSealer(key, house.archive.clock, house.cries)
    with pytest.raises(Conflict, match="set back"):
        await house.change.declare_stolen(key, OLD.public)
    # By an earlier version.
    async with house.archive.app.practice(TILLEULS) as tx:
        entry = Entry(EventKind.KEY_ROTATED, IVR, None, lost)
        await ledger.note(tx, entry, house.archive.clock, SystemRandom())
    await house.seal()
    assert ["was set back" in why for _, why in house.cries.refused] == [True]
    for trust in (OLD, following):
        report = await house.verified(trust)
        assert (report.verdict, report.refused, report.stolen) == (Verdict.INTACT, 1, ())


async def test_what_a_sealer_with_an_older_file_refuses_is_put_on_record_again(house: Installation) -> None:
    """The file as it is after « retire » was not copied to the machine that seals."""
    await house.change.rotate(house.key)
    await house.seal()
    await house.change.retire(house.key, "nobody-has-it")
    logs, sealer = [HOUSE_LOG, *await all_practices(house.archive.app)], house.sealer
    house.sealer = LogSealer(replace(house.key, ends={}), house.archive.clock, house.cries)
    assert await house.change.declare_stolen(house.key, OLD.public) == len(logs)
    await house.seal()
    assert {log for log, _ in house.cries.refused} == {*logs}
    house.cries.heard.clear()
    house.sealer = sealer
    assert await house.change.declare_stolen(house.key, OLD.public) == len(logs)
    await house.seal()
    assert (house.cries.heard, await house.change.declare_stolen(house.key, OLD.public)) == ([], 0)
    report = await house.verified(OLD)
    assert (report.verdict, report.refused, len(report.stolen)) == (Verdict.INTACT, 1, 1)


async def test_p4_the_thief_does_not_have_their_past_signed_with_the_next_key(house: Installation) -> None:
    """They have the pen too, and put a longer past under a head by the stolen key alone; the sealer begins anew."""
    await house.change.rotate(house.key, [], without_good=True)
    await house.seal()
    await house.archive.call()
    async with house.archive.meddling() as db:
        (head,) = await db.rows("SELECT note FROM audit_checkpoint WHERE log_id = :log AND size = 5", log=TILLEULS)
        note = a_key().sign(house.key.open(head.note, ORIGIN))
        await db.do(
            "UPDATE audit_checkpoint SET note = :note WHERE log_id = :log AND size = 5", note=note, log=TILLEULS
        )
        sealer = LogSealer(house.key, house.archive.clock, house.cries)
        with pytest.raises(LogBroken, match="the key that was stolen has signed it without the next one"):
            await sealer._sealed(db.connection, TILLEULS)


async def test_where_another_machine_seals_nothing_is_on_record_before_it_has_the_file(house: Installation) -> None:
    """It has another file. No log stops; with the file copied there, the change goes on."""
    shared = house.path
    house.path = shared.with_name("here.key")
    house.put(a_key())
    for _ in range(2):
        with pytest.raises(NotYet, match="Copy the file"):
            await house.change.rotate(house.key)
        await house.archive.call()
        await house.seal()
    assert (house.cries.heard, house.sealer.lacks_key) == ([], False)
    assert house.key.following is not None
    shared.write_bytes(house.path.read_bytes())
    changed = await house.change.rotate(house.key)
    assert changed.written == len(changed.logs)
    # One that comes with an older file cannot seal on, and says once that another may, of however many logs.
    old = LogSealer(a_key(), house.archive.clock, house.cries)
    house.sealer, sealer = old, house.sealer
    for _ in range(2):
        await house.seal()
    ((_, why),) = house.cries.heard
    assert old.lacks_key
    assert "copy its file here" in why or "copy that file" in why
    house.cries.heard.clear()
    house.sealer = sealer
    await house.seal()
    assert house.cries.heard == []


async def test_a_log_under_one_of_the_two_keys_alone_does_not_lead_from_one_to_the_other(house: Installation) -> None:
    await house.change.rotate(house.key)
    await house.seal()
    async with house.archive.meddling() as db:
        tx = Transaction(db.connection, TILLEULS)
        found = await announced(tx, house.key)
        assert found is not None
        assert found.index is not None
        assert await vouched_since(tx, house.key, found.index) is not None
        assert await vouched_since(tx, house.key, found.index + 1) is None
        (head,) = await db.rows("SELECT note FROM audit_checkpoint WHERE log_id = :log AND size = 5", log=TILLEULS)
        for alone in (a_key(), house.key.changed()):
            note = alone.sign(house.key.open(head.note, ORIGIN))
            other = "UPDATE audit_checkpoint SET note = :note WHERE log_id = :log AND size = 5"
            await db.do(other, note=note, log=TILLEULS)
            assert await vouched_since(tx, house.key, found.index) is None


async def test_a_good_head_that_the_log_does_not_hold_begins_no_change(house: Installation) -> None:
    before = house.path.read_bytes()
    house_s = a_key().sign(Checkpoint(origin_of(HOUSE_LOG), 1, bytes(32)))
    for note, said in (
        (a_key().sign(Checkpoint(ORIGIN, 3, bytes(32))), "was made anew"),
        (a_key().sign(Checkpoint(ORIGIN, 9, bytes(32))), "was made anew"),
        (house_s, "was made anew"),
        (a_key().sign(Checkpoint("callcenter/elsewhere", 3, bytes(32))), "is of no log here"),
        (SealingKey(WITNESS).sign(Checkpoint(ORIGIN, 3, bytes(32))), "is none"),
        ("nothing", "is of no log here"),
    ):
        with pytest.raises(IntegrityError, match=said):
            await house.change.rotate(house.key, [note])
    with pytest.raises(IntegrityError, match="restore that file first"):
        await house.change.rotate(SealingKey(WITNESS))
    assert house.path.read_bytes() == before


async def test_the_commands_show_both_keys_and_say_what_is_to_be_done(
    house: Installation, cluster: Cluster, tmp_path: Path
) -> None:
    create_keys(tmp_path / "keys.json", SeededRandom(1))  # those of the demonstration that the archive is a copy of
    settings = {
        "environment": "test",
        "public_base_url": "http://127.0.0.1:8080",
        "keys_file": str(tmp_path / "keys.json"),
        "carrier": {"account_sid": "AC" + "0" * 32, "auth_tokens": ["t"], "sms_sender": "+33199000001"},
        "database": {"url": house.archive.urls[APP]},
        "console": {"public_url": "https://console.example.org/"},
    }
    config = tmp_path / "house.yaml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")

    async def typed(*arguments: object) -> Result:
        given = ["--config", str(config), "audit", "key", *map(str, arguments)]
        return await asyncio.to_thread(CliRunner().invoke, main, given)

    slug = "cabinet-des-tilleuls"
    assert (await typed(slug)).stdout == (await typed("show", slug)).stdout
    assert (await typed("retire")).exit_code == 2
    assert "go with --compromised" in (await typed("rotate", "--last-good", tmp_path)).output
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "one.checkpoint").write_text((await house.verified(OLD)).keep, "utf-8")
    assert "--copy" in (await typed("rotate")).output
    (tmp_path / "usb").mkdir()

    async def rotated(*arguments: object, copy: str) -> Result:
        """While the server seals."""
        done = asyncio.create_task(typed("rotate", "--copy", tmp_path / "usb" / copy, *arguments))
        while not done.done():
            await house.seal()
            await asyncio.sleep(0.05)
        return await done

    begun = await rotated("--by", "camille", copy="one")
    assert begun.exit_code == 0, begun.output
    assert stat.S_IMODE(house.path.stat().st_mode) == 0o600
    names = [line.split("\t")[0] for line in begun.stdout.splitlines()]
    assert {"house", slug} < {*names}
    shown = (await typed(slug)).stdout.splitlines()
    assert [line for line in shown if not line.startswith("#")] == [str(one) for one in house.key.keys(ORIGIN)]
    assert (tmp_path / "usb" / "one").read_bytes() == house.path.read_bytes()
    good = ("--compromised", "--last-good", tmp_path / "good")
    assert "cannot be taken back" in (await rotated(*good, copy="two")).output
    assert "no good head is named" in (await rotated(*good, "--yes", copy="two")).output
    assert not (tmp_path / "usb" / "two").exists()
    stolen = await rotated(*good, "--yes", "--no-good-head", copy="two")
    assert stolen.exit_code == 0, stolen.output
    assert f"of {len(names) - 1} of them no good head is known" in stolen.stderr
    shown = (await typed("show", slug)).stdout.splitlines()
    assert [line for line in shown if not line.startswith("#")] == [str(house.key.next_key(ORIGIN))]
    await house.seal()
    following = house.key.next_key(ORIGIN)
    assert (await typed("stolen")).stdout == ""
    assert "is no key" in (await typed("stolen", "camille")).output
    assert "cannot be taken back" in (await typed("stolen", following)).output
    assert "nothing is kept" in (await typed("stolen", following, "--yes")).output
    retired = await typed("retire", "--by", "camille")
    assert retired.exit_code == 0, retired.output
    assert house.key.keys(ORIGIN) == [following]
    assert house.cries.heard == []


def test_a_report_names_the_next_key_by_what_is_read_aloud(tmp_path: Path) -> None:
    """And of a proof that only the next key has signed nothing follows for whoever has the old one alone."""
    log = LogByHand()
    log.add()
    log.rotate(FORMER, NEW)
    log.sign(FORMER, NEW)
    log.add()
    beside = tree_hash(tuple(log.bodies[:2]))
    (tmp_path / "one.tlog-proof").write_text(Proof(log.bodies[2], 2, (beside,), log.sign(NEW)).text())
    (tmp_path / "log.ccaudit").write_bytes(b"".join(log.lines()))

    def verified(name: str, private: Ed25519PrivateKey) -> Result:
        return CliRunner().invoke(main, ["audit", "verify", str(tmp_path / name), "--trust", vkey(private)])

    intact = verified("log.ccaudit", FORMER)
    said = f"the next key, fingerprint {fingerprint(VerifierKey.parse(vkey(NEW)))}: compare it"
    assert (intact.exit_code, said in intact.output) == (0, True), intact.output
    assert verified("one.tlog-proof", NEW).exit_code == 0
    unknown = verified("one.tlog-proof", FORMER)
    assert (unknown.exit_code, "whole log leads from one to the next" in unknown.output) == (2, True)
