"""Whoever sits at an operator's script, posts what no screen of it offers, or writes a flow that would let them.

The flow alone stands here, with ports in memory that give whatever they are asked for, as if there were no gate: what
is foiled here is foiled before anything is asked of it. The gate has its own attacks.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from callcenter.disclosure.policy import load_policy
from callcenter.flow import proof, script_engine, script_files, script_ways
from callcenter.flow.graph import Effect
from callcenter.flow.language import Flow, Step
from callcenter.flow.load import load_flow
from callcenter.flow.needs import Need
from callcenter.flow.outcomes import Left
from callcenter.flow.proof import Proven, prove
from callcenter.flow.screens import Files, Filled
from callcenter.flow.script_engine import NotOffered
from callcenter.flow.script_files import DECLARE, REVEAL
from callcenter.flow.script_language import Declare, Forget, Reveal
from callcenter.flow.script_ports import Declared, Revealed
from callcenter.kernel.errors import DataProblems
from callcenter.kernel.labels import Category
from tests.attack.defence import FOILED, Defence, Outcome, Sabotage, attack, gained
from tests.unit.flow.doubles import NOW, Appointment, Patient
from tests.unit.flow.script_doubles import BOOK, EXTERNAL, PUBLIC, ROOT, MemoryScriptRecord, Script

JEANNE = Patient(
    date(1962, 3, 14),
    frozenset({"+33639980001"}),
    "+33639980001",
    (Appointment(UUID(int=1), NOW + timedelta(days=3)),),
)
POLICY = load_policy(ROOT / "config/disclosure-policy.yaml")


class Giving(MemoryScriptRecord):
    """A record without a gate: it shows, and takes for told, whatever it is asked."""

    async def show(self, path: str, bound: Mapping[str, UUID]) -> Revealed:
        self.ledger.append(("show", path))
        return Revealed()

    async def declare(self, category: Category) -> Declared:
        self.ledger.append(("declare", category.value))
        return Declared()


def sitting_at(flow: Flow, agenda: Mapping[str, str | bool] | None = None) -> Script:
    script = Script(flow, [JEANNE], public={**PUBLIC, **(agenda or {})})
    script.record = Giving(script.keys, ())
    return script


def shipped() -> Flow:
    return load_flow(ROOT / "flows/operateur.yaml", BOOK)


def rewritten(folder: Path, part: str, old: str, new: str) -> Flow | None:
    """The shipped script with something changed in one of its files, if it may run."""
    shutil.copytree(ROOT / "flows", folder / "flows")
    file = folder / "flows" / part
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")
    try:
        flow = load_flow(folder / "flows/operateur.yaml", BOOK)
    except DataProblems:
        return None
    return flow if isinstance(prove(flow, BOOK, POLICY), Proven) else None


# --- one patient's proof, used for the next


def _leaving_everything(sabotage: Sabotage) -> None:
    async def forget(state: script_engine.State, scene: script_engine.ScriptScene) -> Left:
        return Left("then", state)

    sabotage.replace(script_engine, "_forget", forget)


FORGETTING = Defence("going on to another patient ends what was proved", "P2", _leaving_everything)


@attack(stopped_by=FORGETTING)
async def test_what_one_patient_proved_opens_nothing_for_the_next() -> Outcome:
    script = sitting_at(shipped())
    await script.begin()
    await script.pick("6")
    await script.verified()
    await script.pick("then", "9", "2", "6")  # another patient, and their appointment
    return gained(isinstance(script.screen, Files))


def _facts_that_outlast(sabotage: Sabotage) -> None:
    effect: Callable[[Step, str, Flow], Effect] = proof.effect

    def kept(step: Step, outlet: str, flow: Flow) -> Effect:
        return Effect() if isinstance(step, Forget) else effect(step, outlet, flow)

    sabotage.replace(proof, "effect", kept)


PROVED_ANEW = Defence("beyond a forget step nothing is taken for proved", "P2, P9", _facts_that_outlast)


@attack(stopped_by=PROVED_ANEW)
async def test_a_flow_that_goes_on_telling_once_somebody_else_is_spoken_of(tmp_path: Path) -> Outcome:
    told = "told: {declare: [D02, D03, D04, D06], then: next, withheld: otherwise}"
    more = (
        "told: {declare: [D02, D03, D04, D06], then: forget_first, withheld: otherwise}\n"
        "  forget_first: {forget: patient, then: told_again}\n"
        "  told_again: {declare: [D02, D03], then: next, withheld: otherwise}"
    )
    flow = rewritten(tmp_path, "operateur/appointments.yaml", told, more)
    if flow is None:
        return FOILED
    script = sitting_at(flow, EXTERNAL)
    await script.begin()
    await script.pick("6")
    await script.verified()
    await script.pick("then", "declare:D03")
    return gained(script.record.ledger == [("declare", "D03")])


# --- without any proof


def _needing_nothing(*kinds: type[Step]) -> Callable[[Sabotage], None]:
    def off(sabotage: Sabotage) -> None:
        needs = proof.needs

        def none(step: Step, *others: object) -> tuple[Need, ...]:
            return () if isinstance(step, kinds) else needs(step, *others)  # type: ignore[arg-type]

        sabotage.replace(proof, "needs", none)

    return off


@attack(stopped_by=Defence("a declaration needs the level of what it tells", "P9", _needing_nothing(Declare)))
async def test_a_flow_that_lets_operators_declare_without_any_proof(tmp_path: Path) -> Outcome:
    theirs = "{label: operator.appointment_theirs, to: identify}"
    flow = rewritten(tmp_path, "operateur/appointments.yaml", theirs, theirs.replace("identify", "told"))
    if flow is None:
        return FOILED
    script = sitting_at(flow, EXTERNAL)
    await script.begin()
    await script.pick("2", "1", "declare:D03")
    return gained(script.record.ledger)


@attack(
    stopped_by=Defence("a field needs the level of the strictest beside it", "P9", _needing_nothing(Reveal, Declare))
)
async def test_a_flow_that_reveals_what_the_level_of_the_others_does_not_open(tmp_path: Path) -> Outcome:
    """The place is proven for level 3 here, and everything else on that screen for level 2."""
    text = (ROOT / "config/disclosure-policy.yaml").read_text("utf-8")
    before, place, after = text.partition("  D06:\n")
    policy = tmp_path / "policy.yaml"
    policy.write_text(before + place + after.replace("console: 2", "console: 3", 1), "utf-8")
    flow = shipped()
    if not isinstance(prove(flow, BOOK, load_policy(policy)), Proven):
        return FOILED
    script = sitting_at(flow)
    await script.begin()
    await script.pick("6")
    await script.verified()
    await script.pick("reveal:appointment.place")
    return gained(("show", "appointment.place") in script.record.ledger)


# --- what no screen offers


def _any_field(sabotage: Sabotage) -> None:
    sabotage.replace(script_files, "revealed", lambda step, filled: filled.choice.removeprefix(REVEAL))


def _any_category(sabotage: Sabotage) -> None:
    sabotage.replace(script_files, "declared", lambda step, filled: Category(filled.choice.removeprefix(DECLARE)))


@attack(stopped_by=Defence("only the fields of the step are revealed", "P9", _any_field))
async def test_a_field_is_asked_for_that_the_screen_does_not_list() -> Outcome:
    script = sitting_at(shipped())
    await script.begin()
    await script.pick("6")
    await script.verified()
    try:
        await script.send(Filled("reveal:appointment.speciality"))
    except NotOffered:
        return FOILED
    return gained(("show", "appointment.speciality") in script.record.ledger)


@attack(stopped_by=Defence("only the categories of the step are declared", "P9", _any_category))
async def test_a_declaration_is_forged() -> Outcome:
    script = sitting_at(shipped(), EXTERNAL)
    await script.begin()
    await script.pick("6")
    await script.verified()
    try:
        await script.send(Filled("declare:D10"))  # the content of a result: never told by an operator
    except NotOffered:
        return FOILED
    return gained(script.record.ledger)


# --- words that tell why


def _any_words(sabotage: Sabotage) -> None:
    sabotage.replace(script_ways, "_refusal_problems", lambda flow, step: iter(()))


@attack(stopped_by=Defence("every refusal leads to the same screen at once", "P6", _any_words))
async def test_a_flow_says_that_there_is_something_to_withhold(tmp_path: Path) -> Outcome:
    """Nothing is to come for the one; for the other something is, which the gate withholds: they must look alike."""
    find = "find: {find: next_appointment, found: file, none: no_appointment, withheld: otherwise}"
    words = (
        find.replace("withheld: otherwise", "withheld: something")
        + "\n  something: {say: operator.not_done, then: instead}"
    )
    flow = rewritten(tmp_path, "operateur/appointments.yaml", find, words)
    if flow is None:
        return FOILED
    script = Script(flow, [Patient(JEANNE.birth_date, JEANNE.telephones, JEANNE.mobile, withheld=True)])
    await script.begin()
    await script.pick("6")
    await script.verified()
    return gained("operator.not_done" in script.shown())
