"""Calls that are kept out of what is written, or made up: what the carrier's list shows of them the next night (P4)."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.calls import carrier_findings
from callcenter.calls.carrier_list import CarrierComparison
from callcenter.calls.carrier_values import Difference
from callcenter.kernel.clock import DrivenClock
from callcenter.store.schema import APP, OWNER
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.attack.scene import TILLEULS
from tests.integration.comparing import DAY, FORGED, NOON, Night, night
from tests.integration.supervising import supervised


async def _nothing(*_: object) -> list[object]:
    return []


THEIRS = Defence(
    "calls that the carrier alone knows are found",
    "P4: a second witness of which calls there were",
    lambda sabotage: sabotage.replace(CarrierComparison, "_strangers", _nothing),
)
OURS = Defence(
    "calls that the carrier never had are found",
    "P4: nobody but the carrier tells of calls",
    lambda sabotage: sabotage.replace(CarrierComparison, "_never_had", _nothing),
)


async def _unnoticed(tonight: Night, sid: str, kind: Difference) -> Outcome:
    return FOILED if (sid, kind) in await tonight.compared() else SUCCEEDED


@attack(stopped_by=THEIRS)
async def test_p4_a_call_is_kept_out_of_what_is_written(ground: Ground, clock: DrivenClock) -> Outcome:
    """Its webhooks are dropped on the way; or an administrator takes its row away before anything is sealed."""
    outcomes = {}
    async with night(ground.app, clock) as tonight:
        dropped, removed = await tonight.call(), await tonight.call()
        row = await tonight.known(removed)
        await ground.change("DELETE FROM call WHERE id = :id", id=row)
        for name, sid in (("dropped", dropped), ("removed", removed)):
            outcomes[name] = await _unnoticed(tonight, sid, Difference.CALL_UNKNOWN)
    return unanimous(outcomes)


@attack(stopped_by=OURS)
async def test_p4_a_call_is_made_up(ground: Ground, clock: DrivenClock) -> Outcome:
    """By somebody who can sign webhooks: a token that leaked, or a hand in the database."""
    async with night(ground.app, clock) as tonight:
        await tonight.known(FORGED)
        return await _unnoticed(tonight, FORGED, Difference.CALL_NEVER_HAD)


def _the_app_may_everything(sabotage: Sabotage) -> None:
    sabotage.sql(f"GRANT ALL ON carrier_finding TO {APP}")


def _settled_again(sabotage: Sabotage) -> None:
    for column in ("settled_at", "settled_by", "cause"):
        sabotage.sql(f"ALTER TABLE carrier_finding DISABLE TRIGGER carrier_finding_{column}_once")


RIGHTS = Defence("the app role may only find and settle", "P4: what was found stays", _the_app_may_everything)
ONCE = Defence("a finding is settled once", "P4: for which cause stays", _settled_again)
_FOUND = (
    "INSERT INTO carrier_finding (id, practice_id, sid, kind, day, found_at) "
    "VALUES (:id, :practice, :sid, 'call_unknown', :day, :now)"
)
_SETTLED = "UPDATE carrier_finding SET settled_at = now(), settled_by = 'somebody', cause = 'incident'"


async def _found(ground: Ground, practice: UUID = TILLEULS) -> UUID:
    finding = uuid4()
    await ground.change(_FOUND, id=finding, practice=practice, sid=FORGED, day=DAY, now=NOON)
    return finding


async def _does(ground: Ground, role: str, statement: str, *refusals: str) -> Outcome:
    async with ground.session(role) as connection:
        try:
            assert (await connection.execute(text(statement))).rowcount == 1, "nothing to change"
        except DBAPIError as error:
            if not any(refusal in str(error.orig) for refusal in refusals):
                raise
            return FOILED
    return SUCCEEDED


@attack(stopped_by=RIGHTS)
async def test_p4_what_was_found_is_made_to_vanish(ground: Ground) -> Outcome:
    await _found(ground)
    statements = (
        "UPDATE carrier_finding SET day = day - 40",
        "UPDATE carrier_finding SET sid = 'CA' || repeat('0', 32)",
        "DELETE FROM carrier_finding",
    )
    return unanimous({one: await _does(ground, APP, one, "permission denied") for one in statements})


@attack(stopped_by=ONCE)
async def test_p4_an_incident_is_settled_again_as_a_trial(ground: Ground) -> Outcome:
    await _found(ground)
    await ground.change(_SETTLED)
    statements = (
        "UPDATE carrier_finding SET cause = 'test'",
        "UPDATE carrier_finding SET settled_by = 'another'",
        "UPDATE carrier_finding SET settled_at = NULL, settled_by = NULL, cause = NULL",
    )
    return unanimous({one: await _does(ground, OWNER, one, "what is over stays over") for one in statements})


OWN = Defence(
    "differences of practices that one answers for alone",
    "P5",
    lambda sabotage: sabotage.rewrite(carrier_findings, "_SETTLE", "(:everywhere OR ", "(true OR :everywhere OR "),
)


@attack(stopped_by=OWN)
async def test_p5_a_difference_of_another_organisation_is_settled(ground: Ground, clock: DrivenClock) -> Outcome:
    async with supervised(ground.app, ground.sealer, clock) as house:
        finding = await _found(ground, house.foreign)
        await house.signed_in(await house.staff("premier"))
        await house.guest.get("/ecarts")
        await house.guest.post("/ecarts", **{f"ecart-{finding}": "1", "cause": "test"})
        return gained(await ground.rows("SELECT id FROM carrier_finding WHERE settled_at IS NOT NULL"))
