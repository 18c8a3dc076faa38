"""Making messages vanish: a conquered server, or somebody with its login, and what callers have asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.practice.inbox import erase_handled
from callcenter.store.schema import APP
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.attack.scene import PORT, TILLEULS

ANY_DAY = datetime(2999, 1, 1, tzinfo=UTC)
HANDLED = "UPDATE message SET handled_at = '2000-01-01', handled_by = 'nobody' WHERE kind = 'callback'"
#: What operators had to do about them, too.
NOTHING_LEFT = "UPDATE follow_up SET done_at = now() WHERE done_at IS NULL"
LONG_AGO = "UPDATE message SET handling_noted_at = now() - interval '1 year' WHERE handled_at IS NOT NULL"


async def _does(ground: Ground, statement: str, practice: UUID = TILLEULS) -> None:
    """Through SQL, as the app role in a practice; whatever the database refuses stays undone."""
    try:
        async with ground.app.practice(practice) as tx:
            await tx.connection.execute(text(statement))
    except DBAPIError as error:
        if "permission denied" not in str(error.orig) and "stays so" not in str(error.orig):
            raise


async def _erases(ground: Ground, practice: UUID = TILLEULS) -> None:
    async with ground.app.practice(practice) as tx:
        await erase_handled(tx, ANY_DAY, 1000)


async def _requests(ground: Ground) -> list[tuple[object, ...]]:
    """What callers of the practice have asked for."""
    query = "SELECT id, kind, reason, number, urgency, created_at FROM message WHERE practice_id = :of ORDER BY id"
    return [tuple(row) for row in await ground.rows(query, of=TILLEULS)]


# --- what waits


def _it_may_delete(sabotage: Sabotage) -> None:
    sabotage.sql(f"GRANT DELETE ON message TO {APP}")


NO_RIGHT = Defence("no right to delete messages", "what nobody has handled waits for ever", _it_may_delete)


@attack(stopped_by=NO_RIGHT)
async def test_messages_are_deleted(told_ground: Ground) -> Outcome:
    before = await _requests(told_ground)
    await _does(told_ground, "DELETE FROM message WHERE kind = 'callback'")
    return gained(await _requests(told_ground) != before)


def _the_server_says_when(sabotage: Sabotage) -> None:
    sabotage.sql(
        "CREATE OR REPLACE FUNCTION note_handling() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.handling_noted_at := NEW.handled_at; RETURN NEW; END $$"
    )


THE_DATABASES_CLOCK = Defence(
    "the database notes when a message was handled", "a message stays for a week at least", _the_server_says_when
)


@attack(stopped_by=THE_DATABASES_CLOCK)
async def test_a_message_that_waits_is_erased_as_if_handled_long_ago(told_ground: Ground) -> Outcome:
    before = await _requests(told_ground)
    await _does(told_ground, HANDLED)
    await _does(told_ground, NOTHING_LEFT)
    await _erases(told_ground)
    return gained(await _requests(told_ground) != before)


def _anything_may_be_changed(sabotage: Sabotage) -> None:
    sabotage.sql(f"GRANT UPDATE ON message TO {APP}")


HANDLING_ALONE = Defence("nothing but the handling may be changed", "what was asked for", _anything_may_be_changed)


@attack(stopped_by=HANDLING_ALONE)
async def test_what_a_caller_asked_for_is_changed(told_ground: Ground) -> Outcome:
    before = await _requests(told_ground)
    await _does(told_ground, "UPDATE message SET reason = 'nothing', urgency = 'normal', number = 'nobody'")
    return gained(await _requests(told_ground) != before)


@attack(stopped_by=HANDLING_ALONE)
async def test_the_databases_own_note_of_the_handling_is_changed(told_ground: Ground) -> Outcome:
    before = await _requests(told_ground)
    await _does(told_ground, HANDLED)
    await _does(told_ground, NOTHING_LEFT)
    await _does(told_ground, LONG_AGO)
    await _erases(told_ground)
    return gained(await _requests(told_ground) != before)


def _it_may_be_handled_again(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE message DISABLE TRIGGER message_handled_once")


HANDLED_ONCE = Defence("a message is handled once", "who handled it, and when", _it_may_be_handled_again)


@attack(stopped_by=HANDLED_ONCE)
async def test_somebody_else_is_said_to_have_handled_a_message(told_ground: Ground) -> Outcome:
    await _does(told_ground, HANDLED)
    await _does(told_ground, "UPDATE message SET handled_by = 'somebody else' WHERE handled_by = 'nobody'")
    return gained(await told_ground.rows("SELECT 1 FROM message WHERE handled_by = 'somebody else'"))


# --- another practice's


def _of_every_practice(sabotage: Sabotage) -> None:
    sabotage.sql(
        "DO $$ DECLARE ours text := pg_get_functiondef('forget_messages'::regproc); BEGIN "
        "EXECUTE regexp_replace(ours, '([mv][.])?practice_id = own', 'true', 'g'); END $$"
    )


OWN_PRACTICE = Defence("the practice of the transaction", "P5: no row crosses a practice", _of_every_practice)


@attack(stopped_by=OWN_PRACTICE)
async def test_p5_another_practices_old_messages_are_erased(told_ground: Ground) -> Outcome:
    await _does(told_ground, HANDLED)
    await _does(told_ground, NOTHING_LEFT)
    await told_ground.change(LONG_AGO)
    before = await _requests(told_ground)
    await _erases(told_ground, PORT)
    return gained(await _requests(told_ground) != before)
