"""Somebody orders that records are erased before their time, with a key of their own, and whoever verifies is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import yaml
from sqlalchemy import text

from callcenter.audit.about import reach_of, records_about
from callcenter.audit.cosigning import create_witness
from callcenter.audit.ledger import Entry, EventKind, Segment, Value, writing
from callcenter.audit.letting_go import Rules
from callcenter.audit.logs import HOUSE_LOG
from callcenter.audit.retention import RetentionTerms
from callcenter.audit.verify import keys_of
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.staff.ledger_acts import put_on_record
from callcenter.staff.records import Actor
from tests.attack.ledger.forging import forge
from tests.erasing import days_pass, old_records
from tests.exporting import IVR, TILLEULS, Archive
from tests.integration.test_audit_commands import KEY, SLUG, archive, config, typed

__all__ = ["archive", "config"]  # the fixtures, by name

#: What is on record of the person: an attempt, a disclosure and how it was heard, a look, and that they have asked.
THEIRS = (
    EventKind.VERIFICATION_FAILED,
    EventKind.DISCLOSURE,
    EventKind.PLAYBACK,
    EventKind.PATIENT_FOLLOWED,
    EventKind.EXTRACT_ASKED,
)


async def a_person(archive: Archive) -> tuple[UUID, UUID]:
    """Somebody of the practice's file with their records, and the reference of an extract that was given to them."""
    extract, stream = uuid4(), new_id(SystemRandom())
    async with archive.superuser() as root:
        query = "SELECT id FROM patient WHERE practice_id = :log ORDER BY id LIMIT 1"
        patient: UUID = (await root.execute(text(query), {"log": TILLEULS})).scalar_one()
    told: UUID | None = None
    async with (
        archive.app.practice(TILLEULS) as tx,
        writing(tx, Segment(stream, None), archive.clock, SystemRandom()) as pen,
    ):
        for kind in THEIRS:
            is_heard = kind is EventKind.PLAYBACK
            content: dict[str, Value] = {"of": str(told)} if is_heard else {}
            if kind is EventKind.EXTRACT_ASKED:
                content = {"refs": [f"extract:{extract}"]}
            record = await pen.add(Entry(kind, IVR, None if is_heard else patient, content))
            told = record if kind is EventKind.DISCLOSURE else told
    async with archive.superuser() as root:
        await root.execute(text("SET session_replication_role = replica"))
        await root.execute(text(REQUEST), {"id": extract, "log": TILLEULS})
        await root.execute(text(FILE), {"id": extract, "log": TILLEULS, "patient": patient})
    return extract, patient


REQUEST = """
INSERT INTO register_extract (id, practice_id, asks, identity_check, first_day, last_day, prepared_by, prepared_at)
VALUES (:id, :log, 'patient', 'in_person', current_date, current_date, gen_random_uuid(), now())
"""
FILE = """
INSERT INTO extract_file (extract_id, practice_id, patient_id, reason_id, named)
VALUES (:id, :log, :patient, gen_random_uuid(), 'sealed')
"""


async def standing(archive: Archive, patient: UUID) -> Sequence[str]:
    """What names the person, by their token; whoever is unlinked has none."""
    query = text(
        "SELECT r.event FROM audit_subject s LEFT JOIN audit_record r ON r.subject = s.token::text "
        "WHERE s.patient_id = :patient ORDER BY r.seq"
    )
    async with archive.superuser() as root:
        return list((await root.execute(query, {"patient": patient})).scalars())


async def token_of(archive: Archive, patient: UUID) -> UUID:
    """By which the ledger names the person."""
    async with archive.app.practice(TILLEULS) as tx:
        query = text("SELECT token FROM audit_subject WHERE patient_id = :patient")
        token: UUID = (await tx.connection.execute(query, {"patient": patient})).scalar_one()
    return token


@pytest.fixture
def key(config: Path, tmp_path: Path) -> Path:
    """The personal key of Claire, who may order erasures."""
    file = tmp_path / "claire.key"
    witness = create_witness(file, "cabinet.example/claire", SystemRandom())
    settings = yaml.safe_load(config.read_text("utf-8"))
    config.write_text(yaml.safe_dump({**settings, "ledger": {"erasure_keys": [str(witness.key)]}}), "utf-8")
    (tmp_path / "claire.vkey").write_text(f"{witness.key}\n", "utf-8")
    return file


