"""``verify`` in an operator's script: open questions, one verdict, and a code that only the caller types.

The operator asks when the patient was born and at which number they can be reached (ID-06), and types the answers; the
server compares. Nothing that follows tells whether there is such a patient: the screens, their words and their order
follow from what was typed and from the talk alone (P6). There is one verdict, and it is about the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from callcenter.flow.claiming import BIRTH_DATE, TELEPHONE
from callcenter.flow.language import Verify
from callcenter.flow.outcomes import Asking, Left, ScriptOutcome, ScriptScene
from callcenter.flow.ports import NoMoreCodes, VerificationDown
from callcenter.flow.screens import LEAVE, SEND, AtKeys, FieldKind, Filled, Option
from callcenter.flow.script_disposing import suggesting
from callcenter.flow.script_forms import Asked, Faulty, NotOffered, calling, form, read
from callcenter.flow.script_language import Disposition
from callcenter.flow.script_ports import CodeAsked, NotNow
from callcenter.flow.state import Phase, State

ASK_PROMPT, NOT_NOW_PROMPT = "script.verify", "script.verify_not_now"
BORN_PROMPT, TELEPHONE_PROMPT = "script.birth_date", "script.telephone"
AT_KEYS_PROMPT, GO_ON_PROMPT = "script.at_keys", "script.at_keys_leave"
FAILED_PROMPT, UNAVAILABLE_PROMPT = "script.verify_failed", "script.verify_unavailable"
PROMPTS = (
    ASK_PROMPT,
    NOT_NOW_PROMPT,
    BORN_PROMPT,
    TELEPHONE_PROMPT,
    AT_KEYS_PROMPT,
    GO_ON_PROMPT,
    FAILED_PROMPT,
    UNAVAILABLE_PROMPT,
)

#: ID-05: the birth date comes first.
FIELDS = (
    Asked(BIRTH_DATE, FieldKind.DATE, BORN_PROMPT),
    Asked(TELEPHONE, FieldKind.TELEPHONE, TELEPHONE_PROMPT),
)


async def enter(step: Verify, state: State, scene: ScriptScene) -> ScriptOutcome:
    """Live evidence answers at once; otherwise the questions are asked."""
    if await scene.world.verifier.standing() >= step.level:
        return Left("verified", state)
    return _ask(state, scene, {TELEPHONE: calling(scene)})


async def answer(step: Verify, state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    """Take what was typed, or that the operator goes on without it."""
    if filled.choice == LEAVE:
        # They chose not to have it proved, or wait no longer: there is no failure to speak of.
        return Left("refused", replace(state, bound={}))
    if filled.choice != SEND or state.phase is not Phase.FORM:
        raise NotOffered("the questions of a verify step have no such option")
    claim = read(FIELDS, filled.values, scene.world.now.date())
    if isinstance(claim, Faulty):
        return _ask(state, scene, filled.values, claim.faults)
    born, telephone = date.fromisoformat(claim[BIRTH_DATE]), claim[TELEPHONE]
    match await scene.world.verifier.by_keypad(born, telephone):
        case CodeAsked():
            # What was bound before belonged to whoever was verified then.
            return _wait(replace(state, bound={}), scene)
        case NotNow():
            return _ask(state, scene, filled.values, {}, NOT_NOW_PROMPT)
        case NoMoreCodes():
            return _failed(state, scene)
        case VerificationDown():
            return Left("unavailable", replace(state, bound={}), (scene.line(UNAVAILABLE_PROMPT),))


async def returned(step: Verify, state: State, scene: ScriptScene) -> ScriptOutcome:
    """The caller is back: what they have proved meanwhile is all that counts."""
    if await scene.world.verifier.standing() >= step.level:
        return Left("verified", state)
    return _failed(state, scene)


def _ask(
    state: State,
    scene: ScriptScene,
    values: Mapping[str, str],
    faults: Mapping[str, str] | None = None,
    *before: str,
) -> Asking:
    return Asking(form(scene, scene.lines(*before, ASK_PROMPT), FIELDS, values, faults), state.asking(Phase.FORM))


def _wait(state: State, scene: ScriptScene) -> Asking:
    options = (Option(LEAVE, scene.line(GO_ON_PROMPT)),)
    return Asking(AtKeys(scene.lines(AT_KEYS_PROMPT), options), state.asking(Phase.AT_KEYS))


def _failed(state: State, scene: ScriptScene) -> Left:
    not_verified = suggesting(replace(state, bound={}), Disposition.NOT_VERIFIED)
    return Left("refused", not_verified, (scene.line(FAILED_PROMPT),))
