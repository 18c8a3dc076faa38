"""The disclosure policy as data: the shipped matrix, and what a policy may not leave open."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from callcenter.disclosure.policy import Never, Policy, SmsRule, load_policy
from callcenter.kernel.errors import DataProblems, Problem
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Channel, Level

SHIPPED = Path(__file__).parents[3] / "config" / "disclosure-policy.yaml"

#: category: voice, console, sensitivity; "-" is never. Copied by hand from the French rules' list of categories.
MATRIX = """
D00 0 0 0   D01 2 2 3   D02 2 2 3   D03 2 2 3   D04 2 2 4   D05 3 2 4   D06 2 2 3
D07 0 0 0   D08 3 2 4   D09 2 2 3   D10 - - 5   D11 - - 5   D12 3 2 4   D13 - - 5
D14 - 3 4   D15 - - 4   D16 2 2 3   D17 - - 4   D18 - - 5   D19 - - 5   D20 - - 5
"""


def test_the_shipped_matrix_is_that_of_the_rules() -> None:
    policy = load_policy(SHIPPED)
    cells = MATRIX.split()
    rows = [cells[at : at + 4] for at in range(0, len(cells), 4)]
    assert len(rows) == len(Category) == 21
    for code, voice, console, sensitivity in rows:
        category = Category(code)
        for channel, required in ((Channel.VOICE, voice), (Channel.CONSOLE, console)):
            expected = Never() if required == "-" else Level(int(required))
            assert policy.required(category, channel) == expected, (code, channel)
        assert policy.rules[category].sensitivity == int(sensitivity)
        assert policy.rules[category].name


def test_no_text_message_carries_what_it_may_not() -> None:
    rules = load_policy(SHIPPED).rules
    carried = {category.value for category, rule in rules.items() if rule.sms is not SmsRule.NEVER}
    assert carried == {"D00", "D02", "D03", "D06", "D07", "D09", "D12", "D16"}
    assert [category.value for category, rule in rules.items() if rule.sms is SmsRule.OPEN] == ["D00"]


def test_the_strictest_of_several_categories_decides() -> None:
    policy = load_policy(SHIPPED)
    time, speciality, result = Category.APPOINTMENT_TIME, Category.SPECIALITY, Category.RESULT_CONTENT
    assert policy.strictest([Category.PUBLIC], Channel.VOICE) is Level.UNKNOWN
    assert policy.strictest([Category.PUBLIC, time], Channel.VOICE) is Level.VERIFIED
    assert policy.strictest([speciality, time], Channel.VOICE) is Level.STRONG
    assert policy.strictest([speciality, time], Channel.CONSOLE) is Level.VERIFIED
    assert policy.strictest([time, result, speciality], Channel.VOICE) == Never()


def test_what_a_policy_does_not_know_is_never_told() -> None:
    assert Policy("empty", {}).required(Category.PUBLIC, Channel.VOICE) == Never()


def refused(folder: Path, old: str, new: str) -> list[Problem]:
    text = SHIPPED.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file = folder / "policy.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DataProblems) as refusal:
        load_policy(file)
    return list(refusal.value.problems)


D10 = '  D10:\n    name: "contenu d’un résultat ou d’un compte rendu"\n    sensitivity: 5\n    voice: never\n'


def test_a_category_that_is_left_out_is_a_problem(tmp_path: Path) -> None:
    problems = refused(tmp_path, "  D10:\n", "  D99:\n")
    assert ["category D10 is missing" in problems[0].what, "« D99 »" in problems[1].what] == [True, True]
    line = SHIPPED.read_text(encoding="utf-8").splitlines().index("  D10:") + 1
    assert problems[1].line == line


@pytest.mark.parametrize("voice", ["4", "-1", "always", "true", "2.0", '"2"', "null", ""])
def test_a_level_that_does_not_exist_is_a_problem(tmp_path: Path, voice: str) -> None:
    problems = refused(tmp_path, D10, D10.replace("voice: never", f"voice: {voice}"))
    line = SHIPPED.read_text(encoding="utf-8").splitlines().index("  D10:") + 4
    assert {problem.line for problem in problems} == {line}


def test_a_channel_that_is_left_out_or_unknown_is_a_problem(tmp_path: Path) -> None:
    problems = refused(tmp_path, D10, D10.replace("voice: never", "vioce: never"))
    assert any("« voice » is missing" in problem.what for problem in problems)
    assert any("« vioce » is not a key" in problem.what for problem in problems)


def replaced(code: str, channel: str, value: str) -> tuple[str, str]:
    """The row of a category as it is shipped, and with another value on a channel."""
    text = SHIPPED.read_text(encoding="utf-8")
    start = text.index(f"  {code}:\n")
    row = text[start : text.find("\n  D", start + 1) % (len(text) + 1)]
    (old,) = (line for line in row.splitlines() if line.startswith(f"    {channel}: "))
    return row, row.replace(old, f"    {channel}: {value}")


@pytest.mark.parametrize("code", ["D10", "D11", "D13", "D17", "D18", "D19", "D20"])
@pytest.mark.parametrize("level", ["0", "3"])
def test_what_the_law_closes_on_the_telephone_cannot_be_opened(tmp_path: Path, code: str, level: str) -> None:
    [problem] = refused(tmp_path, *replaced(code, "voice", level))
    line = SHIPPED.read_text(encoding="utf-8").splitlines().index(f"  {code}:") + 4
    assert (problem.line, problem.mend) == (line, "write voice: never")


@pytest.mark.parametrize("code", ["D01", "D02", "D03", "D04", "D05", "D06"])
@pytest.mark.parametrize(("channel", "offset"), [("voice", 4), ("console", 5)])
def test_that_somebody_is_a_patient_is_told_to_nobody_who_is_not_verified(
    tmp_path: Path, code: str, channel: str, offset: int
) -> None:
    for level in ("0", "1"):
        [problem] = refused(tmp_path, *replaced(code, channel, level))
        line = SHIPPED.read_text(encoding="utf-8").splitlines().index(f"  {code}:") + offset
        assert (problem.line, f"{channel}: 2 or more" in problem.mend) == (line, True)


def test_a_stricter_policy_loads(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    for code, channel, value in (("D03", "voice", "3"), ("D01", "voice", "never"), ("D16", "console", "3")):
        old, new = replaced(code, channel, value)
        text = text.replace(old, new)
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    policy = load_policy(file)
    assert policy.required(Category.APPOINTMENT_TIME, Channel.VOICE) is Level.STRONG
    assert policy.required(Category.RECORD_EXISTS, Channel.VOICE) == Never()


def test_the_digest_is_the_files(tmp_path: Path) -> None:
    assert load_policy(SHIPPED).digest == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


def test_a_policy_without_a_version_is_a_problem(tmp_path: Path) -> None:
    [problem] = refused(tmp_path, 'version: "2026-11-3"\n', "")
    assert "« version » is missing" in problem.what


def test_in_an_emergency_five_categories_are_opened_and_no_file_opens_another(tmp_path: Path) -> None:
    policy = load_policy(SHIPPED)
    opened = {category.value for category in Category if policy.in_emergency({category})}
    assert opened == {"D01", "D02", "D03", "D04", "D15"}
    assert not policy.in_emergency(())
    assert not policy.in_emergency({Category.RECORD_EXISTS, Category.SPECIALITY})
    old = '    name: "spécialité, service ou type d’acte"\n'
    [problem] = refused(tmp_path, old, old + "    emergency: true\n")
    assert "D05 is opened to nobody" in problem.what
