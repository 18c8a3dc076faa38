"""A preview says what the flow says, up to the first thing that a caller can do, however a call is received."""

from __future__ import annotations

import io
import wave
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callcenter.app.hearing import NobodyThere, _Nobody, beginning, spoken
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.practice_file import read_practice_file
from callcenter.practice.reception import AnswerMode, Answers, Reception, Rule
from callcenter.speech.voices import SAMPLE_RATE, SilentVoice
from tests.integration.practice_office import flows

PARIS = ZoneInfo("Europe/Paris")
OPEN, NIGHT = datetime(2026, 11, 26, 10, tzinfo=PARIS), datetime(2026, 11, 26, 23, tzinfo=PARIS)
MAIN, PROFESSIONALS, OVERFLOW = "+33465710001", "+33465710002", "+33465710003"


@pytest.fixture(scope="module")
def tilleuls() -> PracticeFacts:
    path = Path(FOLDER) / "practices" / "cabinet-des-tilleuls.yaml"
    facts = read_practice_file(path, demo_id("organisation", "tests"), demo_id).facts
    return replace(facts, message_of_the_day="Retard de dix minutes.")


async def said(facts: PracticeFacts, number: str, at: datetime) -> tuple[str, str]:
    begun = await beginning(flows(), facts, number, at)
    return " ".join(line.text for line in begun.lines), begun.then


async def test_each_way_of_being_received_is_shown(tilleuls: PracticeFacts) -> None:
    direct = replace(tilleuls, reception=Reception(mode=AnswerMode.DIRECT))
    itself = replace(tilleuls, reception=Reception((Rule(Answers.PRACTICE),)))
    shown = {
        "menu": await said(tilleuls, MAIN, OPEN),
        "direct": await said(direct, MAIN, OPEN),
        "overflow": await said(tilleuls, OVERFLOW, OPEN),
        "professionals": await said(tilleuls, PROFESSIONALS, OPEN),
        "practice": await said(itself, MAIN, OPEN),
        "closed": await said(tilleuls, MAIN, NIGHT),
    }
    assert {way: then for way, (_, then) in shown.items()} == {
        "menu": "question",
        "direct": "waiting",
        "overflow": "waiting",
        "professionals": "waiting",
        "practice": "ringing",
        "closed": "question",
    }
    assert all("15" in words and "112" in words for words, _ in shown.values())
    assert {way for way, (words, _) in shown.items() if "dix minutes" in words} == {
        "menu", "direct", "overflow", "closed",
    }  # fmt: skip
    assert "Paul Vasseur" in shown["closed"][0]
    assert "Paul Vasseur" not in shown["menu"][0]


def test_a_world_without_anybody_invents_nothing() -> None:
    with pytest.raises(NobodyThere):
        _Nobody().find("next_appointment", None)


async def test_a_sound_holds_every_line_however_long() -> None:
    lines = [("Bonjour.", "fr"), ("mot " * 400, "fr"), ("…", "fr")]
    with wave.open(io.BytesIO(await spoken(SilentVoice(), lines))) as sound:
        seconds = sound.getnframes() / SAMPLE_RATE
    assert seconds > 1600 * 0.06
