"""Loading a flow: its form, its digest, and every refusal that has no golden text in ``unsafe/``."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.disclosure.policy import load_policy
from callcenter.flow.language import AskKind, Channel, Choose, End, Find, Level, Lookup, Say, Verify
from callcenter.flow.load import load_flow
from callcenter.flow.prompts import PromptBook
from callcenter.flow.proof import Refuted, prove
from callcenter.flow.said import CALLBACK_PROMPTS, ENGINE_PROMPTS, VERIFY_PROMPTS
from callcenter.kernel.errors import DataProblems, Problem

FLOWS = Path(__file__).parents[3] / "flows"
PROMPTS = Path(__file__).parent / "unsafe" / "prompts" / "fr.yaml"
BOOK = PromptBook.load(PROMPTS)
POLICY = load_policy(Path(__file__).parents[3] / "config" / "disclosure-policy.yaml")

HEAD = "flow: f\nchannel: voice\nemergency: welcome\nstart: welcome\nperson: person\nsteps:\n"
WELCOME = "  welcome: {say: welcome, then: menu}\n"
MENU = "  menu: {choose: menu, keys: {1: goodbye, 0: person}, silence: person}\n"
PERSON = "  person: {take_message: callback, taken: goodbye, abandoned: goodbye}\n"
END = "  goodbye: {end: goodbye}\n"
SOUND = HEAD + WELCOME + MENU + PERSON + END


def written(folder: Path, text: str) -> Path:
    file = folder / "f.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(folder: Path, text: str, book: PromptBook = BOOK) -> list[Problem]:
    with pytest.raises(DataProblems) as refusal:
        load_flow(written(folder, text), book)
    problems = list(refusal.value.problems)
    assert all(problem.mend for problem in problems)
    return problems


def the_one(folder: Path, text: str, book: PromptBook = BOOK) -> Problem:
    [problem] = refused(folder, text, book)
    return problem


def without(key: str) -> PromptBook:
    return PromptBook("fr.yaml", {name: BOOK[name] for name in BOOK if name != key})


# --- what a flow becomes


def test_a_sound_flow_is_loaded_in_the_files_order(tmp_path: Path) -> None:
    flow = load_flow(written(tmp_path, SOUND), BOOK)
    assert (flow.name, flow.channel, flow.start, flow.person) == ("f", Channel.VOICE, "welcome", "person")
    assert list(flow.steps) == ["welcome", "menu", "person", "goodbye"]
    assert flow.steps["welcome"] == Say("welcome", 7, "welcome", "menu")
    assert flow.steps["menu"] == Choose("menu", 8, "menu", {"1": "goodbye", "0": "person"}, "person", "person")
    assert flow.file == str(tmp_path / "f.yaml")


def test_nonsense_leads_where_silence_does_unless_it_is_said(tmp_path: Path) -> None:
    text = SOUND.replace("silence: person}", "silence: person, nonsense: welcome}")
    menu = load_flow(written(tmp_path, text), BOOK).steps["menu"]
    assert menu.outlets() == {"key 1": "goodbye", "key 0": "person", "silence": "person", "nonsense": "welcome"}


def test_an_ask_step_is_read(tmp_path: Path) -> None:
    text = SOUND.replace("1: goodbye", "1: number") + (
        "  number: {ask: words, kind: telephone, into: telephone, then: goodbye, silence: person}\n"
    )
    step = load_flow(written(tmp_path, text), BOOK).steps["number"]
    assert (step.kind, step.into) == (AskKind.TELEPHONE, "telephone")  # type: ignore[union-attr]  # an Ask, as written
    assert step.outlets() == {"then": "goodbye", "silence": "person", "nonsense": "person"}


def test_the_shipped_flow_stands_as_its_issue_says() -> None:
    book = PromptBook.load(FLOWS / "prompts" / "fr.yaml")
    flow = load_flow(FLOWS / "accueil.yaml", book)
    menu, verify, find = flow.steps["menu"], flow.steps["booked"], flow.steps["next_appointment"]
    assert isinstance(menu, Choose)
    assert menu.keys.keys() == {"0", "1", "2", "3", "4", "5", "6", "9"}
    assert (menu.keys["0"], menu.silence, menu.nonsense) == ("person", "person", "person")
    assert isinstance(verify, Verify)
    assert (verify.level, verify.refused, verify.unavailable) == (Level.VERIFIED, "person", "person")
    assert isinstance(find, Find)
    assert (find.what, find.withheld) == (Lookup.NEXT_APPOINTMENT, "person")
    # Whatever sends a caller to a person sends them to the same step, which knows nothing of why.
    ways = {(step, outlet) for step, outlet, target in flow.edges() if target == "person"}
    outlets = {outlet for _, outlet in ways}
    assert outlets >= {"key 0", "silence", "nonsense", "refused", "unavailable", "withheld"}
    assert flow.steps["person"].outlets() == {"yes": "operators", "no": "person_closed"}
    # Two who have talked hear no goodbye of ours; everybody else ends with one.
    ends = {step.name for step in flow.steps.values() if isinstance(step, End)}
    assert ends == {"goodbye", "parted", "callback_kept"}


# --- the digest


def test_the_digest_follows_the_flow_and_the_prompts_that_it_says(tmp_path: Path) -> None:
    def digest(text: str = SOUND, old: str = "", new: str = "") -> str:
        book = tmp_path / "book.yaml"
        book.write_text(PROMPTS.read_text(encoding="utf-8").replace(old, new) if old else PROMPTS.read_text("utf-8"))
        return load_flow(written(tmp_path, text), PromptBook.load(book)).digest

    assert digest() == digest()
    assert len(digest()) == 64
    assert digest(SOUND + "# a comment\n") != digest()
    assert digest(old="Au revoir.", new="À bientôt.") != digest()  # said by the end step
    assert digest(old="Motif ?", new="Pourquoi ?") != digest()  # said by take_message
    assert digest(old="Recommencez.", new="Encore une fois.") != digest()  # said by the engine
    assert digest(old="Date de naissance ?", new="Quand ?") == digest()  # no verify step in this flow


# --- refusals


@pytest.mark.parametrize("key", [*ENGINE_PROMPTS, *CALLBACK_PROMPTS])
def test_the_words_of_engine_and_messages_must_exist(tmp_path: Path, key: str) -> None:
    assert f"« {key} » that is not in fr.yaml" in the_one(tmp_path, SOUND, without(key)).what


@pytest.mark.parametrize("key", VERIFY_PROMPTS)
def test_the_words_of_verify_must_exist_where_it_stands(tmp_path: Path, key: str) -> None:
    load_flow(written(tmp_path, SOUND), without(key))
    verify = "  identify: {verify: {level: 2}, verified: goodbye, refused: person, unavailable: person}\n"
    text = SOUND.replace("1: goodbye", "1: identify") + verify
    assert f"step « identify » says a prompt « {key} »" in the_one(tmp_path, text, without(key)).what


@pytest.mark.parametrize("key", ["engine.limit", "engine.farewell", "callback.taken"])
def test_the_words_of_engine_and_messages_must_be_public(tmp_path: Path, key: str) -> None:
    book = PromptBook("fr.yaml", {**BOOK.prompts, key: BOOK["place"]})
    assert "names appointment.place" in the_one(tmp_path, SOUND, book).what


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("flow: f", "flow: g", 1, "stands in a file « f »"),
        ("channel: voice", "channel: radio", 2, "« channel » has a value that is not known"),
        ("start: welcome", "start: nowhere", 4, "« start » names a step « nowhere »"),
        ("person: person\n", "person: nobody\n", 5, "« person » names a step « nobody »"),
        ("emergency: welcome\n", "", 0, "names no prompt with the emergency line"),
        ("emergency: welcome\n", "emergency: absent\n", 3, "names no prompt with the emergency line"),
        ("steps:\n", "extra: 1\nsteps:\n", 6, "« extra » is not a key"),
        ("keys: {1: goodbye, 0: person}", "keys: {}", 8, "should have at least 1 item"),
        ("{1: goodbye, ", "{10: goodbye, ", 8, "has a key « 10 »"),
        ("{1: goodbye, ", '{"#": goodbye, ', 8, "has a key « # »"),
        ("{1: goodbye, ", "{1: 2, ", 8, "should be a valid string"),
        ("  goodbye: {", "  Good Bye: {end: goodbye}\n  goodbye: {", 10, "should match pattern"),
        ("person: {take_message: callback", "person: {take_message: letter", 9, "has a value that is not known"),
        ("{end: goodbye}", "{end: goodbye, then: menu}", 10, "« then » is not a key"),
        ("{end: goodbye}", "[end, goodbye]", 10, "valid dictionary"),
    ],
)
def test_one_fault_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    assert SOUND.count(old) == 1
    problem = the_one(tmp_path, SOUND.replace(old, new))
    assert (what in problem.what, problem.line) == (True, line), problem


def test_a_flow_that_is_not_for_the_telephone_needs_no_emergency_line(tmp_path: Path) -> None:
    text = SOUND.replace("channel: voice\nemergency: welcome\n", "channel: console\n")
    assert not [problem for problem in refused(tmp_path, text) if "emergency" in problem.what]


def test_p7_the_emergency_line_needs_both_numbers(tmp_path: Path) -> None:
    for words in ("Composez le 15.", "Composez le 112.", "Le 1512 ou le 112.", "Le 15 ou le 1121."):
        book = tmp_path / "book.yaml"
        book.write_text(PROMPTS.read_text("utf-8").replace('Urgence vitale : le 15 ou le 112."\n', f'{words}"\n', 1))
        problem = the_one(tmp_path, SOUND, PromptBook.load(book))
        assert "does not always say both the 15 and the 112" in problem.what


def test_p7_the_emergency_line_is_said_and_not_asked(tmp_path: Path) -> None:
    asked = "  welcome: {choose: welcome, keys: {1: menu, 0: person}, silence: person}\n"
    verdict = prove(load_flow(written(tmp_path, SOUND.replace(WELCOME, asked)), BOOK), BOOK, POLICY)
    assert isinstance(verdict, Refuted)
    assert (
        "step « welcome » is met by callers, which needs the emergency line « welcome » before it"
        in verdict.counterexamples[0].what
    )


def test_p7_a_message_that_is_given_up_leads_back_to_a_person(tmp_path: Path) -> None:
    message = "  message: {take_message: callback, taken: goodbye, abandoned: menu}\n"
    text = SOUND.replace("1: goodbye", "1: message") + message
    assert load_flow(written(tmp_path, text), BOOK)
    problem = the_one(tmp_path, text.replace("abandoned: menu", "abandoned: goodbye"))
    assert "from the outlet « abandoned » of step « message »" in problem.what


def test_p7_the_way_to_a_person_may_pass_go_steps_only(tmp_path: Path) -> None:
    through_go = SOUND.replace("0: person", "0: way") + "  way: {go: person}\n"
    assert load_flow(written(tmp_path, through_go), BOOK)
    through_words = SOUND.replace("0: person", "0: way") + "  way: {say: words, then: person}\n"
    assert "does not lead to a person by 0" in the_one(tmp_path, through_words).what


def test_p7_menus_on_the_way_to_a_person_need_no_0_and_others_do(tmp_path: Path) -> None:
    choice = "  person: {choose: menu, keys: {1: message}, silence: message}\n"
    message = "  message: {take_message: callback, taken: goodbye, abandoned: goodbye}\n"
    assert load_flow(written(tmp_path, HEAD + WELCOME + MENU + choice + message + END), BOOK)
    beside = SOUND.replace("1: goodbye", "1: other") + "  other: {choose: menu, keys: {1: goodbye}, silence: person}\n"
    assert "« other » does not lead to a person by 0" in the_one(tmp_path, beside).what


@pytest.mark.parametrize("outlet", ["refused", "unavailable"])
def test_p7_no_refusal_leads_into_a_corner(tmp_path: Path, outlet: str) -> None:
    step = "  identify: {verify: {level: 2}, verified: goodbye, refused: person, unavailable: person}\n"
    cornered = step.replace(f"{outlet}: person", f"{outlet}: goodbye")
    problem = the_one(tmp_path, SOUND.replace("1: goodbye", "1: identify") + cornered)
    assert f"from the outlet « {outlet} » of step « identify »" in problem.what


def test_p7_live_evidence_answers_at_once_so_verify_is_no_question_in_a_round(tmp_path: Path) -> None:
    step = "  identify: {verify: {level: 2}, verified: back, refused: person, unavailable: person}\n"
    step += "  back: {go: identify}\n"
    problem = the_one(tmp_path, SOUND.replace("1: goodbye", "1: identify") + step)
    assert "identify → back → identify come round without a question" in problem.what


@pytest.mark.parametrize("step", ["say: goodbye, then: menu", "disclose: goodbye, then: menu, withheld: person"])
def test_what_is_for_operators_is_said_to_no_caller(tmp_path: Path, step: str) -> None:
    """Instructions of a practice are public by their category, and none of a caller's business."""
    folder = tmp_path / "prompts"
    folder.mkdir()
    book = folder / "fr.yaml"
    text = PROMPTS.read_text("utf-8")
    book.write_text(text.replace("  goodbye:", '  told: "{{ practice.instructions }}"\n  goodbye:', 1), "utf-8")
    told = SOUND.replace("1: goodbye", "1: told") + f"  told: {{{step.replace('goodbye', 'told')}}}\n"
    problem = the_one(tmp_path, told, PromptBook.load(book))
    assert "practice.instructions" in problem.what
    assert problem.mend == "show it in a flow of the channel console"
