"""Changing what the ledger says of the past (P4)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.audit import reading
from callcenter.audit.reading import records_of_call
from callcenter.kernel.errors import IntegrityError
from callcenter.store.schema import APP, OWNER
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack
from tests.attack.ground import Ground
from tests.attack.scene import TILLEULS
from tests.conftest import ROOT

LEDGER = ("audit_record", "audit_outbox", "audit_subject")
#: The triggers that refuse changes, by table.
KEEPERS = {
    "audit_record": ("audit_record_append_only", "audit_record_not_emptied"),
    "audit_outbox": ("audit_outbox_unchanged", "audit_outbox_not_emptied"),
    "audit_subject": ("audit_subject_unchanged",),
}
OF_THE_SEALER = "audit_outbox_taken_by_the_sealer"


def _the_app_may_everything(sabotage: Sabotage) -> None:
    sabotage.sql(f"GRANT ALL ON {', '.join(LEDGER)}, audio TO {APP}")


def _changes_are_not_refused(sabotage: Sabotage) -> None:
    for table, triggers in KEEPERS.items():
        for trigger in triggers:
            sabotage.sql(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")


def _triggers_fire_for_sessions_of_users(sabotage: Sabotage) -> None:
    for table, triggers in {**KEEPERS, "audit_outbox": (*KEEPERS["audit_outbox"], OF_THE_SEALER)}.items():
        for trigger in triggers:
            sabotage.sql(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")  # "origin", as a trigger is by itself


def _anybody_may_be_the_sealer(sabotage: Sabotage) -> None:
    sabotage.sql(f"ALTER TABLE audit_outbox DISABLE TRIGGER {OF_THE_SEALER}")


def _any_leaf_may_be_stored(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE audit_record DROP CONSTRAINT ck_audit_record_leaf_is_of_its_body")


RIGHTS = Defence("the app role may only add", "P4: the ledger is append-only by role", _the_app_may_everything)
TRIGGERS = Defence("triggers refuse changes", "P4: the ledger is append-only by trigger", _changes_are_not_refused)
ALWAYS = Defence(
    "triggers fire always", "P4: a replica's process changes nothing either", _triggers_fire_for_sessions_of_users
)
SEALERS = Defence(
    "only the sealer empties the outbox", "P4: what is not sealed yet awaits its seal", _anybody_may_be_the_sealer
)
LEAF_IN_SCHEMA = Defence(
    "the leaf is checked by the schema", "P4: a record has its leaf when it is written", _any_leaf_may_be_stored
)

REFUSALS = (
    "permission denied",
    "only ever added to",
    "only the sealer takes records",
    "ck_audit_record_leaf_is_of_its_body",
)


def refused(error: DBAPIError) -> Outcome:
    """``FOILED``, unless something besides these defences was in the way."""
    if not any(refusal in str(error.orig) for refusal in REFUSALS):
        raise error
    return FOILED


async def does(ground: Ground, role: str, *statements: str) -> Outcome:
    """Whether ``role``, in the practice whose ledger it is, can do this to it, one statement after the other."""
    async with ground.session(role) as connection:
        await connection.execute(text("SELECT set_config('app.practice', :it, false)"), {"it": str(TILLEULS)})
        try:
            for statement in statements:
                assert (await connection.exec_driver_sql(statement)).rowcount != 0, f"{statement}: nothing to change"
        except DBAPIError as error:
            return refused(error)
    return SUCCEEDED


EDITED = "UPDATE audit_record SET body = body || ' '"
#: What refers to records must go before them; all of it is the same attack.
REMOVED = ("DELETE FROM audit_outbox", "DELETE FROM audio", "DELETE FROM audit_record")
CHANGES = {
    "changed with its leaf": rf"{EDITED}, leaf = sha256('\x00'::bytea || body || ' ')",
    "emptied": "TRUNCATE audit_record CASCADE",
    "sealed out of order": "UPDATE audit_outbox SET n = DEFAULT",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
@attack(stopped_by=(RIGHTS, TRIGGERS))
async def test_p4_the_server_changes_what_it_has_written(told_ground: Ground, statement: str) -> Outcome:
    """Somebody who can make the server run SQL."""
    return await does(told_ground, APP, statement)


@attack(stopped_by=(RIGHTS, TRIGGERS, LEAF_IN_SCHEMA))
async def test_p4_the_server_edits_a_record(told_ground: Ground) -> Outcome:
    return await does(told_ground, APP, EDITED)


@attack(stopped_by=(RIGHTS, TRIGGERS, SEALERS))
async def test_p4_the_server_removes_records(told_ground: Ground) -> Outcome:
    return await does(told_ground, APP, *REMOVED)


@attack(stopped_by=(RIGHTS, SEALERS))
async def test_p4_the_server_takes_records_out_of_the_sealers_queue(told_ground: Ground) -> Outcome:
    return await does(told_ground, APP, "DELETE FROM audit_outbox")


@attack(stopped_by=LEAF_IN_SCHEMA)
async def test_p4_the_server_adds_a_record_with_the_leaf_of_another(told_ground: Ground) -> Outcome:
    """Adding is its right: a fault in it could make a ledger that never verifies."""
    columns = "stream, seq + 1000, practice_id, call_id, body, sha256('another')"
    return await does(
        told_ground,
        APP,
        "INSERT INTO audit_record (id, stream, seq, practice_id, call_id, body, leaf) "
        f"SELECT gen_random_uuid(), {columns} FROM audit_record LIMIT 1",
    )


@attack(stopped_by=RIGHTS)
async def test_p4_the_server_unlinks_the_ledger_from_a_person(told_ground: Ground) -> Outcome:
    return await does(told_ground, APP, "DELETE FROM audit_subject")


@attack(stopped_by=(RIGHTS, TRIGGERS))
async def test_p4_the_server_says_that_the_ledger_means_somebody_else(told_ground: Ground) -> Outcome:
    return await does(told_ground, APP, "UPDATE audit_subject SET token = gen_random_uuid()")


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
@attack(stopped_by=TRIGGERS)
async def test_p4_an_accident_of_the_owner_changes_the_ledger(told_ground: Ground, statement: str) -> Outcome:
    return await does(told_ground, OWNER, statement)


@attack(stopped_by=(TRIGGERS, LEAF_IN_SCHEMA))
async def test_p4_an_accident_of_the_owner_edits_a_record(told_ground: Ground) -> Outcome:
    return await does(told_ground, OWNER, EDITED)


@attack(stopped_by=(TRIGGERS, SEALERS))
async def test_p4_an_accident_of_the_owner_removes_records(told_ground: Ground) -> Outcome:
    return await does(told_ground, OWNER, *REMOVED)


@pytest.mark.parametrize("role", [OWNER, ROOT], ids=["owner", "superuser"])
@attack(stopped_by=SEALERS)
async def test_p4_somebody_of_the_house_takes_records_out_of_the_sealers_queue(
    told_ground: Ground, role: str
) -> Outcome:
    """A superuser could say that it is the sealer; an accident does not."""
    return await does(told_ground, role, "DELETE FROM audit_outbox")


#: Each of these is refused by a trigger alone.
AS_A_REPLICA = {
    **CHANGES,
    "the outbox taken": "DELETE FROM audit_outbox",
    "the outbox emptied": "TRUNCATE audit_outbox",
    "a person exchanged": "UPDATE audit_subject SET token = gen_random_uuid()",
}


@pytest.mark.parametrize("statement", AS_A_REPLICA.values(), ids=AS_A_REPLICA)
@attack(stopped_by=ALWAYS)
async def test_p4_changes_come_in_by_a_replicas_process(told_ground: Ground, statement: str) -> Outcome:
    """Replication and restores run as a replica, and so may a superuser: there, triggers are silent by themselves."""
    return await does(told_ground, ROOT, "SET session_replication_role = replica", statement)


class _AnyLeaf:
    def __ne__(self, _: object) -> bool:
        return False


def _leaves_are_not_checked(sabotage: Sabotage) -> None:
    sabotage.replace(reading, "leaf_of", lambda _: _AnyLeaf())


def _chains_are_not_checked(sabotage: Sabotage) -> None:
    sabotage.replace(reading, "_follows", lambda *_: True)


LEAF = Defence("the leaf is checked by the reader", "P4: an edited ledger does not verify", _leaves_are_not_checked)
CHAIN = Defence("a record names the one before", "P4: an edited ledger does not verify", _chains_are_not_checked)

_REFUSED_INSTEAD = "convert_to(replace(convert_from(body, 'UTF8'), '\"granted\"', '\"refused\"'), 'UTF8')"
_GRANTS = "FROM audit_record WHERE convert_from(body, 'UTF8') LIKE '%\"granted\"%'"
#: The first grant of Jeanne's call, the only one in which anything is told.
_FIRST_GRANT = f"(stream, seq) = (SELECT stream, min(seq) {_GRANTS} GROUP BY stream)"


async def goes_unnoticed(ground: Ground, *edit: str) -> Outcome:
    """Whether the call's ledger still reads as if nothing had been done to it, by somebody whom no trigger binds."""
    (told,) = await ground.rows(f"SELECT DISTINCT call_id {_GRANTS}")
    without_triggers = "ALTER TABLE audit_record DISABLE TRIGGER ALL"  # nor foreign keys
    if await does(ground, ROOT, without_triggers, *edit) is FOILED:
        return FOILED
    async with ground.app.practice(TILLEULS) as tx:
        try:
            await records_of_call(tx, told.call_id)
        except IntegrityError:
            return FOILED
    return SUCCEEDED


