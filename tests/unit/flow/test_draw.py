"""A flow as a picture: everything of it is there, with what is guaranteed, and nothing of it is markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from callcenter.disclosure.policy import Never, Policy, load_policy
from callcenter.flow.check import Verdict
from callcenter.flow.draw import draw
from callcenter.flow.drawing import CannotWrite, draw_file, write_picture
from callcenter.flow.language import Channel, Choose, End, Flow, Go, Level, ProofKind, Prove, Say, Step, Verify
from callcenter.flow.load import load_flow
from callcenter.flow.picture.boxes import INNER, ROW_SIZE, WIDE, shown
from callcenter.flow.picture.frames import frames_of, rows_of
from callcenter.flow.picture.guards import Region, guards_of
from callcenter.flow.picture.kinds import Kind, kind_of
from callcenter.flow.picture.letters import fitted, width, wrapped
from callcenter.flow.picture.panels import RED
from callcenter.flow.picture.words import FIELDS, LEVELS, beginning, outlets_in_french
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.proof import prove
from callcenter.flow.said import CALLBACK_PROMPTS, ENGINE_PROMPTS, VERIFY_PROMPTS
from callcenter.flow.template import parse
from callcenter.kernel.labels import FIELD_LABELS, Category
from callcenter.speech.typography import set_in_french

ROOT = Path(__file__).parents[3]
UNSAFE = Path(__file__).parent / "unsafe"
FLOWS = sorted((ROOT / "flows").glob("*.yaml"))
SVG = "{http://www.w3.org/2000/svg}"
#: All that a picture is made of.
ELEMENTS = {"svg", "title", "desc", "defs", "marker", "g", "path", "rect", "circle", "text"}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(ROOT / "config" / "disclosure-policy.yaml")


@pytest.fixture(scope="module")
def book() -> PromptBook:
    return PromptBook.load(ROOT / "flows" / "prompts" / "fr.yaml")


def book_of(**texts: str) -> PromptBook:
    return PromptBook(
        "here", {key: Prompt(key, text, parse(text)[0], frozenset(), "fr") for key, text in texts.items()}
    )


def flow_of(steps: Mapping[str, Step], start: str = "start") -> Flow:
    return Flow("made", Channel.VOICE, "made.yaml", start, "person", steps, "0" * 64)


def root_of(picture: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314 - our own, and it has no document type


def texts(picture: str) -> list[str]:
    return [element.text or "" for element in root_of(picture).iter(f"{SVG}text")]


def boxes(picture: str) -> dict[str, ElementTree.Element]:
    """The group of each step, by the step's name."""
    found = {}
    for group in root_of(picture).iter(f"{SVG}g"):
        if group and group[0].tag == f"{SVG}title":
            assert group[0].text not in found, "a step is drawn once"
            found[group[0].text or ""] = group
    return found


def said(group: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in group.iter(f"{SVG}text")]


# --- the shipped flows


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_each_step_is_drawn_once_with_all_its_outlets(file: Path, book: PromptBook, policy: Policy) -> None:
    flow = load_flow(file, book)
    picture = draw(flow, book, policy, prove(flow, book, policy))
    drawn = boxes(picture)
    assert drawn.keys() == flow.steps.keys()
    lines = {(line.source, line.target) for frame in frames_of(flow) for line in frame.lines}
    lines |= {two for frame in frames_of(flow) for stack in frame.stacks for two in pairwise(stack)}
    for step in flow.steps.values():
        flags = [text.lstrip("→↩\xa0") for text in said(drawn[step.name]) if text[0] in "→↩"]
        led = [
            "secrétariat" if row.target == flow.person and flow.channel is Channel.VOICE else row.target
            for row in rows_of(step)
            if (step.name, row.target) not in lines
        ]
        assert sorted(flags) == sorted(led), step.name
        assert {outlet for row in rows_of(step) for outlet in row.outlets} == step.outlets().keys()


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_p9_a_step_shows_the_level_that_is_guaranteed_there_and_no_other(
    file: Path, book: PromptBook, policy: Policy
) -> None:
    flow = load_flow(file, book)
    drawn, guards = boxes(draw(flow, book, policy, prove(flow, book, policy))), guards_of(flow, book, policy)
    for name, group in drawn.items():
        levels = [text for text in said(group) if text.startswith("NIVEAU")]
        level = guards.regions[name].level
        assert levels == ([f"NIVEAU {level.value}"] if level else [])


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_a_picture_holds_no_script_style_or_address_and_is_small(file: Path, book: PromptBook, policy: Policy) -> None:
    flow = load_flow(file, book)
    picture = draw(flow, book, policy, prove(flow, book, policy))
    assert len(picture.encode()) < 100_000
    _is_harmless(picture)


