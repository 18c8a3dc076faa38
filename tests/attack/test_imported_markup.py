"""Files that a practice imports hold markup in every column that takes it: on the page of whoever tells what stood
there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from callcenter.app import Running
from callcenter.emulator.client import ControlClient
from callcenter.emulator.runner import Follower
from callcenter.emulator.steps import Operates
from callcenter.emulator.transcript import load_transcript
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import DataProblems
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.importing import RECORDS, ImportKind, ImportReport, import_fields, import_file
from callcenter.practice.records import Reading
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
#: The practice's own keys of a patient and of an appointment.
PATIENT, VISIT = "<img src=x id=patient>", "<img src=x id=visit>"
NOBODY = "Dr <img src=x id=nobody>"
#: What takes any word, by kind of file and column. Any other column holds a number, a day, one of a few words, or a
#: name that can be compared: whatever is markup is refused there.
FREE = {
    (ImportKind.PATIENTS, "external_id"): PATIENT,
    (ImportKind.CONTACTS, "patient"): PATIENT,
    (ImportKind.APPOINTMENTS, "external_id"): VISIT,
    (ImportKind.APPOINTMENTS, "patient"): PATIENT,
    (ImportKind.APPOINTMENTS, "practitioner"): NOBODY,
    (ImportKind.APPOINTMENTS, "place"): MARKUP,
}
#: A line of each kind: Jeanne, her mobile, and her next appointment.
LINES: Mapping[ImportKind, Mapping[str, str]] = {
    ImportKind.PATIENTS: {
        **{"external_id": "jeanne-martin-duval", "birth_name": "Martin-Duval", "first_name": "Jeanne"},
        **{"birth_date": "14/03/1962", "sex": "F", "identity_status": "QUAL"},
    },
    ImportKind.CONTACTS: {"patient": "jeanne-martin-duval", "phone": "+33639980001"},
    ImportKind.APPOINTMENTS: {
        **{"external_id": "jeanne-martin-duval/1", "patient": "jeanne-martin-duval", "practitioner": "Claire Moreau"},
        **{"starts_at": "01/12/2026 14:30", "place": "Rez-de-chaussée"},
    },
}
#: Of the three things that the script lists of an appointment.
PLACE = "3"
#: Their keys as the practice's software has them by now.
_KEYS = (
    text("UPDATE patient SET external_id = :patient WHERE external_id = 'jeanne-martin-duval'"),
    text("UPDATE appointment SET external_id = :visit WHERE external_id = 'jeanne-martin-duval/1'"),
)


def _takes(kind: ImportKind, column: str) -> bool:
    """Whether a cell of a column may hold markup."""
    names = {"first_names": MARKUP} if column == "first_name" else {}
    try:
        RECORDS[kind].model_validate(
            {**LINES[kind], **names, column: MARKUP}, context=Reading(ZoneInfo("Europe/Paris"), TODAY, frozenset())
        )
    except ValidationError:
        return False
    return True


def _file(folder: Path, kind: ImportKind, *but: str) -> Path:
    """A line whose every column that takes it holds markup, ``but`` some."""
    free = {column: words for (of, column), words in FREE.items() if of is kind and column not in but}
    line = {**LINES[kind], **free}
    file = folder / f"{kind}.csv"
    file.write_text(";".join(line) + "\n" + ";".join(line.values()) + "\n", encoding="utf-8")
    return file


async def _imported(running: Running, folder: Path, clock: DrivenClock, random: SeededRandom) -> None:
    """Files of all kinds, markup in each column that takes it; the one name of the practice's own that is none of it is
    refused, and not repeated."""
    async with running.database.practice(TILLEULS) as tx:
        for statement in _KEYS:
            await tx.connection.execute(statement, {"patient": PATIENT, "visit": VISIT})

    async def import_one(file: Path, kind: ImportKind) -> ImportReport:
        return await import_file(running.database, running.sealer, TILLEULS, file, kind, {}, False, clock, random)

    with pytest.raises(DataProblems) as refused:
        await import_one(_file(folder, ImportKind.APPOINTMENTS), ImportKind.APPOINTMENTS)
    assert "<img" not in str(refused.value)
    for kind in ImportKind:
        report = await import_one(_file(folder, kind, "practitioner"), kind)
        assert (report.updated, report.added) == (1, 0), kind


@attack(stopped_by=ESCAPED)
async def test_files_that_are_imported_bring_markup_to_whoever_tells_an_appointment(
    cluster: Cluster,
    database_name: str,  # noqa: F811 - the fixture
    keys_file: Path,  # noqa: F811 - the fixture
    clock: DrivenClock,
    random: SeededRandom,
    tmp_path: Path,
) -> Outcome:
    columns = {(kind, column) for kind in ImportKind for column in import_fields(kind)}
    assert {one for one in columns if _takes(*one)} == FREE.keys()
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
        running = stage.running
        await _imported(running, tmp_path, clock, random)
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
    assert MARKUP in unescape(page)
    assert all(key not in unescape(page) for key in (PATIENT, VISIT)), "what software calls somebody is shown"
    return gained("<img src=x" in page)