@attack(stopped_by=(LEAF_IN_SCHEMA, LEAF))
async def test_p4_an_administrator_edits_a_record(told_ground: Ground) -> Outcome:
    return await goes_unnoticed(told_ground, f"UPDATE audit_record SET body = {_REFUSED_INSTEAD} WHERE {_FIRST_GRANT}")


EDITS = {
    "edits a record and its leaf": (
        f"UPDATE audit_record SET leaf = sha256('\\x00' || {_REFUSED_INSTEAD}), body = {_REFUSED_INSTEAD} "
        f"WHERE {_FIRST_GRANT}",
    ),
    "removes a record": (f"DELETE FROM audit_record WHERE {_FIRST_GRANT}",),
    "lets two change places": (
        "ALTER TABLE audit_record DROP CONSTRAINT uq_audit_record_stream_seq",
        f"UPDATE audit_record SET seq = 5 - seq WHERE seq IN (2, 3) AND stream = (SELECT DISTINCT stream {_GRANTS})",
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@attack(stopped_by=CHAIN)
async def test_p4_an_administrator_rewrites_the_past(told_ground: Ground, edit: Sequence[str]) -> Outcome:
    """Only an inner record: who cuts the end off, or writes all that follows anew, is found out by seals, not yet."""
    return await goes_unnoticed(told_ground, *edit)
