"""Random flows of calls, as their files, written by authors who mostly know what they do.

An author keeps in mind what is known of the caller at each step, as a person would, and puts there what that allows;
a careless one also puts other things there. What is really known is for the proof to say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any

import yaml

Step = dict[str, Any]
Known = frozenset[str]

NOTHING: Known = frozenset()
#: What another patient ends, in the mind of an author.
PATIENT: Known = frozenset({"level2", "level3", "found"})
SLOT: Known = frozenset({"slot", "card"})

#: None of what is said on one side of a ``find`` only: where it is said besides, it would tell something.
_SAID = ("kept", "rights", "practical", "slower_said", "confirmed", "emergency_again")
_MENUS = ("appointments_menu", "appointment_menu", "after_menu", "messages_menu", "cancel_question")
_SUMMARIES = ("appointment_summary", "appointment_following", "appointment_again")
#: What an author may write: what it takes to be allowed, and how often it is written where it is.
_KINDS: Mapping[str, tuple[Known, int]] = {
    "say": (NOTHING, 3),
    "choose": (NOTHING, 7),
    "verify": (NOTHING, 5),
    "verify_strongly": (NOTHING, 1),
    "find": (frozenset({"level2"}), 9),
    "following": (frozenset({"level2", "found"}), 5),
    "disclose": (frozenset({"level2", "found"}), 10),
    "disclose_speciality": (frozenset({"level3", "found"}), 8),
    "confirm": (frozenset({"level2", "found"}), 3),
    "cancel": (frozenset({"level2", "found"}), 3),
    "reference": (NOTHING, 4),
    "card": (frozenset({"slot"}), 6),
    "disclose_slot": (frozenset({"slot", "card"}), 9),
    "cancel_slot": (frozenset({"slot"}), 4),
    "move": (frozenset({"slot"}), 3),
    "branch": (NOTHING, 1),
    "switch": (NOTHING, 1),
    "queue": (NOTHING, 1),
    "connect": (NOTHING, 1),
    "book": (NOTHING, 1),
    "message": (NOTHING, 1),
    "reach_out": (NOTHING, 1),
    "speak": (NOTHING, 1),
    "run": (NOTHING, 5),
}


class Mistake(StrEnum):
    """What an author may take for true that is not."""

    NONE = ""
    REFUSED = "whoever is refused is who they were before"
    RETURNED = "whoever comes back from somebody else is who they were before"
    VERIFIED = "whoever is refused is verified"
    NOTHING = "nothing is something"
    LEVEL = "any level is the highest"
    CARD = "the card of one slot is every slot's"
    BIRTH_DATE = "a wrong birth date shows a card"
    CANCELLED = "what is cancelled is still there"


#: The steps of which they then write more, where so much is known.
_MORE: Mapping[Mistake, tuple[Known, Sequence[str]]] = {
    Mistake.REFUSED: (NOTHING, ("verify_strongly", "reference")),
    Mistake.RETURNED: (NOTHING, ("queue", "connect")),
    Mistake.VERIFIED: (NOTHING, ("verify",)),
    Mistake.NOTHING: (NOTHING, ("find",)),
    Mistake.LEVEL: (NOTHING, ("verify", "find", "disclose_speciality")),
    Mistake.CARD: (NOTHING, ("reference", "card", "disclose_slot")),
    Mistake.BIRTH_DATE: (NOTHING, ("card", "reference", "disclose_slot")),
    Mistake.CANCELLED: (NOTHING, ("cancel", "cancel_slot", "reference")),
}


#: Of every flow that is written here.
HEAD = {"flow": "essai", "channel": "voice", "emergency": "welcome", "start": "welcome", "person": "person"}


@dataclass(slots=True)
class Files:
    """A flow that is to be written.

    Arguments:
        head: of its file, without its steps.
        subflows: steps of each, by its name; its first step is its start.
    """

    head: dict[str, Any]
    steps: dict[str, Step] = field(default_factory=dict)
    subflows: dict[str, dict[str, Step]] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write it into ``folder``; the flow's own file."""
        channel = self.head["channel"]
        for name, steps in self.subflows.items():
            file = folder / "subflows" / f"{name}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(_text({"subflow": name, "channel": channel, "start": next(iter(steps)), "steps": steps}))
        path = folder / f"{self.head['flow']}.yaml"
        path.write_text(_text({**self.head, "steps": self.steps}))
        return path


def _text(data: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(data))  # the same value twice would be written as an alias, which is not read
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


@dataclass(slots=True)
class Part:
    """The flow itself, or a sub-flow, as its author has it in mind.

    Arguments:
        known: what is known where each step begins.
        leaves: of a sub-flow: what is known where it is left, by outlet.
    """

    steps: dict[str, Step]
    prefix: str = ""
    known: dict[str, Known] = field(default_factory=dict)
    leaves: dict[str, Known] = field(default_factory=dict)


