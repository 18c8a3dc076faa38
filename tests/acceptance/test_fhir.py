"""A practice's disclosures leave as FHIR, each from its own record, and that they leave is on record."""

from __future__ import annotations

import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from callcenter.audit import reading
from callcenter.emulator.outcomes import Passed
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import IntegrityError
from callcenter.practice.demo_file import demo_id
from callcenter.reports import fhir_export
from callcenter.reports.fhir_export import NotTheProfile, lines_of, standing
from callcenter.reports.fhir_profile import faults
from callcenter.store.schema import SEALER
from tests.acceptance.stage import Stage
from tests.acceptance.test_carrier_list import TRANSCRIPTS, config, run
from tests.conftest import Cluster
from tests.sealing import a_key, seal_once

__all__ = ["config"]  # the fixture, by name

TILLEULS, SLUG = demo_id("practice", "cabinet-des-tilleuls"), "cabinet-des-tilleuls"


@pytest.fixture
def seal(cluster: Cluster, database_name: str, clock: DrivenClock) -> Callable[[], Awaitable[object]]:
    """One round of the sealer."""
    return lambda: seal_once(cluster.server.url(user=SEALER, database=database_name), a_key(), clock)


async def _told(stage: Stage, *names: str) -> list[str]:
    """Calls; the identifiers of what was decided in them, in order."""
    for name in names:
        assert isinstance(await stage.play(TRANSCRIPTS / f"{name}.yaml"), Passed)
    async with stage.running.database.practice(TILLEULS) as tx:
        query = "SELECT id FROM audit_record WHERE event = 'disclosure' ORDER BY at, id"
        return [str(one) for one in (await tx.connection.execute(text(query))).scalars()]


async def test_what_was_told_leaves_as_fhir_on_record(
    stage: Stage,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seal: Callable[[], Awaitable[object]],
) -> None:
    decided = await _told(stage, "next_appointments", "deceased")
    assert len(decided) > 2
    monkeypatch.setattr(fhir_export, "PAGE", 2)
    file = tmp_path / "communications.ndjson"
    early = await run(config, "fhir", SLUG, "-o", str(file))
    assert (early.exit_code, file.read_text()) == (0, ""), "what nothing proves yet does not leave"
    assert early.stderr == f"{len(decided)} more are not sealed yet: they leave with the next file, seconds later\n"
    await seal()
    there = await run(config, "fhir", SLUG, "-o", str(file))
    assert (there.exit_code, file.read_text()) == (2, "")
    file.unlink()
    done = await run(config, "fhir", SLUG, "-o", str(file), "--check", "--by", "camille")
    assert (done.exit_code, done.output) == (
        0,
        f"{len(decided)} events written to {file}, each as the profile wants it\n",
    )
    written = file.read_text(encoding="utf-8")
    events = [json.loads(line) for line in written.splitlines()]
    assert [event["id"] for event in events] == decided
    assert [faults(event) for event in events] == [[]] * len(events)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
    for value in ("Martin-Duval", "Jeanne", "1962", "14/03", "639980001"):
        assert value not in written, "references and tokens alone (LG-01)"
    async with stage.running.database.practice(TILLEULS) as tx:
        query = "SELECT body FROM audit_record WHERE event = 'review.exported'"
        bodies = [json.loads(body) for body in (await tx.connection.execute(text(query))).scalars()]
    assert [(body["refs"], body["count"], body["actor"]["id"]) for body in bodies][1:] == [
        (["list:fhir"], len(decided), "camille")
    ]


async def test_an_event_that_is_not_as_it_should_be_leaves_nothing(
    stage: Stage,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seal: Callable[[], Awaitable[object]],
) -> None:
    await _told(stage, "next_appointments")
    await seal()
    file = tmp_path / "communications.ndjson"
    file.write_text("as it was", encoding="utf-8")
    size = (await standing(stage.running.database, TILLEULS)).size
    with monkeypatch.context() as patch:
        patch.setattr(fhir_export, "faults", lambda _: ["action is not R"])
        with pytest.raises(NotTheProfile, match="action is not R"):
            [_ async for _ in lines_of(stage.running.database, TILLEULS, "https://a", size, check=True)]
        refused = await run(config, "fhir", SLUG, "-o", str(file), "--force", "--check")
        assert (refused.exit_code, file.read_text("utf-8")) == (2, "as it was")
    with monkeypatch.context() as patch:
        patch.setattr(reading, "leaf_of", lambda _: bytes(32))
        with pytest.raises(IntegrityError, match="not the one of its leaf"):
            [_ async for _ in lines_of(stage.running.database, TILLEULS, "https://a", size)]
    nowhere = await run(config, "fhir", SLUG, "-o", str(tmp_path / "none" / "x.ndjson"))
    assert (nowhere.exit_code, "cannot be written" in nowhere.output) == (2, True)
    unknown = await run(config, "fhir", "nobody", "-o", str(tmp_path / "other"))
    assert (unknown.exit_code, "there is no practice" in unknown.output) == (2, True)
