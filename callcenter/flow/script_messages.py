"""``take_message`` in an operator's script: one form. Needs no verification and tells nothing.

What most messages need is there already: the number is the calling one, the message is for the practice and not
urgent; so that nothing but the text is typed, with six keys besides it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from callcenter.flow.language import MessageKind, TakeMessage
from callcenter.flow.message_taking import REASON
from callcenter.flow.outcomes import Asking, Left, ScriptOutcome, ScriptScene
from callcenter.flow.ports import Addressee, CallbackRequest
from callcenter.flow.screens import LEAVE, SEND, FieldKind, Filled, Option
from callcenter.flow.script_disposing import suggesting
from callcenter.flow.script_forms import Asked, Faulty, NotOffered, calling, form, named, read
from callcenter.flow.script_language import Disposition, Urgency
from callcenter.flow.state import Phase, State

# Names of the fields.
TEXT, NUMBER, URGENCY, WHOM = "text", "number", "urgency", "whom"
#: The choice of a message that is for the practice, and for nobody in it.
PRACTICE = "practice"

TEXT_PROMPT, NUMBER_PROMPT = "script.message_text", "script.message_number"
URGENCY_PROMPT, WHOM_PROMPT, PRACTICE_PROMPT = (
    "script.message_urgency",
    "script.message_whom",
    "script.message_practice",
)
TAKEN_PROMPT = "script.message_taken"
URGENCIES = {urgency: f"script.urgency_{urgency}" for urgency in Urgency}
ASK = {
    MessageKind.CALLBACK: "script.message",
    MessageKind.RENEWAL: "script.renewal",
    MessageKind.CERTIFICATE: "script.certificate",
}
PROMPTS = (
    TEXT_PROMPT,
    NUMBER_PROMPT,
    URGENCY_PROMPT,
    WHOM_PROMPT,
    PRACTICE_PROMPT,
    TAKEN_PROMPT,
    *URGENCIES.values(),
)

_REASON = {MessageKind.RENEWAL: "prescription", MessageKind.CERTIFICATE: "certificate"}
_UNSPECIFIED = "unspecified"


async def enter(step: TakeMessage, state: State, scene: ScriptScene) -> ScriptOutcome:
    """Show the form."""
    values = {NUMBER: calling(scene), URGENCY: Urgency.NORMAL.value, WHOM: PRACTICE}
    return _ask(step, state, scene, await scene.world.messages.addressees(), values)


async def answer(step: TakeMessage, state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    """Leave the message."""
    if filled.choice == LEAVE:
        return Left("abandoned", state.forgetting(REASON))
    if filled.choice != SEND:
        raise NotOffered("the form of a message has no such option")
    addressees = await scene.world.messages.addressees()
    said = read(_fields(addressees, scene), filled.values, scene.world.now.date())
    if isinstance(said, Faulty):
        return _ask(step, state, scene, addressees, filled.values, said.faults)
    await scene.world.messages.leave(
        CallbackRequest(
            _REASON.get(step.kind) or state.typed.get(REASON, _UNSPECIFIED),
            said[NUMBER] or None,
            step.kind,
            _whom(said, addressees),
            state.manner.language,
            state.manner.relay,
            said[TEXT],
            Urgency(said[URGENCY]),
        )
    )
    done = Disposition.RENEWAL if step.kind is MessageKind.RENEWAL else Disposition.MESSAGE
    return Left("taken", suggesting(state.forgetting(REASON), done), (scene.line(TAKEN_PROMPT),))


def _whom(said: Mapping[str, str], addressees: Sequence[Addressee]) -> UUID | None:
    if WHOM not in said:
        return addressees[0].reference if addressees else None
    return None if said[WHOM] == PRACTICE else UUID(said[WHOM])


def _ask(
    step: TakeMessage,
    state: State,
    scene: ScriptScene,
    addressees: Sequence[Addressee],
    values: Mapping[str, str],
    faults: Mapping[str, str] | None = None,
) -> Asking:
    fields = _fields(addressees, scene)
    return Asking(form(scene, scene.lines(ASK[step.kind]), fields, values, faults), state.asking(Phase.FORM))


def _fields(addressees: Sequence[Addressee], scene: ScriptScene) -> tuple[Asked, ...]:
    """The text stands first, where typing begins. Whom it is for is asked where there are several."""
    urgencies = tuple(Option(urgency.value, scene.line(URGENCIES[urgency])) for urgency in Urgency)
    fields = (
        Asked(TEXT, FieldKind.TEXT, TEXT_PROMPT),
        Asked(NUMBER, FieldKind.TELEPHONE, NUMBER_PROMPT, required=False),
        Asked(URGENCY, FieldKind.CHOICE, URGENCY_PROMPT, options=urgencies),
    )
    if len(addressees) < 2:
        return fields
    practice = Option(PRACTICE, scene.line(PRACTICE_PROMPT))
    people = (Option(str(one.reference), named(one.name)) for one in addressees)
    return (*fields, Asked(WHOM, FieldKind.CHOICE, WHOM_PROMPT, options=(practice, *people)))
