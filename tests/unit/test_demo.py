"""What the demo tells its emulator: whose telephones there are; and where there must be none."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from callcenter.demo import closed_now, emulator_address, emulator_settings, run_emulator, what_to_try
from callcenter.kernel.errors import ConfigurationError
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import read_demonstration
from callcenter.settings import PROJECT, Environment, Settings, load_settings
from tests.acceptance.stage import PARIS, stage_settings


def settings(environment: str) -> Settings:
    return stage_settings(Path("nowhere"), environment="test").model_copy(
        update={"environment": Environment(environment)}
    )


def test_the_demo_offers_its_peoples_telephones_and_its_practices_lines() -> None:
    told = emulator_settings(settings("demo"), 0)
    telephones = {one.number: one for one in told.telephones}
    assert telephones["+33639980001"].name == "Jeanne Martin-Duval"
    assert "14031962 (Jeanne)" in telephones["+33639980001"].hint
    assert telephones["+33639980002"].name == "Lucas, Hugo et Marie Petit"
    assert "05052012 (Lucas, Hugo) ou 17091984 (Marie)" in telephones["+33639980002"].hint
    assert telephones["+33639980006"].name == "Paul et Hélène Garnier"
    assert telephones["+33465710090"].name == "Cabinet des Tilleuls, ligne de secours"
    assert {one.number: one.name for one in told.lines} == {
        "+33465710001": "Cabinet des Tilleuls",
        "+33465710002": "Cabinet des Tilleuls (professionnels)",
        "+33465710003": "Cabinet des Tilleuls (débordement)",
        "+33261910001": "Maison de santé du Port",
    }


@pytest.mark.parametrize("environment", ["test", "production"])
def test_nobody_elses_emulator_is_told_of_the_demos_people(environment: str) -> None:
    told = emulator_settings(settings(environment), 0)
    assert (told.telephones, told.lines) == ((), ())


async def test_no_emulator_calls_an_installation_of_real_patients() -> None:
    with pytest.raises(ConfigurationError, match="environment demo or test"):
        await run_emulator(settings("production"), 0, print)


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-11-26T10:00", ""),
        ("2026-11-26T13:00", "jeudi: [00:00-23:59], vendredi: [08:30-12:00"),
        ("2026-11-29T16:00", "dimanche: [00:00-23:59]}' --until 2026-11-30"),
        ("2026-11-26T20:59", "To open it until midnight:"),
        ("2026-11-26T23:40", "To open it for the rest of tonight and all of tomorrow:"),
        ("2026-11-26T23:40", "jeudi: [00:00-23:59], vendredi: [00:00-23:59], samedi: [09:00-12:00]}'"),
        ("2026-11-26T23:40", "--until 2026-11-28"),
        ("2026-12-25T10:00", "a public holiday"),
    ],
)
def test_who_tries_it_while_the_practice_is_closed_is_told_how_to_open_it(moment: str, told: str) -> None:
    hint = closed_now(read_demonstration(FOLDER), datetime.fromisoformat(moment).replace(tzinfo=PARIS))
    assert (told in hint, bool(hint)) == (True, bool(told))


def test_who_has_chosen_other_ports_is_told_those(tmp_path: Path) -> None:
    """Each port that config/demo.yaml names can be another, and nothing that is said has the old one."""
    told = (PROJECT / "config" / "demo.yaml").read_text(encoding="utf-8")
    for port in ("8080", "8081", "9090", "8090", "8025"):
        told = told.replace(port, f"2{port}")
    file = tmp_path / "demo.yaml"
    file.write_text(told, encoding="utf-8")
    chosen = load_settings(file)
    ports = chosen.webhooks.port, chosen.console.port, chosen.private.port
    assert ports == (28080, 28081, 29090)
    assert emulator_address(chosen) == "http://127.0.0.1:28090"
    said = what_to_try(chosen)
    assert "http://127.0.0.1:28090/ " in said
    assert "http://localhost:28081/poste " in said
    assert ":80" not in said
