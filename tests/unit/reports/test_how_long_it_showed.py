"""For how long something stood on a screen: told by the replay and by the lists; by a record of before, not at all."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from callcenter.audit.reading import Checked, Record
from callcenter.disclosure.policy import load_policy
from callcenter.flow.prompts import PromptBook
from callcenter.reports.describing import Scene, of_record
from callcenter.reports.searching import _found_record
from callcenter.reports.spreadsheet import spreadsheet
from callcenter.reports.words import FACTS

POLICY = load_policy(Path(__file__).resolve().parents[3] / "config" / "disclosure-policy.yaml")
AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
REVEALED = {"event": "disclosure", "ts": AT.isoformat(), "decision": "granted", "step": "reveal", "categories": ["D03"]}
HIDDEN = {"event": "disclosure.hidden", "ts": AT.isoformat(), "of": str(UUID(int=1)), "categories": ["D03"]}
SCENE = Scene(AT, {}, {}, PromptBook("fr", {}), POLICY)


@pytest.mark.parametrize(
    ("body", "seconds", "hidden"),
    [
        ({**REVEALED, "seconds": 60}, "60", None),
        ({**HIDDEN, "seconds": 12}, None, "12"),
        (REVEALED, None, None),
    ],
)
def test_the_replay_tells_it_and_calls_a_bound_what_is_one(
    body: dict[str, Any], seconds: str | None, hidden: str | None
) -> None:
    moment = of_record(Checked(Record(UUID(int=1), 0, body), b"", holds=True), SCENE)
    told = {fact.label: fact.value for fact in moment.facts}
    assert (told.get("seconds"), told.get("hidden_after")) == (seconds, hidden)
    assert told["categories"].startswith("D03 (")
    assert moment.title != "Autre événement"


def test_a_list_as_a_file_tells_it_in_its_last_column() -> None:
    rows = [
        SimpleNamespace(
            id=UUID(int=n),
            at=body["ts"],
            event=body["event"],
            call_id=None,
            instead=None,
            actor=None,
            body=_bytes(body),
        )
        for n, body in enumerate(({**REVEALED, "seconds": 60}, REVEALED), start=1)
    ]
    written = spreadsheet([_found_record(row, {}) for row in rows]).decode("utf-8-sig")
    heading, *lines = csv.reader(io.StringIO(written, newline=""), delimiter=";")
    assert (heading[-1], [line[-1] for line in lines]) == (FACTS["seconds"], ["60", ""])
    assert heading[-2] == "Inscription", "the columns before it stand where they stood"


def _bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
