"""A file that a practice imports holds markup: on the page of whoever tells what stood in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from callcenter.emulator.client import ControlClient
from callcenter.emulator.runner import Follower
from callcenter.emulator.steps import Operates
from callcenter.emulator.transcript import load_transcript
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.importing import ImportKind, import_file
from callcenter.store.schema import APP
from tests.acceptance.conftest import database_name, furnished, keys_file  # noqa: F401 - fixtures, by name
from tests.acceptance.desks import staff_desks
from tests.acceptance.stage import stage_settings, staged
from tests.acceptance.test_transcripts import FOLDER
from tests.attack.defence import Outcome, attack, gained
from tests.attack.escaping import ESCAPED
from tests.attack.scene import TILLEULS
from tests.conftest import TODAY, Cluster

MARKUP = "2e étage <img src=x onerror=alert(1)>"
AGENDA = f"""external_id;patient;practitioner;starts_at;place
jeanne-martin-duval/1;jeanne-martin-duval;Claire Moreau;01/12/2026 14:30;{MARKUP}
"""
#: Of the three things that the script lists of an appointment.
PLACE = "3"


@attack(stopped_by=ESCAPED)
async def test_an_imported_agenda_brings_markup_to_whoever_tells_an_appointment(
    cluster: Cluster,
    database_name: str,  # noqa: F811 - the fixture
    keys_file: Path,  # noqa: F811 - the fixture
    clock: DrivenClock,
    random: SeededRandom,
    tmp_path: Path,
) -> Outcome:
    script = load_transcript(FOLDER / "operator_tells.yaml")
    at, file_seen = next(
        (at, step.action)
        for at, step in enumerate(script.steps)
        if isinstance(step.action, Operates) and "Montrez seulement" in str(step.action.pattern)
    )
    steps = (*script.steps[:at], replace(script.steps[at], action=replace(file_seen, chooses=PLACE)))
    app, jobs = (made(user=APP, database=database_name) for made in (cluster.server.url, cluster.server.dsn))
    async with staged(stage_settings(keys_file), app, jobs, clock, random, furnished=TODAY) as stage:
        await stage.furnish(script.at or TODAY)
        file = tmp_path / "agenda.csv"
        file.write_text(AGENDA, encoding="utf-8")
        running = stage.running
        report = await import_file(
            running.database, running.sealer, TILLEULS, file, ImportKind.APPOINTMENTS, {}, False, clock, random
        )
        assert report.updated == 1
        async with (
            ControlClient(stage.emulator.base_url) as client,
            stage.on_duty(script),
            staff_desks(running, clock) as desks,
        ):
            follower = await Follower.calling(client, script, upkeep=stage.upkeep(script), desks=desks)
            difference = await follower.follow(steps)
            assert difference is None, str(difference)
            page = await desks.page("operatrice1")
            await follower.hang_up()
    assert "2e étage" in page
    return gained("<img src=x" in page)