@dataclass(slots=True)
class Author:
    """Writes one flow.

    Arguments:
        careless: how often a step is written where it should not stand, from 0 to 1.
        mistake: that they make.
    """

    chance: Random
    careless: float
    files: Files
    mistake: Mistake = Mistake.NONE
    runnable: dict[str, tuple[Known, Mapping[str, Known]]] = field(default_factory=dict)
    kinds: Mapping[str, tuple[Known, int]] = field(default_factory=lambda: _KINDS)
    _number: int = 0

    def writes(self) -> Files:
        for name in ("inner", "outer")[: self.chance.choice((0, 0, 1, 2))]:
            self._subflow(name)
        files = self.files
        files.steps["welcome"] = {"say": "welcome", "then": ""}
        part = Part(files.steps)
        files.steps["welcome"]["then"] = self._menu(part, NOTHING, 6)
        files.steps.update(to_a_person())
        return files

    def _subflow(self, name: str) -> None:
        entry = self.chance.choice((NOTHING, NOTHING, frozenset({"level2"}), frozenset({"level2", "found"})))
        part = Part({}, f"{name}_")
        self._step(part, entry, 3)
        leaves = {step["leave"]: part.known[at] for at, step in part.steps.items() if "leave" in step}
        if leaves:
            self.files.subflows[name] = part.steps
            self.runnable[name] = (entry, leaves)

    # --- one step

    def _step(self, part: Part, known: Known, depth: int) -> str:
        """Where an outlet leads behind which ``known`` is: to a new step, or to one that is there already."""
        if depth <= 0 or self.chance.random() < 0.12:
            return self._ending(part, known)
        kinds = [kind for kind in self.kinds if self._dares(self.kinds[kind][0], known)]
        often = [self.kinds[kind][1] for kind in kinds]
        where, more = _MORE.get(self.mistake, (NOTHING, ()))
        often = [
            8 * times if kind in more and where <= known else times for kind, times in zip(kinds, often, strict=True)
        ]
        kind = self.chance.choices(kinds, often)[0]
        if kind == "run" and not self._to_run(known):
            kind = "choose"
        return self._write(part, kind, known, depth)

    def _dares(self, needed: Known, known: Known) -> bool:
        return needed <= known or self.chance.random() < self.careless

    def _name(self, part: Part, kind: str, known: Known) -> str:
        self._number += 1
        name = f"{part.prefix}{kind}_{self._number}"
        part.steps[name], part.known[name] = {}, known
        return name

    def _ending(self, part: Part, known: Known) -> str:
        """Back to a menu, out of the sub-flow, or to a person, whom every refusal must be able to reach."""
        menus = [name for name, step in part.steps.items() if "choose" in step and self._dares(part.known[name], known)]
        if menus and self.chance.random() < 0.4:
            return self.chance.choice(menus)
        if part.prefix and self.chance.random() < 0.8:
            return self._leave(part, known)
        return "person"

    def _leave(self, part: Part, known: Known) -> str:
        outlet = self.chance.choice(("done", "none"))
        for name, step in part.steps.items():
            if step.get("leave") == outlet:
                part.known[name] &= known
                return name
        name = self._name(part, "leave", known)
        part.steps[name]["leave"] = outlet
        return name

    def _menu(self, part: Part, known: Known, depth: int) -> str:
        return self._write(part, "choose", known, depth)

    def _to_run(self, known: Known) -> Sequence[str]:
        return [name for name, (entry, _) in self.runnable.items() if self._dares(entry, known)]

    def _write(self, part: Part, kind: str, known: Known, depth: int) -> str:
        name = self._name(part, kind, known)

        def to(then: Known = known, *, refusal: bool = False) -> str:
            """Where an outlet leads; most refusals lead to a person."""
            if refusal and self.chance.random() < 0.75:
                return "person"
            return self._step(part, then, depth - 1)

        part.steps[name].update(self._made(part, kind, known, to))
        return name

    def _made(self, part: Part, kind: str, known: Known, to: Callable[..., str]) -> Step:
        """A step of ``kind``; ``to`` makes whatever it leads to, in the order of its outlets."""
        chance, mistake = self.chance, self.mistake
        cancelled, trusting = mistake is Mistake.CANCELLED, mistake is Mistake.REFUSED
        wrong = known | {"card"} if mistake is Mistake.BIRTH_DATE else known
        behind = known if mistake is Mistake.RETURNED else NOTHING
        made: Mapping[str, Callable[[], Step]] = {
            "say": lambda: {"say": chance.choice(_SAID), "then": to()},
            "choose": lambda: {
                "choose": chance.choice(_MENUS),
                "keys": {**{str(key): to() for key in range(1, chance.randint(2, 4))}, "0": "person"},
                "silence": to(refusal=True),
            },
            "verify": lambda: self._verify(2, known, to),
            "verify_strongly": lambda: self._verify(3, known, to),
            "find": lambda: self._find("next_appointment", known, to),
            "following": lambda: self._find("following_appointment", known, to),
            "disclose": lambda: {"disclose": chance.choice(_SUMMARIES), "then": to(), "withheld": "person"},
            "disclose_speciality": lambda: {"disclose": "speciality_told", "then": to(), "withheld": "person"},
            "confirm": lambda: {"do": "confirm_appointment", "done": to(), "failed": to(refusal=True)},
            "cancel": lambda: {
                "do": "cancel_appointment",
                "done": to(known if cancelled else known - {"found"}),
                "failed": to(refusal=True),
            },
            "reference": lambda: {
                "reference": "slot",
                "known": to((known if mistake is Mistake.CARD else known - SLOT) | {"slot"}),
                "refused": to(known if trusting else known - SLOT, refusal=not trusting),
            },
            "card": lambda: {
                "card": "slot",
                "proved": to(known | {"card"}),
                "refused": to(wrong, refusal=wrong == known),
            },
            "disclose_slot": lambda: {"disclose": "slot_summary", "then": to(), "withheld": "person"},
            "cancel_slot": lambda: {
                "do": "cancel_slot",
                "done": to(known if cancelled else known - SLOT),
                "failed": to(refusal=True),
            },
            "move": lambda: {"move": "slot", "moved": to(), "none": to(), "abandoned": to(refusal=True)},
            "branch": lambda: {"branch": "practice.is_open", "yes": to(), "no": to()},
            "switch": lambda: {
                "branch": "practice.answer_mode",
                "cases": {"menu": to(), "direct": to(), "overflow": to()},
            },
            "queue": lambda: {
                "queue": "operators",
                **{way: to(behind) for way in ("connected", "message", "unanswered", "keypad")},
                "callback": "goodbye" if not part.prefix else "person",
            },
            "connect": lambda: {"connect": "practice", "connected": to(behind), "unanswered": to(behind)},
            "book": lambda: {"book": "slot", **dict.fromkeys(("booked", "none", "refused", "abandoned"), to())},
            "message": lambda: {
                "take_message": chance.choice(("callback", "voice", "renewal")),
                "taken": to(),
                "abandoned": to(refusal=True),
            },
            "reach_out": lambda: {
                "reach_out": chance.choice(("reminder", "return_call")),
                "then": to(),
                "refused": to(refusal=True),
            },
            "speak": lambda: {"speak": chance.choice(({"language": "en"}, {"pace": "slow"})), "then": to()},
            "run": lambda: self._run(known, to),
        }
        return made[kind]()

    def _verify(self, level: int, known: Known, to: Callable[..., str]) -> Step:
        verified, left = proved(level, known), known - PATIENT
        match self.mistake:
            case Mistake.LEVEL:
                verified |= {"level3"}
            case Mistake.VERIFIED:
                left = verified
            case Mistake.REFUSED:
                left = known
            case _:
                pass
        surely = self.mistake in (Mistake.VERIFIED, Mistake.REFUSED)
        return {
            "verify": {"level": level},
            "verified": to(verified),
            "refused": to(left, refusal=not surely),
            "unavailable": to(left, refusal=True),
        }

    def _find(self, what: str, known: Known, to: Callable[..., str]) -> Step:
        none = known | {"found"} if self.mistake is Mistake.NOTHING else known
        return {"find": what, "found": to(known | {"found"}), "none": to(none), "withheld": "person"}

    def _run(self, known: Known, to: Callable[..., str]) -> Step:
        name = self.chance.choice(list(self.runnable))
        return {"run": name, **{outlet: to(left) for outlet, left in self.runnable[name][1].items()}}


def proved(level: int, known: Known) -> Known:
    """What is known behind a proof of ``level``: it may be another patient's."""
    return (known - PATIENT - SLOT) | {f"level{one}" for one in range(2, level + 1)}


def authored(seed: int, mistake: Mistake = Mistake.NONE) -> Files:
    """The flow that ``seed`` stands for, by an author who makes that mistake."""
    chance = Random(seed)
    careless = 0.0 if mistake else chance.choice((0.0, 0.0, 0.03, 0.15))
    return Author(chance, careless, Files(dict(HEAD)), mistake).writes()


def to_a_person() -> dict[str, Step]:
    """The way to a person, and the end."""
    return {
        "person": {"branch": "practice.is_open", "yes": "operators", "no": "callback"},
        "operators": {
            "queue": "operators",
            "connected": "parted",
            "message": "callback",
            "callback": "goodbye",
            "unanswered": "callback",
        },
        "callback": {"take_message": "callback", "taken": "goodbye", "abandoned": "goodbye"},
        "parted": {"end": None},
        "goodbye": {"end": "goodbye"},
    }
