"""Supervisors before the review: of Jeanne's practice, of another organisation's, and an operator without the role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID, uuid4

from argon2.profiles import CHEAPEST
from sqlalchemy import text

from callcenter.app.by_review import StaffReviews
from callcenter.audit.ledger import Entry, EventKind, Segment, Value, writing
from callcenter.calls.script_session import note_place
from callcenter.console.ports import Stage as PageStage
from callcenter.console.review import ReviewPages
from callcenter.console.review_ports import Asked, LookUp, Matches, Purpose
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.practice.enrolment import write_organisation
from callcenter.reports.values import Criteria, Kind
from callcenter.staff.administration import NewAccount
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.portfolios import Portfolio
from callcenter.staff.records import Actor
from callcenter.staff.room import StaffLimits, StaffRoom
from callcenter.staff.sessions import Stage
from callcenter.staff.values import Role
from tests.attack.ground import Ground
from tests.attack.repositories import FLOWS
from tests.attack.scene import JEANNE, PORT, TILLEULS
from tests.sealing import InTime
from tests.unit.console.doubles import ALICE, open_desk

BY = Actor.command("tests")
DAY = date(2026, 11, 26)
BORN = date(1962, 3, 14)
WHY = "Réclamation reçue par courrier"
#: The organisation that has taken the other practice over.
OTHERS = uuid4()


@dataclass(slots=True)
class Review:
    """The review on a database, and who is before it.

    Arguments:
        ours, theirs: tokens of supervisors of Jeanne's practice and of another organisation's.
        operator: of somebody who answers for Jeanne's practice.
        call: in which she was told her appointment.
    """

    room: StaffRoom
    reviews: StaffReviews
    ground: Ground
    clock: DrivenClock
    call: UUID
    people: dict[str, UUID] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def ours(self) -> str:
        return self.tokens["ours"]

    @property
    def theirs(self) -> str:
        return self.tokens["theirs"]

    @property
    def operator(self) -> str:
        return self.tokens["operator"]

    async def staff(self, who: str, portfolio: Portfolio, role: Role, name: str = "Superviseur 1") -> str:
        """Somebody with a session of both factors."""
        made = await self.room.administration.create(NewAccount(portfolio.organisation, f"{who}1", name), BY)
        await self.room.administration.sign(made.id, date(2026, 1, 5), BY)
        await self.room.administration.trained(made.id, date(2027, 6, 30), BY)
        await self.room.administration.grant(made, role, portfolio, BY)
        async with self.ground.app.house() as connection:
            token = await self.room.sessions.begin(connection, made.id, Stage.FULL, stepped_up=True)
        self.people[who], self.tokens[who] = made.id, token
        return token

    async def noted(self, words: str) -> None:
        """The operator has noted something of the call as they closed it."""
        script = uuid4()
        await self.ground.change(
            "INSERT INTO script (id, practice_id, call_id, staff_id, document, begun_at, disposition, note, ended_at) "
            "VALUES (:id, :practice, :call, :staff, 1, :now, 'told', :note, :now)",
            **{"id": script, "practice": TILLEULS, "call": self.call, "staff": self.people["operator"]},
            note=self.ground.sealer.seal_text(words, note_place(TILLEULS, script)),
            now=self.clock.now(),
        )

    async def records(self, event: str) -> list[dict[str, object]]:
        """What is on record of this kind in Jeanne's practice, in order."""
        query = "SELECT convert_from(body, 'UTF8')::jsonb AS body FROM audit_record WHERE event = :event ORDER BY at"
        return [row.body for row in await self.ground.rows(query, event=event)]


def asked(
    kind: Kind = Kind.CALLS, practice: UUID = TILLEULS, *, patient: str = "", after: str = "", **more: object
) -> Asked:
    """What is looked for on the day of the calls."""
    return Asked(Criteria(practice, kind, DAY, DAY, **more), patient, after)  # type: ignore[arg-type]


def looked_up(practice: UUID = TILLEULS, *, born: date = BORN, letters: str = "") -> LookUp:
    """Jeanne is looked for."""
    return LookUp(asked(practice=practice).criteria, born, letters, Purpose.COMPLAINT, WHY)


@asynccontextmanager
async def reviewing(ground: Ground, clock: DrivenClock) -> AsyncIterator[Review]:
    """The review on a ground in which Jeanne's call has taken place; the other practice is another organisation's."""
    async with ground.app.house() as connection:
        await write_organisation(connection, OTHERS, "Autre télésecrétariat")
        (ours,) = (
            await connection.execute(text("SELECT organisation_id FROM practice WHERE id = :id"), {"id": TILLEULS})
        ).one()
    await ground.change("UPDATE practice SET organisation_id = :others WHERE id = :port", others=OTHERS, port=PORT)
    random, party = SeededRandom(72), RelyingParty("localhost", "http://localhost:8081")
    limits = StaffLimits(parameters=CHEAPEST)
    room = StaffRoom.on(ground.app, ground.app, ground.sealer, clock, random, party, limits)
    reviews = StaffReviews(room, ground.app, ground.app, ground.sealer, clock, random, FLOWS, InTime())
    (told,) = await ground.rows(
        "SELECT DISTINCT call_id FROM audit_record WHERE event = 'disclosure' AND call_id IS NOT NULL "
        "AND practice_id = :practice AND ledger_text(body, '{decision}') = 'granted' "
        "AND ledger_text(body, '{prompt}') IS NOT NULL",
        practice=TILLEULS,
    )
    review = Review(room, reviews, ground, clock, told.call_id)
    whole = await room.portfolios.create(ours, "Tout", BY, whole=True)
    await review.staff("ours", whole, Role.SUPERVISOR)
    await review.staff("operator", whole, Role.OPERATOR, "Télésecrétaire 1")
    elsewhere = await room.portfolios.create(OTHERS, "Ailleurs", BY, whole=True)
    await review.staff("theirs", elsewhere, Role.SUPERVISOR, "Superviseur d’ailleurs")
    try:
        yield review
    finally:
        room.close()


async def page_of(review: Review, call: UUID) -> str:
    """The page of a call, as its browser gets it."""
    async with open_desk(pages=(ReviewPages(review.reviews),)) as desk:
        token = review.ours
        desk.staff.sessions[token] = replace(ALICE, stage=PageStage.FULL, roles=frozenset({"supervisor"}))
        desk.guest.cookies["__Host-callcenter"] = token
        answer = await desk.guest.get(f"/suivi/appels/{call}")
        assert answer.status == 200, answer.text
        return answer.text


async def withheld(review: Review, reason: str) -> None:
    """Something of Jeanne's is not told in her call."""
    content: dict[str, Value] = {"decision": "refused", "categories": ["C5"], "refs": [], "reason": reason}
    random = SystemRandom()
    async with review.ground.app.practice(TILLEULS) as tx:
        segment = Segment(uuid4(), review.call)
        async with writing(tx, segment, review.clock, random) as pen:
            await pen.add(Entry(EventKind.DISCLOSURE, {"kind": "ivr", "id": "callcenter"}, JEANNE, content))


async def key_of(review: Review) -> str:
    """By what Jeanne is listed."""
    found = await review.reviews.look_up(review.ours, looked_up())
    assert isinstance(found, Matches)
    return found.matches[0].key
