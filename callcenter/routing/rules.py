"""What an organisation chooses about its queue: whom a call is offered to first, and how long one may wrap up.

It is chosen by ``callcenter staff queue``, which puts the choice on record.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.values import Strategy

WRAP_UP_SECONDS = 20
LONGEST_WRAP_UP_SECONDS = 1_800


@dataclass(frozen=True, slots=True)
class Rule:
    """An organisation's choice.

    Arguments:
        wrap_up_seconds: after which wrapping up ends by itself; 0 for none.
    """

    strategy: Strategy = Strategy.LONGEST_IDLE
    wrap_up_seconds: int = WRAP_UP_SECONDS

    def __post_init__(self) -> None:
        if not 0 <= self.wrap_up_seconds <= LONGEST_WRAP_UP_SECONDS:
            raise ValueError(f"wrapping up takes 0 to {LONGEST_WRAP_UP_SECONDS} seconds, not {self.wrap_up_seconds}")


async def rule_of(connection: AsyncConnection, organisation: UUID) -> Rule:
    """What an organisation has chosen; what it has not is as :class:`Rule` says."""
    row = (await connection.execute(_CHOSEN, {"organisation": organisation})).one_or_none()
    return Rule() if row is None else Rule(Strategy(row.strategy), row.wrap_up_seconds)


async def rule_to_change(connection: AsyncConnection, organisation: UUID) -> Rule:
    """The same, held until the transaction is over: two who choose at once choose one after the other."""
    # A row that is not there cannot be held: the first choice of all begins with what holds without one.
    await connection.execute(_BEGIN, _values(organisation, Rule()))
    row = (await connection.execute(_HELD, {"organisation": organisation})).one()
    return Rule(Strategy(row.strategy), row.wrap_up_seconds)


async def choose_rule(connection: AsyncConnection, organisation: UUID, rule: Rule) -> None:
    """Let ``rule`` hold from the next call on."""
    await connection.execute(_CHOOSE, _values(organisation, rule))


def _values(organisation: UUID, rule: Rule) -> dict[str, object]:
    return {"organisation": organisation, "strategy": rule.strategy.value, "wrap_up_seconds": rule.wrap_up_seconds}


_CHOSEN = text("SELECT strategy, wrap_up_seconds FROM routing_rule WHERE organisation_id = :organisation")
_HELD = text("SELECT strategy, wrap_up_seconds FROM routing_rule WHERE organisation_id = :organisation FOR UPDATE")
_BEGIN = text(
    """
    INSERT INTO routing_rule (organisation_id, strategy, wrap_up_seconds)
    VALUES (:organisation, :strategy, :wrap_up_seconds)
    ON CONFLICT (organisation_id) DO NOTHING
    """
)
_CHOOSE = text(
    """
    INSERT INTO routing_rule (organisation_id, strategy, wrap_up_seconds)
    VALUES (:organisation, :strategy, :wrap_up_seconds)
    ON CONFLICT (organisation_id) DO UPDATE SET strategy = excluded.strategy, wrap_up_seconds = excluded.wrap_up_seconds
    """
)
