"""The kinds of steps as shapes: what a reader tells apart before they read."""

from __future__ import annotations

from enum import Enum
from typing import Final

from callcenter.flow.language import (
    Ask,
    Book,
    Branch,
    Card,
    Choose,
    Connect,
    Disclose,
    Do,
    End,
    Find,
    Move,
    ProofKind,
    Prove,
    Queue,
    ReachOut,
    Reference,
    Say,
    Speak,
    Step,
    Switch,
    TakeMessage,
    Verify,
)
from callcenter.flow.script_language import Declare, Dispose, Pick, Reveal, Show


class Kind(Enum):
    """A kind: what it is called, its colour, and whether its head is filled: the steps that matter most are."""

    WORDS = ("Paroles", "#4a5560", False)
    QUESTION = ("Question", "#1d4f91", False)
    VERIFICATION = ("Vérification", "#0a6640", True)
    RECORD = ("Dossier et agenda", "#5a3a8e", False)
    DISCLOSURE = ("Divulgation", "#9c3a00", True)
    MESSAGE = ("Message", "#0b6477", False)
    PERSON = ("Une personne", "#80520a", False)
    TURN = ("Aiguillage", "#4a5560", False)
    END = ("Fin", "#2b2f33", True)

    def __init__(self, french: str, colour: str, filled: bool) -> None:
        self.french = french
        self.colour = colour
        self.filled = filled


_KINDS: Final[tuple[tuple[Kind, tuple[type, ...]], ...]] = (
    (Kind.QUESTION, (Choose, Ask, Pick)),
    (Kind.VERIFICATION, (Verify, Prove, Reference, Card)),
    (Kind.RECORD, (Find, Do, Book, Move)),
    (Kind.DISCLOSURE, (Disclose, Reveal, Declare)),
    (Kind.MESSAGE, (TakeMessage, ReachOut)),
    (Kind.PERSON, (Queue, Connect)),
    (Kind.TURN, (Branch, Switch)),
    (Kind.END, (End, Dispose)),
    (Kind.WORDS, (Say, Show, Speak)),
)


def kind_of(step: Step) -> Kind:
    """The kind of ``step``; what is of no other kind, turns. A sign of life proves nothing: it is asked for."""
    if isinstance(step, Prove) and step.by is ProofKind.PRESENCE:
        return Kind.QUESTION
    return next((kind for kind, types in _KINDS if isinstance(step, types)), Kind.TURN)


def outline(kind: Kind, wide: int, high: int) -> str:
    """The shape of a box as a path, from its top left corner at 0, 0."""
    match kind:
        case Kind.QUESTION:
            return f"M12 0H{wide - 12}L{wide} 12V{high - 12}L{wide - 12} {high}H12L0 {high - 12}V12Z"
        case Kind.TURN:
            return f"M0 0H{wide - 14}L{wide} 14V{high}H14L0 {high - 14}Z"
        case Kind.DISCLOSURE:
            return f"M0 0H{wide}V{high - 14}L{wide - 14} {high}H0Z"
        case Kind.PERSON | Kind.END:
            return _rounded(wide, high, 16)
        case Kind.RECORD | Kind.VERIFICATION:
            return _rounded(wide, high, 1)
        case Kind.WORDS | Kind.MESSAGE:
            return _rounded(wide, high, 7)


def details(kind: Kind, wide: int, high: int) -> str:
    """Lines that belong to the shape, as a path; empty for none."""
    match kind:
        case Kind.RECORD:
            return f"M5 0V{high}M{wide - 5} 0V{high}"
        case Kind.VERIFICATION:
            return f"M-4 -4H{wide + 4}V{high + 4}H-4Z"
        case Kind.DISCLOSURE:
            return f"M{wide} {high - 14}H{wide - 14}V{high}"
        case _:
            return ""


def head(kind: Kind, wide: int) -> str:
    """The filled head of a box, as a path."""
    if kind is Kind.END:
        return f"M0 20V16Q0 0 16 0H{wide - 16}Q{wide} 0 {wide} 16V20Z"
    return f"M0 0H{wide}V20H0Z"


def _rounded(wide: int, high: int, by: int) -> str:
    return (
        f"M{by} 0H{wide - by}Q{wide} 0 {wide} {by}V{high - by}Q{wide} {high} {wide - by} {high}"
        f"H{by}Q0 {high} 0 {high - by}V{by}Q0 0 {by} 0Z"
    )
