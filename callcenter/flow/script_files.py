"""``reveal`` and ``declare``: what of a patient's file an operator may see, or has told from the practice's own agenda.

One field, one answer, one record. What the gate withholds is marked where it stands, in the same words whatever the
cause, whether there is something or nothing; the list goes on, and another way is offered.
"""

from __future__ import annotations

from callcenter.flow.common import found
from callcenter.flow.conversation import Line
from callcenter.flow.language import Find, Step
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
#: Likewise what was withheld.
HELD = "withheld"
#: Where the practice keeps its agenda.
LINK = "practice.agenda_link"

REVEAL_PROMPT, DECLARE_PROMPT, ONWARD_PROMPT = "script.reveal", "script.declare", "script.onward"
REVEAL, DECLARE = "reveal:", "declare:"

#: Says that something is withheld, wherever a script says so.
WITHHELD_PROMPT, INSTEAD_PROMPT = "script.withheld", "script.withheld_instead"
#: The option that leads to what can be offered instead: also the outlet.
WITHHELD = "withheld"


def field_prompt(path: str) -> str:
    """The prompt of the words beside a field."""
    return f"script.field_{path.replace('.', '_')}"


def category_prompt(category: Category) -> str:
    """The prompt of the words on the button of a category."""
    return f"script.category_{category.value.lower()}"


def enter_reveal(step: Reveal, state: State, scene: ScriptScene) -> Asking:
    """List the fields; nothing is shown yet."""
    found(step.name, state)
    return _reveal(step, _forgetting(state.asking(Phase.FILES)), scene)


async def answer_reveal(step: Reveal, state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    """Have one field shown, or go on."""
    if filled.choice in (ONWARD, WITHHELD):
        return _leave(state, filled, scene)
    path = _offered(state, revealed(step, filled))
    if isinstance(await scene.world.record.show(path, state.bound), Withheld):
        return _reveal(step, _kept(state, HELD, path), scene, WITHHELD_PROMPT)
    return _reveal(step, _kept(suggesting(state, Disposition.TOLD), DONE, path), scene)


def enter_declare(step: Declare, state: State, scene: ScriptScene) -> Asking:
    """Show the way to the practice's own agenda, and what may be declared."""
    return _declare(step, _forgetting(state.asking(Phase.FILES)), scene)


async def answer_declare(step: Declare, state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    """Put on record what was told, or go on."""
    if filled.choice in (ONWARD, WITHHELD):
        return _leave(state, filled, scene)
    category = Category(_offered(state, declared(step, filled).value))
    if isinstance(await scene.world.record.declare(category), Withheld):
        return _declare(step, _kept(state, HELD, category.value), scene, WITHHELD_PROMPT)
    return _declare(step, _kept(suggesting(state, Disposition.TOLD), DONE, category.value), scene)


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


def _reveal(step: Reveal, state: State, scene: ScriptScene, *before: str) -> Asking:
    items = tuple(
        _item(f"{REVEAL}{path}", path, FIELD_LABELS[path], scene.line(field_prompt(path)), path, state, number)
        for number, path in enumerate(step.fields, start=1)
    )
    return Asking(Files(scene.lines(*before, REVEAL_PROMPT), items, _onward(state, scene)), state)


def _declare(step: Declare, state: State, scene: ScriptScene, *before: str) -> Asking:
    items = tuple(
        _item(f"{DECLARE}{one.value}", "", one, scene.line(category_prompt(one)), one.value, state, number)
        for number, one in enumerate(step.categories, start=1)
    )
    link = scene.world.public.get(LINK)
    address = link if isinstance(link, str) else ""
    return Asking(Files(scene.lines(*before, DECLARE_PROMPT), items, _onward(state, scene), address), state)


def _item(choice: str, path: str, category: Category, label: Line, named: str, state: State, number: int) -> FileItem:
    key = str(number) if number < 10 else ""
    return FileItem(choice, path, category, label, named in _all(state, DONE), key, named in _all(state, HELD))


def _onward(state: State, scene: ScriptScene) -> tuple[Option, ...]:
    onward = Option(ONWARD, scene.line(ONWARD_PROMPT), "0")
    return (Option(WITHHELD, scene.line(INSTEAD_PROMPT)), onward) if _all(state, HELD) else (onward,)


def _leave(state: State, filled: Filled, scene: ScriptScene) -> Left:
    if filled.choice == ONWARD:
        return Left("then", _forgetting(state))
    if not _all(state, HELD):
        raise NotOffered("nothing was withheld at this step")
    return withheld(_forgetting(state), scene)


def withheld(state: State, scene: ScriptScene) -> Left:
    """The step is left because something is withheld: said in the same words everywhere (P6)."""
    return Left(WITHHELD, state, scene.lines(WITHHELD_PROMPT))


def _offered(state: State, one: str) -> str:
    if one in _all(state, HELD):
        raise NotOffered("what is withheld is offered no more")
    return one


def _all(state: State, which: str) -> list[str]:
    return state.typed.get(which, "").split()


def _kept(state: State, which: str, one: str) -> State:
    return state.keeping(which, " ".join(dict.fromkeys([*_all(state, which), one])))


def _forgetting(state: State) -> State:
    return state.forgetting(DONE).forgetting(HELD)


def prompts(step: Step) -> tuple[str, ...]:
    """Every prompt of a step of this kind; of others none."""
    match step:
        case Reveal():
            return (REVEAL_PROMPT, ONWARD_PROMPT, WITHHELD_PROMPT, INSTEAD_PROMPT, *map(field_prompt, step.fields))
        case Declare():
            words = (DECLARE_PROMPT, ONWARD_PROMPT, WITHHELD_PROMPT, INSTEAD_PROMPT)
            return (*words, *map(category_prompt, step.categories))
        case Find():
            return (WITHHELD_PROMPT,)
        case _:
            return ()
