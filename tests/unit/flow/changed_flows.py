"""Shipped flows, with one or two things changed in them, as somebody who edits them may."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from callcenter.kernel.documents import read_yaml
from tests.unit.flow.random_flows import Files, Step


def shipped(path: Path) -> Files:
    """The flow in the file at ``path``, with its parts in one file."""
    head = dict(read_yaml(path).data)
    steps = dict(head.pop("steps"))
    for part in head.pop("parts"):
        own = part if "/" in part else f"{path.stem}/{part}"
        steps.update(read_yaml(path.parent / f"{own}.yaml").data["steps"])
    files = Files(head, steps)
    for name in {step["run"] for step in steps.values() if "run" in step}:
        subflow = read_yaml(path.parent / "subflows" / f"{name}.yaml").data
        start = subflow["start"]
        files.subflows[name] = {start: subflow["steps"][start], **subflow["steps"]}
    return files


#: Keys of a step that lead nowhere.
_NO_OUTLETS = frozenset(
    {"verify", "find", "disclose", "say", "choose", "do", "end", "branch", "take_message", "queue", "connect"}
    | {"reference", "card", "move", "book", "reach_out", "speak", "prove", "run", "leave"}
)  # fmt: skip


def ways_of(step: Step) -> list[tuple[dict[str, Any], str]]:
    """Every place in ``step`` where the name of another stands: what holds it, and by which key."""
    found = [(step, key) for key, value in step.items() if isinstance(value, str) and key not in _NO_OUTLETS]
    for inner in (step.get("keys", {}), step.get("cases", {})):
        found += [(inner, key) for key in inner]
    return found


def changed(seed: int, path: Path) -> Files:
    """The shipped flow at ``path``, with one or two things changed in it, or in its sub-flow."""
    chance, files = Random(seed), shipped(path)
    for _ in range(chance.choice((1, 1, 2))):
        steps = chance.choice((files.steps, *files.subflows.values()))
        chance.choice((_retarget, _drop_proof, _swap_level, _insert, _insert, _tell_on_none))(steps, chance)
    return files


def _retarget(steps: dict[str, Step], chance: Random) -> None:
    holder, key = chance.choice([way for step in steps.values() for way in ways_of(step)])
    holder[key] = chance.choice([*steps, "person"])


def _drop_proof(steps: dict[str, Step], chance: Random) -> None:
    """Go past a step that proves something, or that finds what is told then."""
    proofs = {"verify": "verified", "card": "proved", "find": "found", "reference": "known"}
    dropped = [(name, steps[name][outlet]) for name in steps for verb, outlet in proofs.items() if verb in steps[name]]
    for name, onward in chance.sample(dropped, min(1, len(dropped))):
        for step in steps.values():
            for holder, key in ways_of(step):
                if holder[key] == name:
                    holder[key] = onward
        if name != next(iter(steps)):  # the start of a sub-flow stays
            del steps[name]


def _swap_level(steps: dict[str, Step], chance: Random) -> None:
    for step in steps.values():
        if "verify" in step and chance.random() < 0.5:
            step["verify"] = {"level": 5 - step["verify"]["level"]}


def _insert(steps: dict[str, Step], chance: Random) -> None:
    """A transfer, another patient, another reference, or a look for something, in the middle of some way."""
    holder, key = chance.choice([way for step in steps.values() for way in ways_of(step)])
    onward, name = holder[key], f"inserted_{len(steps)}"
    again = chance.choice((onward, "person"))
    steps[name] = chance.choice(
        (
            {"connect": "practice", "connected": onward, "unanswered": onward},
            {"verify": {"level": chance.choice((2, 3))}, "verified": onward, "refused": again, "unavailable": again},
            {"reference": "slot", "known": onward, "refused": again},
            {"find": "next_appointment", "found": onward, "none": onward, "withheld": "person"},
            {"take_message": "callback", "taken": onward, "abandoned": again},
        )
    )
    holder[key] = name


def _tell_on_none(steps: dict[str, Step], chance: Random) -> None:
    tells = [name for name, step in steps.items() if "disclose" in step]
    for step in steps.values():
        if "find" in step and tells:
            step["none"] = chance.choice(tells)
