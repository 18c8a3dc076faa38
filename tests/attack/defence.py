"""An attack, the defences that stop it, and the proof that they are what stops it.

An attack is a function that tries for something and says whether it got it. ``attack`` makes several tests of it: with
every defence in place it must be foiled; with none of them it must succeed. Where two defences stand behind one
another, each must be enough alone. So an attack that cannot succeed at all fails its test, and so does a defence that
has become an ornament.

Switching off is done to the product itself (a function replaced, a condition taken out of a statement, a policy
dropped, a setting), never to a copy of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import wraps
from typing import Any

import pytest
from sqlalchemy import TextClause, text


class Outcome(Enum):
    """What became of an attack."""

    FOILED = "foiled"
    SUCCEEDED = "succeeded"


FOILED, SUCCEEDED = Outcome.FOILED, Outcome.SUCCEEDED


def gained(what: object) -> Outcome:
    """``SUCCEEDED`` if the attacker holds anything (empty collections, ``None`` and ``False`` are nothing)."""
    return SUCCEEDED if what else FOILED


def unanimous(outcomes: Mapping[str, Outcome]) -> Outcome:
    """The one outcome of an attack that was tried on many targets; that they differ is a failure of its own."""
    assert outcomes, "nothing was attacked"
    succeeded = sorted(name for name, outcome in outcomes.items() if outcome is SUCCEEDED)
    foiled = sorted(name for name, outcome in outcomes.items() if outcome is FOILED)
    assert not (succeeded and foiled), f"it succeeded on {succeeded} and was foiled on {foiled}"
    return SUCCEEDED if succeeded else FOILED


@dataclass(slots=True)
class Sabotage:
    """How defences are switched off for the length of one test; in place before anything is started.

    Arguments:
        patch: replaces attributes, and puts them back.
        settings: replace those of the server that the test starts, section by section.
        statements: SQL that the test's own database gets as its superuser.
        standing: names of the defences that were left in place.
    """

    patch: pytest.MonkeyPatch
    settings: dict[str, Any] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    standing: tuple[str, ...] = ()

    def replace(self, owner: object, name: str, by: object) -> None:
        """Put ``by`` in the place of an attribute that must be there."""
        self.patch.setattr(owner, name, by)

    def rewrite(self, module: object, name: str, phrase: str, instead: str) -> None:
        """Put ``instead`` in the place of ``phrase``, which must stand once in the SQL statement of that name."""
        statement = getattr(module, name)
        assert isinstance(statement, TextClause)
        assert statement.text.count(phrase) == 1, f"{name} does not hold « {phrase} » once: this is not its defence"
        self.patch.setattr(module, name, text(statement.text.replace(phrase, instead)))

    def sql(self, statement: str) -> None:
        """Do this to the database of the test, as its superuser, before the product connects."""
        self.statements.append(statement)


@dataclass(frozen=True, slots=True)
class Defence:
    """Something of the product that stands between an attack and its aim.

    Arguments:
        name: a few words, for the test's name.
        keeps: the promise (P1-P9) or the rule that it keeps.
        off: switches it off.
    """

    name: str
    keeps: str
    off: Callable[[Sabotage], None]


def replaced(name: str, keeps: str, owner: object, attribute: str, by: object) -> Defence:
    """A defence that is one attribute of the product: without it stands ``by``."""

    def off(sabotage: Sabotage) -> None:
        sabotage.replace(owner, attribute, by)

    return Defence(name, keeps, off)


async def yes(*_: object) -> bool:
    """What stands in place of whoever asks whether somebody may."""
    return True


@dataclass(frozen=True, slots=True)
class Standing:
    """Which of an attack's defences are left in place; the others are switched off."""

    left: tuple[Defence, ...]
    off: tuple[Defence, ...]


Strike = Callable[..., Outcome | Awaitable[Outcome]]


def attack(*, stopped_by: Defence | tuple[Defence, ...]) -> Callable[[Strike], Callable[..., Awaitable[None]]]:
    """Make tests of an attack.

    Arguments:
        stopped_by: the defence that it needs switched off, or several of which each is enough alone.
    """
    defences = stopped_by if isinstance(stopped_by, tuple) else (stopped_by,)

    def tests_of(strike: Strike) -> Callable[..., Awaitable[None]]:
        wanted = inspect.signature(strike).parameters

        @wraps(strike)
        async def tried(sabotage: Sabotage, **scene: Any) -> None:
            outcome = strike(**scene, **({"sabotage": sabotage} if "sabotage" in wanted else {}))
            judge(await outcome if inspect.isawaitable(outcome) else outcome, sabotage.standing, defences)

        own = inspect.Parameter("sabotage", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        fixtures = {"sabotage": own, **wanted}.values()
        tried.__signature__ = inspect.Signature(list(fixtures))  # type: ignore[attr-defined]  # pytest reads it
        return pytest.mark.parametrize("sabotage", cases(defences), indirect=True)(tried)

    return tests_of


def judge(outcome: Outcome, standing: tuple[str, ...], defences: tuple[Defence, ...]) -> None:
    """Fail the test unless the attack came out as it must with those defences in place."""
    if standing:
        assert outcome is FOILED, f"the attack succeeds although « {', '.join(standing)} » stands"
        return
    names = ", ".join(defence.name for defence in defences)
    assert outcome is SUCCEEDED, f"the attack fails even without « {names} »: something else stops it, or it is none"


def cases(defences: tuple[Defence, ...]) -> list[Any]:
    """All defences in place; each alone, where there are several; none."""
    every = Standing(defences, ())
    none = Standing((), defences)
    alone = [Standing((one,), tuple(d for d in defences if d is not one)) for one in defences if len(defences) > 1]
    return [
        pytest.param(every, id="defended"),
        *(pytest.param(standing, id=f"only {standing.left[0].name}") for standing in alone),
        pytest.param(none, id="undefended"),
    ]
