"""``reveal`` and ``declare``: what of a patient's file an operator may see, or has told from the practice's own agenda.

One field, one answer, one record. A field that the gate withholds ends the list: what follows looks the same whatever
the cause.
"""

from __future__ import annotations

from callcenter.flow.common import found
from callcenter.flow.language import Step
from callcenter.flow.outcomes import Asking, Left, ScriptOutcome, ScriptScene
from callcenter.flow.ports import Withheld
from callcenter.flow.screens import ONWARD, FileItem, Files, Filled, Option
from callcenter.flow.script_disposing import suggesting
from callcenter.flow.script_forms import NotOffered
from callcenter.flow.script_language import Declare, Disposition, Reveal
from callcenter.flow.state import Phase, State
from callcenter.kernel.labels import FIELD_LABELS, Category

#: The name under which is kept what was revealed, or declared, at this step: paths, or codes, with blanks between.
DONE = "done"
#: Where the practice keeps its agenda.
LINK = "practice.agenda_link"

REVEAL_PROMPT, DECLARE_PROMPT, ONWARD_PROMPT = "script.reveal", "script.declare", "script.onward"
REVEAL, DECLARE = "reveal:", "declare:"


def field_prompt(path: str) -> str:
    """The prompt of the words beside a field."""
    return f"script.field_{path.replace('.', '_')}"


def category_prompt(category: Category) -> str:
    """The prompt of the words on the button of a category."""
    return f"script.category_{category.value.lower()}"


def enter_reveal(step: Reveal, state: State, scene: ScriptScene) -> Asking:
    """List the fields; nothing is shown yet."""
    found(step.name, state)
    return _reveal(step, state.asking(Phase.FILES).forgetting(DONE), scene)


async def answer_reveal(step: Reveal, state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    """Have one field shown, or go on."""
    if filled.choice == ONWARD:
        return Left("then", state.forgetting(DONE))
    path = revealed(step, filled)
    if isinstance(await scene.world.record.show(path, state.bound), Withheld):
        return Left("withheld", state.forgetting(DONE))
    return _reveal(step, _done(suggesting(state, Disposition.TOLD), path), scene)


def enter_declare(step: Declare, state: State, scene: ScriptScene) -> Asking:
    """Show the way to the practice's own agenda, and what may be declared."""
    return _declare(step, state.asking(Phase.FILES).forgetting(DONE), scene)


async def answer_declare(step: Declare, state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    """Put on record what was told, or go on."""
    if filled.choice == ONWARD:
        return Left("then", state.forgetting(DONE))
    category = declared(step, filled)
    if isinstance(await scene.world.record.declare(category), Withheld):
        return Left("withheld", state.forgetting(DONE))
    return _declare(step, _done(suggesting(state, Disposition.TOLD), category.value), scene)


def revealed(step: Reveal, filled: Filled) -> str:
    """The field that is wanted: one that the step lists, for those alone are proven."""
    for path in step.fields:
        if filled.choice == f"{REVEAL}{path}":
            return path
    raise NotOffered(f"step {step.name} reveals no such field")


def declared(step: Declare, filled: Filled) -> Category:
    """The category that was told: one that the step lists."""
    for category in step.categories:
        if filled.choice == f"{DECLARE}{category.value}":
            return category
    raise NotOffered(f"step {step.name} declares no such category")


def _reveal(step: Reveal, state: State, scene: ScriptScene) -> Asking:
    done = _all_done(state)
    items = tuple(
        FileItem(
            f"{REVEAL}{path}", path, FIELD_LABELS[path], scene.line(field_prompt(path)), path in done, _key(number)
        )
        for number, path in enumerate(step.fields, start=1)
    )
    return Asking(Files(scene.lines(REVEAL_PROMPT), items, _onward(scene)), state)


def _declare(step: Declare, state: State, scene: ScriptScene) -> Asking:
    done = _all_done(state)
    items = tuple(
        FileItem(f"{DECLARE}{one.value}", "", one, scene.line(category_prompt(one)), one.value in done, _key(number))
        for number, one in enumerate(step.categories, start=1)
    )
    link = scene.world.public.get(LINK)
    address = link if isinstance(link, str) else ""
    return Asking(Files(scene.lines(DECLARE_PROMPT), items, _onward(scene), address), state)


def _key(number: int) -> str:
    return str(number) if number < 10 else ""


def _onward(scene: ScriptScene) -> tuple[Option, ...]:
    return (Option(ONWARD, scene.line(ONWARD_PROMPT), "0"),)


def _all_done(state: State) -> list[str]:
    return state.typed.get(DONE, "").split()


def _done(state: State, one: str) -> State:
    return state.keeping(DONE, " ".join(dict.fromkeys([*_all_done(state), one])))


def prompts(step: Step) -> tuple[str, ...]:
    """Every prompt of a step of this kind; of others none."""
    match step:
        case Reveal():
            return (REVEAL_PROMPT, ONWARD_PROMPT, *map(field_prompt, step.fields))
        case Declare():
            return (DECLARE_PROMPT, ONWARD_PROMPT, *map(category_prompt, step.categories))
        case _:
            return ()