def _is_harmless(picture: str) -> None:
    for element in root_of(picture).iter():
        assert element.tag.removeprefix(SVG) in ELEMENTS, element.tag
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name not in ("style", "class", "href"), name
            assert "url(" not in value or value in ("url(#fleche)", "url(#rouge)")
            assert "://" not in value


def test_the_same_flow_is_the_same_bytes(book: PromptBook, policy: Policy) -> None:
    one, other = (load_flow(FLOWS[0], PromptBook.load(ROOT / "flows" / "prompts" / "fr.yaml")) for _ in range(2))
    assert draw(one, book, policy, prove(one, book, policy)) == draw(other, book, policy, prove(other, book, policy))


def test_a_picture_tells_who_does_not_see_it_what_is_guarded(book: PromptBook, policy: Policy) -> None:
    flow = load_flow(ROOT / "flows" / "rappel.yaml", book)
    root = root_of(draw(flow, book, policy, prove(flow, book, policy)))
    assert root.get("role") == "img"
    named = {element.get("id"): element.text for element in root if element.get("id")}
    assert root.get("aria-labelledby") == "titre texte"
    assert named["titre"] == "Scénario « rappel »"
    assert "prouvé" in (named["texte"] or "")
    assert "Étapes gardées : next_appointment, read," in (named["texte"] or "")


def test_the_legend_says_what_the_policy_opens_at_each_level(book: PromptBook, policy: Policy) -> None:
    flow = load_flow(ROOT / "flows" / "rappel.yaml", book)
    whole = " ".join(texts(draw(flow, book, policy, prove(flow, book, policy))))
    unknown, rest = whole.split(LEVELS[Level.VERIFIED], 1)
    verified, strong = rest.split(LEVELS[Level.STRONG], 1)
    assert "D00" in unknown
    assert "D03" not in unknown
    assert "D03 date et heure du rendez-vous" in set_in_french(verified)
    assert "D05" not in verified
    assert "D05" in strong.split("Jamais dit", 1)[0]
    assert "D10" in strong.split("Jamais dit", 1)[1]


def test_a_card_is_no_level(book: PromptBook, policy: Policy) -> None:
    flow = load_flow(ROOT / "flows" / "accueil.yaml", book)
    guards = guards_of(flow, book, policy)
    assert guards.regions["slot_read"] == Region(Level.UNKNOWN, card=True)
    assert guards.regions["slot_menu"] == Region(Level.UNKNOWN)


# --- refuted flows


def test_p9_a_refuted_flow_is_drawn_with_the_shortest_way_that_refutes_it_in_red() -> None:
    drawing = draw_file(
        UNSAFE / "failure_rejoins.yaml",
        book_path=UNSAFE / "prompts" / "fr.yaml",
        policy_path=ROOT / "config" / "disclosure-policy.yaml",
    )
    assert drawing.verdict is Verdict.REFUSED
    assert drawing.picture is not None
    drawn, whole = boxes(drawing.picture), " ".join(texts(drawing.picture))
    assert "Ce scénario n’est pas prouvé" in whole
    assert (
        "welcome (niveau 0) –ensuite→ menu (niveau 0) –touche 1→ identify (niveau 0) –refusé→ find (niveau 0)" in whole
    )
    numbers = {name: [text for text in said(group) if text.isdigit()] for name, group in drawn.items()}
    assert numbers == {
        "welcome": ["1"], "menu": ["2"], "identify": ["3"], "find": ["4"], "read": [], "person": [], "goodbye": [],
    }  # fmt: skip
    assert any("non garanti" in text for text in said(drawn["find"]))
    red = [path for path in root_of(drawing.picture).iter(f"{SVG}path") if path.get("marker-end") == "url(#rouge)"]
    assert len(red) == 3
    assert RED in drawing.picture


