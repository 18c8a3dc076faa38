"""Random scripts of operators, as their files: see ``random_flows``, whose authors write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from tests.unit.flow.random_flows import NOTHING, Author, Files, Known, Part, Step, proved

HEAD = {"flow": "essai", "channel": "console", "start": "begin", "person": "instead", "withheld": "otherwise"}
_FOUND: Known = frozenset({"level2", "found"})
_KINDS: Mapping[str, tuple[Known, int]] = {
    "say": (NOTHING, 1),
    "choose": (NOTHING, 6),
    "verify": (NOTHING, 5),
    "verify_strongly": (NOTHING, 1),
    "find": (frozenset({"level2"}), 9),
    "following": (_FOUND, 4),
    "reveal": (_FOUND, 10),
    "declare": (frozenset({"level2"}), 5),
    "declare_past": (frozenset({"level3"}), 9),
    "confirm": (_FOUND, 3),
    "cancel": (_FOUND, 3),
    "move": (_FOUND, 4),
    "branch": (NOTHING, 1),
    "book": (NOTHING, 1),
    "message": (NOTHING, 1),
    "show": (NOTHING, 1),
    "forget": (NOTHING, 2),
    "run": (NOTHING, 5),
}
_FIELDS = ("appointment.starts_at", "appointment.practitioner", "appointment.place", "appointment.speciality")
_REFUSED = {"refused": "instead", "unavailable": "instead"}
_SAID = ("operator.hours", "operator.no_slot", "operator.confirmed", "operator.not_done")
_ASKED = ("operator.reason", "operator.acts", "operator.next", "operator.cancel_sure")
_LABELS = ("operator.message", "operator.information", "operator.verify", "operator.see_again")


@dataclass(slots=True)
class ScriptAuthor(Author):
    """Writes one script. Whatever is withheld leads to « otherwise », who is refused to « instead »."""

    kinds: Mapping[str, tuple[Known, int]] = field(default_factory=lambda: _KINDS)

    def writes(self) -> Files:
        for name in ("inner", "outer")[: self.chance.choice((0, 0, 1, 2))]:
            self._subflow(name)
        files, part = self.files, Part(self.files.steps)
        begin = self._menu(part, NOTHING, 5)
        files.steps["begin"] = {"show": "instructions", "then": begin}
        offered = {
            "1": {"label": "operator.message", "to": "message"},
            "2": {"label": "operator.verify", "to": begin},
            "0": {"label": "operator.close", "to": "close"},
        }
        files.steps["instead"] = {"choose": "operator.instead", "options": offered}
        files.steps["otherwise"] = {
            "choose": "operator.otherwise",
            "options": {**offered, "3": {"label": "operator.other_request", "to": "instead"}},
        }
        files.steps["message"] = {"take_message": "callback", "taken": begin, "abandoned": "otherwise"}
        files.steps["close"] = {"dispose": "call", "then": "closed"}
        files.steps["closed"] = {"end": "operator.closed"}
        return files

    def _ending(self, part: Part, known: Known) -> str:
        led = super(ScriptAuthor, self)._ending(part, known)
        return self.chance.choice(("instead", "otherwise")) if led == "person" else led

    def _made(self, part: Part, kind: str, known: Known, to: Callable[..., str]) -> Step:
        chance = self.chance

        def on(then: Known = known) -> str:
            led = to(then)
            return "instead" if led == "person" else led

        made: Mapping[str, Callable[[], Step]] = {
            "say": lambda: {"say": chance.choice(_SAID), "then": on()},
            "choose": lambda: self._choice(part, on),
            "verify": lambda: {"verify": {"level": 2}, "verified": on(proved(2, known)), **_REFUSED},
            "verify_strongly": lambda: {"verify": {"level": 3}, "verified": on(proved(3, known)), **_REFUSED},
            "find": lambda: {**self._find("next_appointment", known, on), "withheld": "otherwise"},
            "following": lambda: {**self._find("following_appointment", known, on), "withheld": "otherwise"},
            "reveal": lambda: {
                "reveal": chance.sample(_FIELDS, chance.randint(1, 4)),
                "then": on(),
                "withheld": "otherwise",
            },
            "declare": lambda: {"declare": ["D02", "D03", "D06"], "then": on(), "withheld": "otherwise"},
            "declare_past": lambda: {"declare": ["D14"], "then": on(), "withheld": "otherwise"},
            "confirm": lambda: {"do": "confirm_appointment", "done": on(), "failed": on()},
            "cancel": lambda: {"do": "cancel_appointment", "done": on(known - {"found"}), "failed": on()},
            "move": lambda: {"move": "appointment", "moved": on(known - {"found"}), "none": on(), "abandoned": on()},
            "branch": lambda: {"branch": "practice.agenda", "cases": {"internal": on(), "external": on()}},
            "book": lambda: {
                "book": "slot", "booked": on(), "none": on(), "refused": "otherwise", "abandoned": "otherwise",
            },
            "message": lambda: {
                "take_message": chance.choice(("callback", "renewal")), "taken": on(), "abandoned": on(),
            },
            "show": lambda: {"show": "instructions", "then": on()},
            "forget": lambda: {"forget": "patient", "then": on(NOTHING)},
            "run": lambda: self._run(known, on),
        }  # fmt: skip
        return made[kind]()

    def _choice(self, part: Part, on: Callable[..., str]) -> Step:
        """``0`` leads out: to the end of the call, or, from a sub-flow, to where refusals lead."""
        options = {str(key): {"label": self.chance.choice(_LABELS), "to": on()} for key in range(1, 4)}
        out = "otherwise" if part.prefix else "close"
        options["0"] = {"label": "operator.close", "to": out}
        return {"choose": self.chance.choice(_ASKED), "options": options}


def authored_script(seed: int) -> Files:
    """The script that ``seed`` stands for."""
    chance = Random(seed)
    careless = chance.choice((0.0, 0.0, 0.03, 0.15))
    return ScriptAuthor(chance, careless, Files(dict(HEAD))).writes()
