"""What a process loads at start: one flow for each way in which somebody is met, each proven."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from callcenter.calls.flows import load_flows
from callcenter.flow.said import QUEUE_PROMPTS
from callcenter.kernel.errors import DataProblems
from callcenter.kernel.levels import Channel

ROOT = Path(__file__).resolve().parents[3]
PROMPTS, POLICY = ROOT / "flows/prompts/fr.yaml", ROOT / "config/disclosure-policy.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "flows", tmp_path / "flows"))


def refused(folder: Path, entry: str = "accueil") -> str:
    with pytest.raises(DataProblems) as refusal:
        load_flows(folder, entry, PROMPTS, POLICY)
    return str(refusal.value)


def test_the_shipped_flows_have_one_for_each_way(folder: Path) -> None:
    flows = load_flows(folder, "accueil", PROMPTS, POLICY)
    assert [flows.entry.name, *(flow.name for flow in (flows.outgoing, flows.callback, flows.operator) if flow)] == [
        "accueil",
        "rappel",
        "rappel_secretariat",
        "operateur",
    ]
    assert flows.operator is not None
    assert flows.operator.channel is Channel.CONSOLE
    playable = flows.playable(flows.operator.digest)
    assert playable is not None
    assert (playable.flow, playable.book) == (flows.operator, flows.book)
    assert playable.proof is not None


def test_without_a_script_operators_have_none(folder: Path) -> None:
    (folder / "operateur.yaml").unlink()
    assert load_flows(folder, "accueil", PROMPTS, POLICY).operator is None


def test_two_scripts_are_refused(folder: Path) -> None:
    text = (folder / "operateur.yaml").read_text("utf-8").replace("flow: operateur", "flow: autre")
    parts = "parts: [operateur/appointments, operateur/messages, operateur/refusals]"
    (folder / "autre.yaml").write_text(text.replace("parts: [appointments, messages, refusals]", parts), "utf-8")
    assert "several flows are for operators: « autre », « operateur »" in refused(folder)


def test_no_caller_is_met_by_a_script(folder: Path) -> None:
    assert "the flow « operateur » is not for calls" in refused(folder, "operateur")


def test_p9_a_script_that_is_not_proven_stops_the_start(folder: Path) -> None:
    """With the verify step in its place the same folder loads: the first test of this file."""
    part = folder / "operateur/appointments.yaml"
    text = part.read_text("utf-8")
    part.write_text(
        text.replace("operator.appointment_theirs, to: identify}", "operator.see_again, to: file}"), "utf-8"
    )
    assert "step « file » reveals D03" in refused(folder)


#: Nobody waits in it.
SHORT = """
flow: court
channel: voice
emergency: welcome
start: welcome
person: person
steps:
  welcome: {say: welcome, then: person}
  person: {take_message: callback, taken: goodbye, abandoned: goodbye}
  goodbye: {end: goodbye}
"""


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A folder of that flow alone, with the shipped words."""
    folder = tmp_path / "short"
    shutil.copytree(PROMPTS.parent, folder / "prompts")
    (folder / "court.yaml").write_text(SHORT, "utf-8")
    return folder


def worded(folder: Path, old: str, new: str) -> str:
    """What stands against it once its words are changed, in every language."""
    for file in (folder / "prompts").iterdir():
        text, times = re.subn(old, new, file.read_text("utf-8"), flags=re.MULTILINE)
        assert times == 1
        file.write_text(text, "utf-8")
    with pytest.raises(DataProblems) as refusal:
        load_flows(folder, "court", folder / "prompts/fr.yaml", POLICY)
    return str(refusal.value)


def test_a_flow_in_which_nobody_waits_is_enough(short: Path) -> None:
    assert load_flows(short, "court", short / "prompts/fr.yaml", POLICY).entry.name == "court"


@pytest.mark.parametrize("key", QUEUE_PROMPTS)
def test_p7_whoever_waits_in_a_flow_that_is_gone_hears_words_of_the_release_that_stands(short: Path, key: str) -> None:
    told = worded(short, rf"^  {re.escape(key)}:", f"  {key}_unheard:")
    assert f"the prompt « {key} » is missing" in told


def test_p9_the_words_of_a_wait_name_nothing_of_a_patient_though_nobody_waits_in_the_flow(short: Path) -> None:
    told = worded(short, r"^  queue\.nobody:.*\n(?:    .*\n)*", '  queue.nobody: "{{ appointment.place }}"\n')
    assert "the wait view says the prompt « queue.nobody », which names appointment.place (D06)" in told


def test_p9_what_refutes_a_flow_is_told_once_for_each_cause(folder: Path) -> None:
    """Whoever is refused is led on all the same: seven steps are refuted, and there is one thing to mend."""
    for file in folder.rglob("*.yaml"):
        file.write_text(file.read_text("utf-8").replace("refused: person", "refused: on_file"), "utf-8")
    told = refused(folder)
    assert told.count("the flow is refuted: ") == 1
    assert "    and 6 more of the same cause: « read », « read_again », " in told
