"""Messages as their pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.console.inbox_ports import Answer, As, Line, Named, Opened, Voice
from callcenter.practice.correspondence import Contents, Heading
from callcenter.practice.follow_ups import FollowUp
from callcenter.practice.numbers import in_pairs
from callcenter.practice.values import Urgency
from callcenter.staff.names import names_of


async def names_in(connection: AsyncConnection, headings: Sequence[Heading]) -> Mapping[str, str]:
    """The names of the accounts that have read or dealt with messages, by identifier."""
    wanted = {str(by) for heading in headings for by in (heading.read_by, heading.handled_by) if by is not None}
    return await names_of(connection, wanted) if wanted else {}


def line_of(
    staff: UUID,
    practice: Named,
    heading: Heading,
    now: datetime,
    left: FollowUp | None,
    names: Mapping[str, str],
) -> Line:
    """A message as lists show it. Whoever a command was told has dealt with it is called so."""
    mine = left is not None and left.is_of(staff, now)
    return Line(
        id=heading.id,
        practice=practice,
        kind=heading.kind,
        reason=heading.reason,
        urgent=heading.urgency is Urgency.URGENT,
        whom=heading.whom,
        since=heading.created_at,
        spoken=heading.spoken,
        own=heading.written_by == staff,
        read_at=heading.read_at,
        read_by=names.get(str(heading.read_by)),
        answer=None if heading.answer is None else Answer(heading.answer.value),
        handled_at=heading.handled_at,
        handled_by=None if heading.handled_by is None else names.get(heading.handled_by, heading.handled_by),
        due_at=None if left is None else left.due_at,
        mine=mine,
        taken=left is not None and left.is_taken(now) and not mine,
    )


def opened_as(line: Line, how: As, contents: Contents, answers: tuple[Answer, ...]) -> Opened:
    voice = contents.voice
    return Opened(
        line=line,
        how=how,
        number=None if contents.number is None else in_pairs(contents.number),
        text=contents.text,
        answer_text=contents.answer_text,
        language=contents.language,
        relayed=contents.relayed,
        voice=None if voice is None else Voice(voice.state.value, voice.seconds),
        answers=answers,
    )
