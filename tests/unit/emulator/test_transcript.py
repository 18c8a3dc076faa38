"""Transcripts are read strictly: every mistake is named with its line and with what to write."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from callcenter.emulator.lines import Forwarding
from callcenter.emulator.steps import (
    Answers,
    ContinuesOn,
    Ends,
    HangsUp,
    Hears,
    HearsNot,
    Mails,
    NoMails,
    NoRings,
    NoTexts,
    Operates,
    Presses,
    Rings,
    Says,
    SendsText,
    Texts,
    Waits,
)
from callcenter.emulator.transcript import Transcript, TranscriptError, load_transcript

WHOLE = r"""
title: Jeanne entend son prochain rendez-vous
at: "2026-11-26T10:00+01:00"
call: {from: "+33639980001", to: "+33465710001"}
steps:
  - hears: "composez le 15"
  - presses: "1,2#"
  - texts: {to: "+33639980001", match: "(\\d{3} ?\\d{3})", as: code}
  - no_texts: {to: "+33639980002"}
  - presses: "{code!}"
  - presses: "{code}"
  - hears_not: "Moreau"
  - waits: 12
  - says: "le secrétariat"
  - sends_text: {to: "+33199000001", body: "STOP"}
  - answers: {on: "+33472000000", presses: "1", hears: "tapez 1", as: second}
  - mails: {to: "accueil@cabinet.example", match: "demande (\\d+)", as: request}
  - no_mails: {to: "autre@cabinet.example"}
  - rings: {on: "+33465710099"}
  - no_rings: {on: "+33465710098"}
  - presses: "{request}"
  - continues_on: second
  - continues_on: caller
  - hangs_up: second
  - hangs_up: true
  - ended: true
ledger:
  - {categories: [D01, D02], level: 2, decision: granted}
