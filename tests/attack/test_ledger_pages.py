"""The console's pages of the sealed ledger: logs of others, records of others, and proofs that leave no trace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from callcenter.app import by_ledger
from callcenter.app.by_ledger import StaffLedgers
from callcenter.audit.anchors import Anchor, AnchorKind, keep_anchor
from callcenter.audit.logs import HOUSE_LOG
from callcenter.console.ledger_ports import Download, NoRecord, Proved
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.staff.ledger_acts import LedgerActs
from callcenter.staff.rights import NotTheirs, Rights
from callcenter.staff.values import Role
from callcenter.store.schema import SEALER
from tests.attack.defence import FOILED, Outcome, attack, gained, replaced, unanimous, yes
from tests.attack.ground import Ground
from tests.attack.reviewing import BY, OTHERS, Review, reviewing
from tests.attack.scene import TILLEULS
from tests.sealing import Behind, InTime, a_key, seal_once

FOLDER = "/mnt/worm"


@pytest.fixture
async def scene(told_ground: Ground, clock: DrivenClock) -> AsyncIterator[Review]:
    """Jeanne's call is over and sealed, and somebody else holds the head."""
    async with reviewing(told_ground, clock) as review:
        assert await seal_once(told_ground.url(SEALER), a_key(), clock) == []
        async with told_ground.app.practice(TILLEULS) as tx:
            await keep_anchor(tx, Anchor(AnchorKind.FILE, FOLDER, 1, "a note", None, clock.now()))
        yield review


def ledgers_of(review: Review, *, behind: bool = False) -> StaffLedgers:
    watch = Behind() if behind else InTime()
    return StaffLedgers(review.room, review.ground.app, review.clock, SystemRandom(), watch, a_key().public_halves)


async def _nothing(*_: object) -> None:
    return None


RIGHTS = replaced("the role is asked for the practice", "rights are per practice", Rights, "may", yes)


@attack(stopped_by=RIGHTS)
async def test_p5_the_log_of_a_practice_is_read_by_whoever_does_not_answer_for_it(scene: Review) -> Outcome:
    """A supervisor of another organisation, and an operator of the practice: state, records, proofs, deposits."""
    (row,) = await scene.ground.rows("SELECT id FROM audit_record WHERE practice_id = :id LIMIT 1", id=TILLEULS)
    ledgers, came = ledgers_of(scene), {}
    ways: dict[str, Callable[[str], Awaitable[object]]] = {
        "state": lambda token: ledgers.state(token, TILLEULS),
        "call": lambda token: ledgers.find(token, TILLEULS, str(scene.call)),
        "record": lambda token: ledgers.proved(token, TILLEULS, row.id),
        "proof": lambda token: ledgers.proof(token, TILLEULS, row.id),
        "deposits": lambda token: ledgers.deposits(token, TILLEULS, 1),
        "deposit": lambda token: ledgers.deposit(token, TILLEULS, "file", FOLDER, 1, receipt=False),
    }
    for who, token in (("theirs", scene.theirs), ("operator", scene.operator)):
        for name, way in ways.items():
            came[f"{who}: {name}"] = FOILED
            with suppress(NotTheirs):
                held = await way(token)
                came[f"{who}: {name}"] = gained(not isinstance(held, NoRecord) and held)
    return unanimous(came)


ON_RECORD = replaced("what leaves is on record before", "P1", LedgerActs, "_add", _nothing)


@attack(stopped_by=ON_RECORD)
async def test_p1_a_proof_and_a_piece_leave_without_a_record(scene: Review) -> Outcome:
    (row,) = await scene.ground.rows("SELECT id FROM audit_record WHERE practice_id = :id LIMIT 1", id=TILLEULS)
    ledgers, came = ledgers_of(scene), {}
    assert isinstance(await ledgers.proof(scene.ours, TILLEULS, row.id), Download)
    came["proof"] = gained(not await scene.records("ledger.proven"))
    assert await ledgers.deposit(scene.ours, TILLEULS, "file", FOLDER, 1, receipt=False)
    came["piece"] = gained(not await scene.records("ledger.head_taken"))
    return unanimous(came)


SEALED_IN_TIME = replaced("nothing leaves while the ledger is behind", "P4", Behind, "is_behind", lambda *_: False)


@attack(stopped_by=SEALED_IN_TIME)
async def test_p4_a_record_leaves_while_its_own_leaving_could_vanish(scene: Review) -> Outcome:
    (row,) = await scene.ground.rows("SELECT id FROM audit_record WHERE practice_id = :id LIMIT 1", id=TILLEULS)
    came = await ledgers_of(scene, behind=True).proof(scene.ours, TILLEULS, row.id)
    return gained(isinstance(came, Download))


OUR_HOUSE = replaced("records of the house are their organisation's", "decision 69", by_ledger, "is_theirs", yes)


@attack(stopped_by=OUR_HOUSE)
async def test_an_administrator_takes_what_the_house_has_on_record_of_another_organisation(scene: Review) -> Outcome:
    """Who signed in when, who was given which right: of accounts that are none of theirs."""
    whole = await scene.room.portfolios.create(OTHERS, "Toute", BY, whole=True)
    chief = await scene.staff("chief", whole, Role.ADMINISTRATOR)
    assert await seal_once(scene.ground.url(SEALER), a_key(), scene.clock) == []
    query = "SELECT id FROM house_record WHERE stream = :account LIMIT 1"
    (row,) = await scene.ground.rows(query, account=scene.people["ours"])
    ledgers = ledgers_of(scene)
    return unanimous(
        {
            "proof": gained(isinstance(await ledgers.proof(chief, HOUSE_LOG, row.id), Download)),
            "way": gained(isinstance(await ledgers.proved(chief, HOUSE_LOG, row.id), Proved)),
        }
    )
