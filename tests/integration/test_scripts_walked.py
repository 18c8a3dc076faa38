"""The script that callcenter brings, walked at random by an operator whose caller has proved nothing: what it tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from structlog.testing import capture_logs

from callcenter.calls.script_screens import screen_to_json
from callcenter.flow.screens import AtKeys, Choice, FieldKind, Files, Finished, Form, Screen
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.levels import Level
from tests.attack.ground import Ground, ground_on
from tests.attack.scene import START
from tests.scripting import Desk, at_the_desk

ANSWERS = 160
#: What only Jeanne's file has.
HERS = ("Jeanne", "Martin", "1er décembre", "14 h 30", "14\N{NO-BREAK SPACE}h")
CLAIMS = {"on file": ("14031962", "0639980001"), "nobody": ("15031962", "0639989998")}
#: Typed by operators; in no row but sealed, and in no log.
CANARY = "Chrysanthème-4711"


def _filled(screen: Form, claim: tuple[str, str], chance: Random) -> dict[str, str]:
    values = {}
    for field in screen.fields:
        match field.kind:
            case FieldKind.DATE:
                values[field.name] = chance.choice((claim[0], claim[0], "31021962"))
            case FieldKind.TELEPHONE:
                values[field.name] = claim[1]
            case FieldKind.TEXT:
                values[field.name] = chance.choice((f"{CANARY} <script>", ""))
            case FieldKind.CHOICE:
                values[field.name] = chance.choice(field.options).choice
    return values


async def _answered(desk: Desk, screen: Screen, claim: tuple[str, str], chance: Random) -> None:
    match screen:
        case Choice(options=options):
            # Not closed too soon: what is behind would not be seen.
            going_on = [one.choice for one in options if one.choice != "0"] or [options[0].choice]
            await desk.answer(chance.choice(going_on))
        case Form(options=options):
            await desk.answer(chance.choice(options[:1] * 3 + options[1:]).choice, **_filled(screen, claim, chance))
        case AtKeys(options=options):
            await desk.proves(None)
            await (desk.returned() if chance.random() < 0.7 else desk.answer(options[0].choice))
        case Files(items=items, options=options):
            await desk.answer(chance.choice([*items, *options]).choice)
        case Finished():
            raise AssertionError("it was closed")


async def walked(ground: Ground, clock: DrivenClock, claim: tuple[str, str], number: int) -> list[Mapping[str, Any]]:
    """Every screen of a walk."""
    desk, chance, seen = await at_the_desk(ground, clock, shipped=True), Random(number), []
    await desk.look()
    for _ in range(ANSWERS):
        stands = desk.now
        assert (stands.shown, stands.level, stands.patient) == ((), Level.UNKNOWN, False)
        told = [[one.kind, dict(one.details)] for one in stands.timeline]
        seen.append({"screen": screen_to_json(stands.screen), "timeline": told})
        await _answered(desk, stands.screen, claim, chance)
    return seen


def _without_what_was_typed(screens: list[Mapping[str, Any]]) -> str:
    """Their words, with one mark for what operators typed, which comes back in the fields, and for who calls."""
    text = json.dumps(screens, ensure_ascii=False)
    for claim in CLAIMS.values():
        for typed in claim:
            text = text.replace(typed, "TYPED")
    return text


async def test_p6_no_screen_tells_whether_somebody_is_on_file(people: Ground) -> None:
    told = {}
    for name, claim in CLAIMS.items():
        database = f"walked_{name.replace(' ', '_')}"
        async with ground_on(people.cluster, people.name, database, people.keys_file) as ground:
            with capture_logs() as logged:
                screens = await walked(ground, DrivenClock(START), claim, number=8)
            await _typed_words_lie_sealed(ground)
        await people.cluster.drop(database)
        told[name] = _without_what_was_typed(screens)
        assert [word for word in HERS if word in told[name]] == []
        assert [word for word in (CANARY, *claim, *HERS) if word in str(logged)] == []
    assert told["on file"] == told["nobody"]
    prompts = {line[0] for line in _lines(told["nobody"])}
    assert {"script.at_keys", "script.verify_failed", "script.message_taken", "script.book_slots"} <= prompts


def _lines(text: str) -> list[list[str]]:
    return [line for one in json.loads(text) for line in one["screen"]["lines"]]


async def _typed_words_lie_sealed(ground: Ground) -> None:
    """What was typed stands in no row as it was typed, nor in a job."""
    tables = await ground.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    as_bytes = CANARY.encode().hex()
    for table in tables:
        found = await ground.rows(
            f"SELECT count(*) AS many FROM {table.relname} t WHERE t::text LIKE :words OR t::text LIKE :bytes",
            words=f"%{CANARY}%",
            bytes=f"%{as_bytes}%",
        )
        assert found[0].many == 0, table.relname
    assert (await ground.rows("SELECT count(*) AS many FROM message WHERE text IS NOT NULL"))[0].many > 0
