"""Which prompts a flow says: its author's, the engine's, and those of steps that ask several questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from callcenter.flow.language import (
    Ask,
    Book,
    Branch,
    Card,
    Channel,
    Choose,
    Connect,
    Disclose,
    Do,
    End,
    Find,
    Go,
    MessageKind,
    Move,
    ProofKind,
    Prove,
    Queue,
    ReachKind,
    ReachOut,
    Reference,
    Say,
    Speak,
    Step,
    Switch,
    TakeMessage,
    Verify,
)
from callcenter.flow.script_language import Declare, Dispose, Forget, Pick, Reveal, Show
from callcenter.flow.script_said import SCRIPT_PROMPTS, script_prompts
from callcenter.flow.subflow_language import Leave, Run

#: The words that the engine says of itself, whatever the flow.
ENGINE_PROMPTS = ("engine.nonsense", "engine.restart", "engine.limit", "engine.farewell")
#: The words that ask who it is about: the same wherever it is asked.
CLAIM_PROMPTS = ("verify.birth_date", "verify.birth_date_again", "verify.telephone", "verify.telephone_again")
#: The words of the steps that ask several questions.
VERIFY_PROMPTS = (
    *CLAIM_PROMPTS,
    "verify.code",
    "verify.code_wrong",
    "verify.failed",
    "verify.unavailable",
)
CALLBACK_PROMPTS = (
    "callback.reason",
    "callback.number",
    "callback.number_or_this",
    "callback.number_again",
    "callback.taken",
    "callback.abandoned",
)
#: The words of a spoken message, and of a request for a renewal or a certificate.
VOICE_PROMPTS = ("message.voice", "message.voice_again", "message.nothing_heard")
REQUEST_PROMPTS = ("request.practitioner", "request.spoken")
REACH_OUT_PROMPTS = {
    ReachKind.REMINDER: (*CLAIM_PROMPTS, "reach_out.reminder"),
    ReachKind.RETURN_CALL: (*CLAIM_PROMPTS, "reach_out.return_call"),
}
#: Whoever answers a call of ours has asked for nothing, perhaps: this is all that they hear before a key.
PROVE_PROMPTS = ("prove.return_call", "prove.return_call_again")
#: And this is, to whoever is rung because they asked for it: who calls, and nothing about anybody.
PRESENCE_PROMPTS = ("prove.presence",)
#: Whoever moves with a reference has proved nothing: when a slot is, and not with whom (D04).
MOVE_PROMPTS = ("booking.move_offer", "booking.move_next_offer", "booking.offer_keys")
BOOK_PROMPTS = (
    "booking.with_whom",
    "booking.practitioner",
    "booking.person",
    "booking.seen_before",
    "booking.offer",
    "booking.next_offer",
    "booking.offer_keys",
    "booking.birth_date",
    "booking.birth_date_again",
    "booking.number",
    "booking.number_or_this",
    "booking.number_again",
    "booking.booked",
)
#: What is heard while an operator is waited for.
QUEUE_PROMPTS = (
    "queue.wait",
    "queue.still",
    "queue.next",
    "queue.before",
    "queue.range",
    "queue.closed",
    "queue.nobody",
    "queue.too_long",
    "queue.callback_key",
    "queue.keys",
    "queue.taken",
    "queue.line",
    "queue.line_silent",
    "queue.offer",
    "queue.offer_callback",
)
REFERENCE_PROMPTS = ("reference.ask", "reference.again", "reference.failed")
CARD_PROMPTS = ("card.birth_date", "card.again", "card.failed")
#: The words of a step that asks several questions, by its kind.
STEP_PROMPTS: Mapping[type[Step], tuple[str, ...]] = {
    Book: BOOK_PROMPTS,
    Queue: QUEUE_PROMPTS,
    Reference: REFERENCE_PROMPTS,
    Card: CARD_PROMPTS,
    Move: MOVE_PROMPTS,
}


def engine_prompts(channel: Channel) -> tuple[str, ...]:
    """What is said of itself on ``channel``, whatever the flow."""
    return SCRIPT_PROMPTS if channel is Channel.CONSOLE else ENGINE_PROMPTS


def prompt_keys(steps: Iterable[Step], channel: Channel) -> frozenset[str]:
    """Every prompt that ``steps`` and the engine say on ``channel``."""
    return frozenset(engine_prompts(channel)).union(*(step_prompts(step, channel) for step in steps))


def step_prompts(step: Step, channel: Channel) -> tuple[str, ...]:
    """Every prompt that ``step`` may say on ``channel``."""
    return script_prompts(step) if channel is Channel.CONSOLE else _spoken_prompts(step)


def _spoken_prompts(step: Step) -> tuple[str, ...]:
    match step:
        case Say() | Choose() | Ask() | Disclose():
            return (step.prompt,)
        case End():
            return () if step.prompt is None else (step.prompt,)
        case Verify():
            return VERIFY_PROMPTS
        case TakeMessage():
            return _message_prompts(step)
        case ReachOut():
            return REACH_OUT_PROMPTS[step.kind]
        case Prove():
            return PROVE_PROMPTS if step.by is ProofKind.RETURN_CALL else PRESENCE_PROMPTS
        case Book() | Queue() | Reference() | Card() | Move():
            return STEP_PROMPTS[type(step)]
        case Find() | Do() | Branch() | Switch() | Speak() | Go() | Connect() | Run() | Leave():
            return ()
        case Show() | Pick() | Reveal() | Declare() | Forget() | Dispose():
            return ()  # for a screen: refused in a flow that is spoken


def _message_prompts(step: TakeMessage) -> tuple[str, ...]:
    match step.kind:
        case MessageKind.VOICE:
            return (*CALLBACK_PROMPTS, *VOICE_PROMPTS)
        case MessageKind.RENEWAL | MessageKind.CERTIFICATE:
            return (*CALLBACK_PROMPTS, *REQUEST_PROMPTS)
        case MessageKind.CALLBACK:
            return CALLBACK_PROMPTS