#: By flow: what is wrong with it, and the mend.
FAULTS = {
    "failure_rejoins": (
        "L’étape « find » communique D01 existence d’un dossier, D02 existence d’un rendez-vous, ce qui demande le "
        "niveau 2 ; on peut y arriver au niveau 0.",
        "Faire passer tout chemin vers « find » par l’issue « vérifié » d’une étape qui vérifie jusqu’au niveau 2.",
    ),
    "level_3_at_level_2": (
        "L’étape « read » communique D05 spécialité, service ou type d’acte, ce qui demande le niveau 3 ; on peut y "
        "arriver au niveau 2.",
        "Faire passer tout chemin vers « read » par l’issue « vérifié » d’une étape qui vérifie jusqu’au niveau 3.",
    ),
    "do_without_find": (
        "L’étape « confirm » demande : rendez-vous trouvé ; on peut y arriver sans.",
        "Faire passer tout chemin vers « confirm » par l’issue « trouvé » d’une étape qui cherche le rendez-vous.",
    ),
    "move_without_reference": (
        "L’étape « reference » demande : référence reconnue ; on peut y arriver sans.",
        "Faire passer tout chemin vers « reference » par l’issue « reconnue » d’une étape qui demande la référence.",
    ),
    "slot_without_card": (
        "L’étape « read » demande : référence et date de naissance ; on peut y arriver sans.",
        "Faire passer tout chemin vers « read » par l’issue « prouvé » d’une étape qui demande la date de naissance "
        "qui va avec la référence.",
    ),
    "emergency_after_question": (
        "L’étape « menu » s’adresse à l’appelant avant la consigne d’urgence.",
        "Dire la consigne d’urgence sur tout chemin vers « menu », avant tout le reste.",
    ),
    "category_never": (
        "L’étape « read » communique ce qui n’est jamais dit au téléphone : D06 lieu du rendez-vous.",
        "Retirer cela de l’étape « read » : aucun niveau ne l’ouvre.",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_picture_says_in_french_why_a_flow_is_refuted_and_the_mend(name: str, policy: Policy) -> None:
    unsafe = PromptBook.load(UNSAFE / "prompts" / "fr.yaml")
    place = policy.rules[Category.PLACE]
    place = replace(place, required={**place.required, Channel.VOICE: Never()})
    policy = replace(policy, rules={**policy.rules, Category.PLACE: place}) if name == "category_never" else policy
    flow = load_flow(UNSAFE / f"{name}.yaml", unsafe)
    whole = " ".join(texts(draw(flow, unsafe, policy, prove(flow, unsafe, policy))))
    fault, mend = map(set_in_french, FAULTS[name])
    assert f".yaml:{flow.steps[fault.split('«')[1].split('»')[0].strip()].line} · {fault}" in whole
    assert f"À corriger\xa0: {mend}" in whole
    assert not re.search(r"\b(step|needs|every|path|which)\b", whole.replace(flow.file, ""))


def test_p9_a_proven_flow_shows_nothing_red(book: PromptBook, policy: Policy) -> None:
    flow = load_flow(FLOWS[0], book)
    picture = draw(flow, book, policy, prove(flow, book, policy))
    assert "n’est pas prouvé" not in picture
    assert "url(#rouge)" not in picture
    assert not any("non garanti" in text for text in texts(picture))


@pytest.mark.parametrize("file", sorted(UNSAFE.glob("*.yaml")), ids=lambda file: file.stem)
def test_whatever_loads_is_drawn_and_nothing_else(file: Path) -> None:
    drawing = draw_file(
        file, book_path=UNSAFE / "prompts" / "fr.yaml", policy_path=ROOT / "config" / "disclosure-policy.yaml"
    )
    assert (drawing.picture is None) == (": refused: " in drawing.text)
    if drawing.picture is not None:
        _is_harmless(drawing.picture)


# --- words


MARKUP = "\"><script>alert(1)</script><a href='https://x'>&amp;\x00\ufffe"


def test_no_text_of_a_flow_is_markup(policy: Policy) -> None:
    """Not even where it was never read from a file, and its names are not names."""
    steps: dict[str, Step] = {
        "start": Say("start", 1, "start", MARKUP),
        MARKUP: Choose(MARKUP, 2, "menu", {MARKUP: "start"}, "person", "person"),
        "person": End("person", 3, "end"),
    }
    named = replace(policy, version=MARKUP)
    named = replace(named, rules={one: replace(rule, name=MARKUP) for one, rule in policy.rules.items()})
    flow = replace(flow_of(steps), name=MARKUP, digest=MARKUP)
    book = book_of(start=MARKUP.replace("\x00\ufffe", ""), menu="<b onclick='x()'>", end="]]>")
    picture = draw(flow, book, named, prove(flow, book, named))
    _is_harmless(picture)
    assert "<script" not in picture
    assert "&lt;script&gt;" in picture
    assert not re.search("[\x00\ufffe]", picture)


def test_the_words_of_a_prompt_are_shown_with_its_fields_between_marks() -> None:
    parts, _ = parse(
        "Le {{ appointment.starts_at | spoken_datetime }}\n{% if appointment.practitioner %}, "
        "{{ appointment.practitioner | spoken_name }}{% endif %}."
    )
    assert beginning(parts) == "Le ‹date et heure› , ‹praticien›."


def test_every_field_and_every_outlet_has_french_words() -> None:
    assert FIELDS.keys() == FIELD_LABELS.keys()
    assert outlets_in_french(["key 1", "key *"]) == "touches 1, étoile"
    assert outlets_in_french(["key 0", "silence", "nonsense"]) == "touche 0, silence ou erreur"
    assert outlets_in_french(["refused", "unavailable"]) == "refusé, indisponible"
    assert outlets_in_french(["case closed"]) == "fermé"


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_no_outlet_of_a_shipped_flow_is_shown_in_english(file: Path, book: PromptBook) -> None:
    for step in load_flow(file, book).steps.values():
        for outlet in step.outlets():
            if not outlet.startswith("key "):
                assert outlets_in_french([outlet]) != outlet.removeprefix("case ") or outlet in ("case menu", "silence")


def test_words_are_wrapped_and_cut_to_their_room() -> None:
    assert wrapped("un deux trois", 10, 40) == ("un", "deux", "trois")
    assert all(width(line, 10) <= 40 for line in wrapped("anticonstitutionnellement", 10, 40))
    assert wrapped("un deux trois quatre", 10, 60, 2) == ("un deux", "trois qua…")
    assert fitted("appointment", 10, 40).endswith("…")
    assert width(fitted("appointment", 10, 40), 10) <= 40
    assert set_in_french("Rendez-vous : « tapez 1 » !") == "Rendez-vous\xa0: «\xa0tapez 1\xa0»\u202f!"


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_no_line_of_a_step_is_wider_than_its_box(file: Path, book: PromptBook, policy: Policy) -> None:
    flow = load_flow(file, book)
    guards = guards_of(flow, book, policy)
    for name in flow.steps:
        one = shown(
            name, flow, book, policy, guards, {row.target: f"→ {row.target}" for row in rows_of(flow.steps[name])}
        )
        assert all(width(line, 11.5) <= INNER for line in one.deed)
        for row in one.rows:
            flag = width(row.flag, ROW_SIZE, bold=True) + 10
            assert flag <= WIDE
            assert all(width(line, ROW_SIZE) + (flag if row.beside else 0) <= INNER for line in row.lines)
        tops = [row.top for row in one.rows]
        assert tops == sorted(tops)
        assert all(above.top + above.high == below.top for above, below in pairwise(one.rows))


# --- sub-flows


def test_a_subflow_is_drawn_once_and_names_who_runs_it(tmp_path: Path, policy: Policy) -> None:
    (tmp_path / "subflows").mkdir()
    (tmp_path / "prompts.yaml").write_text(
        "prompts:\n  hello: Bonjour. Urgence, composez le 15 ou le 112.\n  menu: Tapez 1, ou 0.\n  bye: Au revoir.\n"
        + "".join(f"  {key}: Ceci.\n" for key in _engine_keys()),
        encoding="utf-8",
    )
    (tmp_path / "subflows" / "who.yaml").write_text(
        "subflow: who\nchannel: voice\nstart: identify\nsteps:\n"
        "  identify: {verify: {level: 2}, verified: known, refused: person, unavailable: person}\n"
        "  known: {leave: known}\n",
        encoding="utf-8",
    )
    (tmp_path / "made.yaml").write_text(
        "flow: made\nchannel: voice\nemergency: hello\nstart: welcome\nperson: person\nsteps:\n"
        "  welcome: {say: hello, then: menu}\n"
        "  menu: {choose: menu, keys: {1: first, 2: second, 0: person}, silence: person}\n"
        "  first: {run: who, known: bye}\n  second: {run: who, known: menu}\n"
        "  person: {take_message: callback, taken: bye, abandoned: bye}\n  bye: {end: bye}\n",
        encoding="utf-8",
    )
    book = PromptBook.load(tmp_path / "prompts.yaml")
    flow = load_flow(tmp_path / "made.yaml", book)
    picture = draw(flow, book, policy, prove(flow, book, policy))
    assert boxes(picture).keys() == flow.steps.keys()
    assert "Sous-scénario « who », par où passent : first, second" in " ".join(texts(picture))
    assert "Passe par le sous-scénario" in " ".join(said(boxes(picture)["first"]))
    assert "NIVEAU 2" in said(boxes(picture)["known"])


def _engine_keys() -> Iterator[str]:
    yield from dict.fromkeys([*ENGINE_PROMPTS, *VERIFY_PROMPTS, *CALLBACK_PROMPTS])


# --- size


def test_a_flow_of_5000_steps_is_drawn(policy: Policy) -> None:
    many = 5_000
    steps: dict[str, Step] = {}
    for number in range(many):
        name = "start" if number == 0 else f"s{number}"

        def to(place: int) -> str:
            return f"s{place % many}" if place % many else "start"

        if number % 5 == 0:
            steps[name] = Choose(
                name,
                1,
                "menu",
                {"1": to(number + 1), "2": to(number * 7 + 3), "3": to(number // 3)},
                "person",
                "person",
            )
        elif number % 7 == 0:
            steps[name] = Verify(name, 1, Level.VERIFIED, to(number + 1), "person", "person")
        elif number % 11 == 0:
            steps[name] = Go(name, 1, to(number * 3))
        else:
            steps[name] = Say(name, 1, "words", to(number + 1))
    steps["person"] = End("person", 1, "words")
    flow, book = flow_of(steps), book_of(menu="Tapez un, deux ou trois.", words="Bonjour.")
    picture = draw(flow, book, policy, prove(flow, book, policy))
    assert picture.count("<title>") == many + 1


# --- where it is written


def test_a_picture_replaces_a_picture_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "flow.svg"
    write_picture("<svg >one</svg>", file)
    write_picture("<svg >two</svg>", file)
    assert file.read_text(encoding="utf-8") == "<svg >two</svg>"
    other = tmp_path / "flow.yaml"
    other.write_text("flow: accueil\n", encoding="utf-8")
    for place, why in ((other, "no picture"), (tmp_path, "no file"), (tmp_path / "no" / "x.svg", "cannot be written")):
        with pytest.raises(CannotWrite, match=why):
            write_picture("<svg ></svg>", place)
    assert other.read_text(encoding="utf-8") == "flow: accueil\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["flow.svg", "flow.yaml"]


def test_a_sign_of_life_is_drawn_as_a_question_and_no_verification() -> None:
    assert kind_of(Prove("presence", 1, ProofKind.PRESENCE, "b", "c")) is Kind.QUESTION
    assert kind_of(Prove("code", 1, ProofKind.RETURN_CALL, "b", "c")) is Kind.VERIFICATION