async def test_p4_what_a_person_may_have_erased_is_erased_on_an_order_and_what_proves_disclosures_stays(
    archive: Archive, config: Path, key: Path, tmp_path: Path
) -> None:
    extract, patient = await a_person(archive)
    early = await typed(config, "erase", SLUG, "--extract", extract, "--reason", "article_17", "--key", key)
    assert "not sealed yet: 2" in early.output
    await archive.seal()
    order = ("erase", SLUG, "--extract", extract, "--reason", "article_17", "--key", key, "--by", "camille")
    shown = await typed(config, *order)
    assert shown.exit_code == 0, shown.output
    assert "to be erased: 2 (1 attempts, 1 looks)" in shown.output
    assert "kept by law until their time is over: 3 (3 disclosures)" in shown.output
    assert "say --yes" in shown.output
    done = await typed(config, *order, "--yes")
    assert done.exit_code == 0, done.output
    again = await typed(config, *order, "--yes")
    assert "to be erased: 0\n" in again.output
    assert "ordered, and not sealed yet (look again in a minute): 2 (1 attempts, 1 looks), by record " in again.output
    assert again.output.endswith("nothing was done\n")
    async with archive.superuser() as root:
        query = "SELECT id FROM audit_record WHERE event = 'review.patient_followed'"
        gone = (await root.execute(text(query))).scalar_one()
    rules = Rules(RetentionTerms(), tuple(keys_of((tmp_path / "claire.vkey").read_text("utf-8"))))
    await archive.seal(rules)
    async with archive.superuser() as root:
        query = "SELECT id FROM audit_record WHERE event = 'erasure' OR ledger_text(body, '{event}') = 'erasure'"
        (ordered,) = (await root.execute(text(query))).scalars()
    again = await typed(config, *order, "--yes")
    assert f"already ordered: 2 (1 attempts, 1 looks), by record {ordered}\n" in again.output
    assert again.output.endswith("nothing was done\n")
    court = ("erase", SLUG, "--extract", extract, "--reason", "court_order", "--also-disclosures", "--key", key)
    more = await typed(config, *court)
    assert "to be erased: 3 (3 disclosures)\n" in more.output  # only what is new
    assert "already ordered: 2 (1 attempts, 1 looks)" in more.output
    await days_pass(archive)
    assert await old_records(archive).finish() == 2
    assert await standing(archive, patient) == ["disclosure", "extract.asked"]
    erased = await typed(config, "prove", gone, "-o", tmp_path / "gone")
    assert "are erased" in erased.output
    token = await token_of(archive, patient)
    async with archive.app.practice(TILLEULS) as tx:
        day = timedelta(days=1)
        about = await records_about(tx, token, archive.clock.now() - day, archive.clock.now() + day, 10)
        reach = await reach_of(tx)
    told, _ = about.records
    assert (told.one.holds, len(told.followed), sum(about.missing.values()), about.taken) == (True, 1, 2, {})
    assert len(reach.erasures) == 1
    assert (await typed(config, *court, "--yes")).exit_code == 0
    await archive.seal(rules)
    await days_pass(archive)
    assert await old_records(archive).finish() == 3
    assert await standing(archive, patient) == []  # nor any token
    file = tmp_path / "log.ccaudit"
    await typed(config, "export", SLUG, "-o", file)
    erasures = [line for line in file.read_bytes().splitlines() if b'"event":"erasure"' in line]
    assert len(erasures) == 2
    assert not any(str(extract).encode() in line for line in erasures)  # which would say for ever who it was
    verified = await typed(config, "verify", file, "--trust", KEY, "--trust", tmp_path / "claire.vkey")
    assert verified.exit_code == 0, verified.output
    assert verified.output.count("it was ordered by cabinet.example/claire") == 2
    alone = await typed(config, "verify", file, "--trust", KEY)
    assert (alone.exit_code, "by a key that was not given to trust" in alone.output) == (0, True)
    altered = file.read_bytes().replace(b'"reason":"court_order"', b'"reason":"article_17"')
    file.write_bytes(altered)
    assert (await typed(config, "verify", file, "--trust", KEY)).exit_code == 1


