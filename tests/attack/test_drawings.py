"""Pictures of flows: words that are markup, a picture that claims what is not proven, and who may look."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from callcenter.app import by_flows
from callcenter.app.by_flows import StaffFlows
from callcenter.calls.flows import Flows
from callcenter.calls.shelf import Shelf
from callcenter.console.flows import FlowPages
from callcenter.disclosure.policy import load_policy
from callcenter.flow.draw import draw
from callcenter.flow.language import Channel, Choose, Disclose, End, Find, Flow, Level, Lookup, Say, Step, Verify
from callcenter.flow.picture import guards, svg
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.proof import prove
from callcenter.flow.template import parse
from callcenter.kernel.clock import DrivenClock
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Role
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.integration.practice_office import flows
from tests.integration.supervising import supervised

ROOT = Path(__file__).parents[2]
POLICY = load_policy(ROOT / "config" / "disclosure-policy.yaml")
MARKUP = "x</text><script>alert(1)</script>"


def book_of(**texts: str) -> PromptBook:
    prompts = {key: Prompt(key, words, parse(words)[0], frozenset(), "fr") for key, words in texts.items()}
    return PromptBook("here", prompts)


def flow_of(steps: dict[str, Step]) -> Flow:
    return Flow("made", Channel.VOICE, "made.yaml", "start", "person", steps, "0" * 64)


def _unescaped(sabotage: Sabotage) -> None:
    sabotage.replace(svg, "escape", lambda text, quote=True: text)


ESCAPED = Defence("every text of a picture is escaped", "T77", _unescaped)


@attack(stopped_by=ESCAPED)
async def test_an_author_of_a_flow_writes_a_script_into_its_picture() -> Outcome:
    """Names are what the loader lets through; the picture does not rely on that."""
    steps: dict[str, Step] = {
        "start": Say("start", 1, "hello", "menu"),
        "menu": Choose("menu", 2, "menu", {MARKUP: "person"}, "person", "person"),
        "person": End("person", 3, "bye"),
    }
    book, flow = book_of(hello=MARKUP, menu="Menu.", bye="Au revoir."), flow_of(steps)
    named = replace(POLICY, version=MARKUP, rules={one: replace(of, name=MARKUP) for one, of in POLICY.rules.items()})
    pictures = {
        "prompt and key": draw(flow, book, POLICY, prove(flow, book, POLICY)),
        "name": draw(replace(flow, name=MARKUP), book, POLICY, prove(flow, book, POLICY)),
        "policy": draw(flow, book, named, prove(flow, book, named)),
    }
    return unanimous({name: gained("<script" in picture) for name, picture in pictures.items()})


def _as_written(sabotage: Sabotage) -> None:
    """The ground of a step is what its author would have it be: everybody behind a verify step is verified."""
    verified = frozenset({f"level>={level}" for level in (1, 2)})
    sabotage.replace(guards, "guaranteed", lambda flow: dict.fromkeys(flow.steps, verified))


BY_PROOF = Defence("a picture shows what is guaranteed, not what is meant", "P9", _as_written)


@attack(stopped_by=BY_PROOF)
async def test_p9_a_picture_shows_a_level_that_some_way_does_not_bring() -> Outcome:
    """A failure leads on to the verified way: whoever looks must see that nobody is verified there."""
    steps: dict[str, Step] = {
        "start": Say("start", 1, "hello", "identify"),
        "identify": Verify("identify", 2, Level.VERIFIED, "find", "find", "person"),
        "find": Find("find", 3, Lookup.NEXT_APPOINTMENT, "read", "person", "person"),
        "read": Disclose("read", 4, "told", "person", "person"),
        "person": End("person", 5, "bye"),
    }
    book = book_of(hello="Bonjour.", told="Le {{ appointment.starts_at | spoken_datetime }}.", bye="Au revoir.")
    flow = flow_of(steps)
    picture = draw(flow, book, POLICY, prove(flow, book, POLICY))
    return unanimous(
        {
            "badge": gained("NIVEAU 2" in picture),
            "need": gained("Exige\xa0: niveau 2\xa0✓" in picture),
        }
    )


def _anybody(sabotage: Sabotage) -> None:
    sabotage.replace(by_flows, "_ROLES", frozenset(Role))


FOR_SOME = Defence("flows are shown to supervisors and administrators", "LG-05", _anybody)


@attack(stopped_by=FOR_SOME)
async def test_an_operator_reads_how_the_flows_are_guarded(ground: Ground, clock: DrivenClock) -> Outcome:
    running = flows().current
    page = f"/scenarios/{running.entry.digest}"
    async with supervised(ground.app, ground.sealer, clock, also=lambda room: scenarios_of(room, running)) as house:
        await house.signed_in(await house.staff("curieuse", Role.OPERATOR))
        seen = {path: await house.guest.get(path) for path in ("/scenarios", page, f"{page}/image.svg")}
        return unanimous({path: gained(answer.status == 200) for path, answer in seen.items()})


def scenarios_of(room: StaffRoom, running: Flows) -> dict[str, object]:
    return {"pages": (FlowPages(StaffFlows(room, Shelf(running))),)}
