"""The script of a call on the page: markup in words that others have chosen, links that do something, forms of other
pages, and what is told before the proof."""

from __future__ import annotations

import re

from callcenter.console import guard, script_fields
from callcenter.console.forms import FormProofs
from callcenter.console.script_ports import (
    AtKeys,
    Choice,
    Emergency,
    FileItem,
    Files,
    Form,
    FormField,
    Kind,
    Moment,
    Option,
    ShownValue,
)
from callcenter.console.workplace_ports import Doing, Unfinished
from tests.attack.defence import Outcome, attack, gained, replaced, unanimous
from tests.attack.escaping import ESCAPED
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.workplaces import CALL, NOW, TALK, TILLEULS

EVIL = "https://evil.example"
MARKUP = "\"'><img src=x onerror=alert(1)></textarea><script>alert(2)</script>"
ANSWER, DRAFT, RED = (f"/poste/appels/{CALL}/{last}" for last in ("scenario", "brouillon", "urgence"))


async def in_talk(desk: Desk) -> None:
    await desk.signed_in()
    desk.workplaces.stands(doing=Doing.ON_CALL, talk=TALK)
    await desk.guest.get("/poste")


# --- markup


OPTION = Option(MARKUP, MARKUP)
ITEM = FileItem(MARKUP, MARKUP, MARKUP, MARKUP, MARKUP, done=False)


def _field(kind: Kind, longest: int, options: tuple[Option, ...] = ()) -> FormField:
    return FormField("note", kind, MARKUP, True, longest, MARKUP, options, MARKUP)


#: Every word of a screen that a caller, an operator, a practice or a file has chosen.
WORDS = {
    "said": {"said": (MARKUP,)},
    "option": {"ask": Choice((OPTION,))},
    "line": {"ask": Form((_field(Kind.TEXT, 200),), (OPTION,))},
    "text": {"ask": Form((_field(Kind.TEXT, 1000),), (OPTION,))},
    "date": {"ask": Form((_field(Kind.DATE, 10),), (OPTION,))},
    "telephone": {"ask": Form((_field(Kind.TELEPHONE, 20),), (OPTION,))},
    "radio": {"ask": Form((_field(Kind.CHOICE, 40, (OPTION,)),), (OPTION,))},
    "list": {"ask": Form((_field(Kind.CHOICE, 40, (OPTION,) * 20),), (OPTION,))},
    "keys": {"ask": AtKeys((OPTION,), back=False)},
    "file": {"ask": Files((ITEM,), (OPTION,))},
    "link": {"ask": Files((ITEM,), (), f"https://agenda.example/{MARKUP}")},
    "value": {"shown": (ShownValue(MARKUP, MARKUP, MARKUP, MARKUP, MARKUP, NOW),)},
    "register": {"timeline": (Moment(NOW, MARKUP, {"categories": MARKUP, "decision": MARKUP, "disposition": MARKUP}),)},
    "emergency": {"emergency": Emergency(NOW, (MARKUP,))},
}


@attack(stopped_by=ESCAPED)
async def test_whoever_is_written_about_brings_markup_into_the_script() -> Outcome:
    """A caller's name in a message, a practice's instructions, an imported file, a flow's own words."""
    seen = {}
    async with open_desk() as desk:
        await in_talk(desk)
        blank = desk.script.screen
        for name, how in WORDS.items():
            desk.script.screen = blank
            desk.script.stands("reason", **how)  # type: ignore[arg-type]
            page = await desk.guest.get("/poste")
            assert "alert" in page.text, name
            seen[name] = gained("<img src=x" in page.text or "<script>alert" in page.text)
    return unanimous(seen)


@attack(stopped_by=ESCAPED)
async def test_what_an_operator_types_comes_back_as_markup() -> Outcome:
    """From a draft, in another window; from an answer that was wrong; from the name of a practice."""
    seen = {}
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.stands("message")
        await desk.guest.get("/poste")
        await desk.guest.post(DRAFT, document="2", **{"saisie-text": MARKUP})
        seen["draft"] = await desk.guest.get("/poste")
        seen["wrong"] = await desk.guest.post(
            ANSWER, document="2", choix="send", partie="1", **{"saisie-text": MARKUP, "saisie-number": ""}
        )
        desk.script.stands("dispose", live=False)
        desk.workplaces.stands(unfinished=(Unfinished(CALL, MARKUP, NOW),))
        seen["practice"] = await desk.guest.get("/poste")
    return unanimous({name: gained("<img src=x" in page.text) for name, page in seen.items()})


LEADS_TO_A_SITE = replaced(
    "a link of a practice leads to a site", "ASVS 1.2.2", script_fields, "web_address", lambda link: link or None
)


@attack(stopped_by=LEADS_TO_A_SITE)
async def test_the_address_of_an_agenda_is_a_script() -> Outcome:
    """The content security policy would refuse it too: that is the browser's, and not all that opens links is one."""
    tries = {}
    async with open_desk() as desk:
        await in_talk(desk)
        for link in ("javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "//evil.example", "file:///x"):
            desk.script.stands("declare", ask=Files((ITEM,), (), link))
            page = await desk.guest.get("/poste")
            tries[link] = gained(f'href="{link}"' in page.text)
    return unanimous(tries)


# --- forms of other pages

OWN_PAGES = replaced("forms of our own pages", "ASVS 3.5.1", guard, "check_source", lambda *_: None)
PROOF = replaced("a proof in each form", "ASVS 3.5.1", FormProofs, "check", lambda *_: None)


@attack(stopped_by=(OWN_PAGES, PROOF))
async def test_another_sites_page_declares_answers_and_cries_wolf() -> Outcome:
    """In the name of whoever reads it; as if the browser sent the cookie along, which ``SameSite`` forbids it."""
    done = {}
    async with open_desk() as desk:
        await in_talk(desk)
        await desk.guest.send(ANSWER, {"document": "1", "choix": "1", "partie": "1"}, of=EVIL)
        done["answer"] = gained(desk.script.answers)
        desk.script.stands("message")
        await desk.guest.send(DRAFT, {"document": str(desk.script.screen.document), "saisie-text": "x"}, of=EVIL)
        done["draft"] = gained(desk.script.drafts)
        await desk.guest.send(RED, {"partie": "1"}, of=EVIL)
        done["emergency"] = gained(desk.script.emergencies)
    return unanimous(done)


# --- what is told before the proof

SILENT = replaced("a level below the proof is shown as none", "P6: no oracle", script_fields, "TOLD_FROM_LEVEL", 1)


@attack(stopped_by=SILENT)
async def test_p6_an_operator_reads_off_the_page_that_a_birth_date_and_a_number_are_on_file() -> Outcome:
    """Fishing: what callers say is typed until the page says that somebody is known (V1), and no code is asked for."""
    async with open_desk() as desk:
        await in_talk(desk)
        pages = []
        for level in (0, 1):
            desk.script.stands("reason", level=level)
            page = await desk.guest.get("/poste")
            pages.append(re.sub(r'(data-document="[0-9a-f]+-|name="document" value=")[0-9]+', "", page.text))
        assert TILLEULS in pages[0]
        return gained(pages[0] != pages[1])