"""

START = 'title: t\ncall: {from: anonymous, to: "+33465710001"}\n'


LINE = "line: '+33465710099', to: '+33465710001'"


def forwards(keys: str) -> str:
    return f"{START}forwarding:\n  - {{{keys}}}\nsteps: [{{ended: true}}]\n"


def load(tmp_path: Path, text: str) -> Transcript:
    path = tmp_path / "appel.yaml"
    path.write_text(text, encoding="utf-8")
    return load_transcript(path)


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(TranscriptError) as error:
        load(tmp_path, text)
    return [problem.removeprefix(str(tmp_path / "appel.yaml")) for problem in error.value.problems]


def test_everything_at_once(tmp_path: Path) -> None:
    transcript = load(tmp_path, WHOLE)
    assert (transcript.title, transcript.caller) == ("Jeanne entend son prochain rendez-vous", "+33639980001")
    assert transcript.at == datetime.fromisoformat("2026-11-26T10:00+01:00")
    kinds = [
        Hears,
        Presses,
        Texts,
        NoTexts,
        Presses,
        Presses,
        HearsNot,
        Waits,
        Says,
        SendsText,
        Answers,
        Mails,
        NoMails,
        Rings,
        NoRings,
        Presses,
        ContinuesOn,
        ContinuesOn,
        HangsUp,
        HangsUp,
        Ends,
    ]
    assert [type(step.action) for step in transcript.steps] == kinds
    assert [(step.number, step.line) for step in transcript.steps[:2]] == [(1, 6), (2, 7)]
    assert transcript.ledger is not None
    assert transcript.ledger[0].fields == (("categories", ["D01", "D02"]), ("level", 2), ("decision", "granted"))


def test_lines_that_forward(tmp_path: Path) -> None:
    text = forwards(f"{LINE}}}\n  - {{{LINE}, when: unanswered, caller: replaced, reported: false, after: 15")
    assert load(tmp_path, text).forwarding == (
        Forwarding("+33465710099", "+33465710001", "always", "kept", True, 20.0),
        Forwarding("+33465710099", "+33465710001", "unanswered", "replaced", False, 15.0),
    )


def test_no_ledger_is_not_an_empty_ledger(tmp_path: Path) -> None:
    assert load(tmp_path, START + "steps: [{ended: true}]\n").ledger is None
    assert load(tmp_path, START + "steps: [{ended: true}]\nledger: []\n").ledger == ()


def test_patterns_forgive_typography(tmp_path: Path) -> None:
    transcript = load(tmp_path, START + "steps: [{hears: 'l’heure\u00a0: 14\u202fheures'}]\n")
    action = transcript.steps[0].action
    assert isinstance(action, Hears)
    assert action.pattern.search("L'HEURE : 14 heures")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ": is empty"),
        ("- a\n", ":1: a transcript is not a set of keys"),
        ("title: [\n", ":2: this is not YAML"),
        (START, ":1: a transcript has no steps"),
        (START + "steps: []\n", ":1: a transcript has no steps"),
        (START + "steps: {}\n", ":3: steps is not a list"),
        (START + "steps:\n  - hears: a\n  - shouts: b\n", ":5: there is no step 'shouts'"),
        (START + "steps:\n  - {hears: a, presses: '1'}\n", ":4: a step has one key"),
        (START + "steps:\n  - hears\n", ":4: a step has one key"),
        (START + "steps: [{hears: '('}]\n", ":3: '(' is no regular expression"),
        (START + "steps: [{hears: ''}]\n", ":3: a text is missing here"),
        (START + "steps: [{presses: 1}]\n", ':3: YAML reads 1 as a number: put it in quotes, "1"'),
        (START + "steps: [{presses: 'A'}]\n", ":3: 'A' are no keys"),
        (START + "steps: [{presses: '{code}'}]\n", ":3: nothing was kept as 'code'"),
        (START + "steps: [{waits: '5'}]\n", ":3: waits is a number of seconds"),
        (START + "steps: [{waits: 0}]\n", ":3: waits is a number of seconds"),
        (START + "steps: [{ended: false}]\n", ":3: ended takes true only"),
        (START + "steps: [{hangs_up: nobody}]\n", ":3: no telephone was answered as 'nobody'"),
        (START + "steps: [{texts: {to: '+33639980001'}}]\n", ":3: texts has no 'match'"),
        (START + "steps: [{texts: {to: '+3', match: a, as: 'a b'}}]\n", ":3: 'as' is a name"),
        (START + "steps: [{no_texts: {to: '+3', for: 5}}]\n", ":3: no_texts has no key 'for'"),
        (START + "steps: [{mails: {to: 'a@b.example'}}]\n", ":3: mails has no 'match'"),
        (START + "steps: [{mails: {to: 'a@b.example', match: '('}}]\n", ":3: '(' is no regular expression"),
        (START + "steps: [{no_mails: {match: a}}]\n", ":3: no_mails has no 'to'"),
        (START + "steps: [{no_rings: {to: a}}]\n", ":3: no_rings has no 'on'"),
        (START + "steps: [{continues_on: home}]\n", ":3: no telephone was answered as 'home'"),
        (START + "steps: [{continues_on: {on: home}}]\n", ":3: a text is missing here"),
        (START + "steps: [{answers: {on: '+3', as: caller}}]\n", ":3: as: caller is the caller's own name"),
        (START + "steps: [{sends_text: {to: '+3'}}]\n", ":3: sends_text has no 'body'"),
        (START + "steps: [{sends_text: {body: STOP}}]\n", ":3: sends_text has no 'to'"),
        (START + "steps: [{sends_text: {to: '+3', body: a, at: b}}]\n", ":3: sends_text has no key 'at'"),
        (START + "steps: [{answers: {presses: '1'}}]\n", ":3: answers has no 'on'"),
        (START + "steps: [{ended: true}]\nextra: 1\n", ":4: a transcript has no key 'extra'"),
        (
            "title: t\ncall: {from: a, to: b, at: c}\nsteps: [{ended: true}]\n",
            ":2: call has no key 'at': write one of from, to",
        ),
        (START + "steps: [{texts: {to: '+3', match: a, named: c}}]\n", ":3: texts has no key 'named'"),
        (START + "steps: [{answers: {on: '+3', press: '1'}}]\n", ":3: answers has no key 'press'"),
        (
            START + "steps: [{ended: true}]\nledger: [{level: 2, decison: granted}]\n",
            ":4: a record of the ledger has no key 'decison': write one of categories, level, decision, reason",
        ),
        (START + "steps: [{ended: true}]\nat: demain\n", ":4: 'at' is no date and time with an offset"),
        (START + 'steps: [{ended: true}]\nat: "2026-11-26T10:00"\n', ":4: 'at' is no date and time with an offset"),
        (START + "title: u\nsteps: [{ended: true}]\n", ":3: a transcript has 'title' twice"),
        (START + "steps: [{ended: true}]\nledger: [D01]\n", ":4: a record of the ledger is a set of keys"),
        (START + "steps: [{ended: true}]\nledger: [{level: 1, level: 2}]\n", ":4: a record of the ledger has 'level'"),
        (
            START + "steps: [{ended: true}]\nledger:\n  - {level: 1}\n  - {decison: granted}\n",
            ":6: a record of the ledger has no key 'decison': write one of categories, level, decision",
        ),
        ("title: t\nsteps: [{ended: true}]\n", ":1: a transcript has no 'call'"),
        (forwards("to: '+33465710001'"), ":4: a forwarding has no 'line'"),
        (forwards("line: '+33465710099'"), ":4: a forwarding has no 'to'"),
        (forwards("line: '0465710099', to: '+33465710001'"), ":4: line is no number"),
        (forwards(LINE + ", when: never"), ":4: when is one of always, busy, unanswered"),
        (forwards(LINE + ", caller: hidden"), ":4: caller is one of kept, replaced"),
        (forwards(LINE + ", reported: 1"), ":4: reported is true or false"),
        (forwards(LINE + ", after: 15"), ":4: after is for lines that nobody answers"),
        (forwards(LINE + ", when: unanswered, after: 0"), ":4: after is a number of seconds"),
        (forwards(LINE + ", whom: me"), ":4: a forwarding has no key 'whom': write one of line, to, when"),
        (forwards(LINE + "}\n  - {" + LINE), ":5: +33465710099 forwards twice when always"),
        (START + "forwarding: {}\nsteps: [{ended: true}]\n", ":3: forwarding is not a list"),
        ("title: t\ncall: {from: +33639980001, to: '+3'}\nsteps: [{ended: true}]\n", ":2: YAML reads +33639980001"),
        ("call: {from: a, to: b}\nsteps: [{ended: true}]\n", ":1: a transcript has no 'title'"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(tmp_path, text)[0].startswith(expected)


def test_all_mistakes_are_named_together(tmp_path: Path) -> None:
    found = problems(tmp_path, START + "steps:\n  - hears: '('\n  - presses: 'x'\nextra: 1\n")
    assert [problem.split(": ")[0] for problem in found] == [":4", ":5", ":6"]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="cannot be read"):
        load_transcript(tmp_path / "none.yaml")


ON_DUTY = "on_duty: [{login: operatrice1, telephone: '+33465710071'}]\n"


def operates(keys: str) -> str:
    return f"{START}{ON_DUTY}steps:\n  - operator: {{{keys}}}\n"


def test_somebody_on_duty_answers_a_screen(tmp_path: Path) -> None:
    (step,) = load(tmp_path, operates("login: operatrice1, sees: 'L’heure', chooses: '1'")).steps
    assert isinstance(step.action, Operates)
    assert step.action.pattern is not None
    assert (step.action.pattern.pattern, step.action.chooses, step.action.absent) == ("L'heure", "1", False)
    (step,) = load(tmp_path, operates("login: operatrice1, fills: {text: 'un mot', urgency: urgent}")).steps
    assert step.action == Operates("operatrice1", fills=(("text", "un mot"), ("urgency", "urgent")))
    (step,) = load(tmp_path, operates("login: operatrice1, emergency: true")).steps
    assert step.action == Operates("operatrice1", emergency=True)
    (step,) = load(tmp_path, operates("login: operatrice1, sees_not: '14 h'")).steps
    assert isinstance(step.action, Operates)
    assert step.action.absent


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("login: operatrice2", "'operatrice2' is not on duty"),
        ("login: operatrice1, sees_not: a, chooses: '1'", "sees_not stands alone"),
        ("login: operatrice1, chooses: '1', fills: {text: a}", "sees_not stands alone"),
        ("login: operatrice1, chooses: '1', emergency: true", "sees_not stands alone"),
        ("login: operatrice1, emergency: false", "emergency"),
        ("login: operatrice1, fills: [text]", "fills is a set of fields"),
        ("login: operatrice1, chooses: 1", "put it in quotes"),
        ("sees: a", "has no 'login'"),
        ("login: operatrice1, clicks: a", "has no key 'clicks'"),
    ],
)
def test_what_is_wrong_with_an_answer_to_a_screen_is_told(tmp_path: Path, keys: str, told: str) -> None:
    found = problems(tmp_path, operates(keys))
    assert any(told in problem for problem in found), found