async def test_p4_a_refused_record_that_names_a_person_keeps_nothing_of_theirs_from_being_erased(
    archive: Archive, config: Path, key: Path, tmp_path: Path
) -> None:
    """Its bytes are in no tree, and no order reaches them: they stay, with a token that is nobody's any more."""
    extract, patient = await a_person(archive)
    await archive.seal()
    token = await token_of(archive, patient)
    forged = await forge(archive, EventKind.DISCLOSURE, subject=str(token))
    court = ("erase", SLUG, "--extract", extract, "--reason", "court_order", "--also-disclosures", "--key", key)
    done = await typed(config, *court, "--yes")
    assert "to be erased: 5" in done.output
    assert "reached by no order: 1" in done.output
    named = ("erase", SLUG, "--record", forged, "--reason", "court_order", "--key", key)
    assert "or it was refused" in (await typed(config, *named)).output
    await archive.seal(Rules(RetentionTerms(), tuple(keys_of((tmp_path / "claire.vkey").read_text("utf-8")))))
    await days_pass(archive)
    assert await old_records(archive).finish() == 5
    async with archive.superuser() as root:
        query = text(
            "SELECT count(r.id), count(s.token) FROM audit_record r "
            "LEFT JOIN audit_subject s ON s.token::text = r.subject WHERE r.id = :id"
        )
        assert tuple((await root.execute(query, {"id": forged})).one()) == (1, 0)


async def test_an_order_that_the_sealer_would_refuse_is_not_given(
    archive: Archive, config: Path, key: Path, tmp_path: Path
) -> None:
    await archive.seal()
    shown = await typed(config, "export", SLUG, "-o", tmp_path / "log")
    assert shown.exit_code == 0, shown.output
    records = [
        json.loads(line) for line in (tmp_path / "log").read_bytes().splitlines() if line.startswith(b'{"actor"')
    ]
    told = next(record["id"] for record in records if record["event"] == "disclosure")
    wish = ("erase", SLUG, "--record", told, "--reason", "article_17", "--key", key, "--yes")
    assert "nothing was done" in (await typed(config, *wish)).output
    assert (await typed(config, *wish, "--also-disclosures")).exit_code == 2
    nobody = await typed(config, "erase", SLUG, "--record", uuid4(), "--reason", "article_17", "--key", key)
    assert (nobody.exit_code, "has no record" in nobody.output) == (2, True)
    create_witness(tmp_path / "other.key", "cabinet.example/other", SystemRandom())
    other = ("erase", SLUG, "--record", told, "--reason", "court_order", "--key", tmp_path / "other.key", "--yes")
    assert "may order no erasure" in (await typed(config, *other)).output
    assert "say what" in (await typed(config, "erase", SLUG, "--reason", "court_order", "--key", key)).output


async def test_in_the_log_of_the_house_nothing_is_ordered_twice_either(
    archive: Archive, config: Path, key: Path, tmp_path: Path
) -> None:
    async with archive.app.practice(HOUSE_LOG) as tx:
        await put_on_record(tx, EventKind.LEDGER_EXPORTED, {}, Actor.command("camille"), archive.clock, SystemRandom())
    await archive.seal()
    async with archive.superuser() as root:
        (record, *_) = (await root.execute(text(OF_THE_HOUSE))).scalars()
    order = ("erase", "house", "--record", record, "--reason", "wrongly_recorded", "--key", key, "--yes")
    order = (*order, "--also-disclosures")
    assert "to be erased: 1 " in (await typed(config, *order)).output
    assert "ordered, and not sealed yet (look again in a minute): 1 " in (await typed(config, *order)).output
    await archive.seal(Rules(RetentionTerms(), tuple(keys_of((tmp_path / "claire.vkey").read_text("utf-8")))))
    again = await typed(config, *order)
    assert "already ordered: 1 " in again.output
    assert again.output.endswith("nothing was done\n")


OF_THE_HOUSE = """
SELECT r.id FROM house_record r JOIN audit_leaf l ON l.record_id = r.id
WHERE r.body::jsonb ->> 'event' NOT IN ('erasure', 'key.rotated') ORDER BY l.idx
"""
