"""The pages of incidents: declared with what one knows, never losing what was typed, a clock on every page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from callcenter.console.dates import lasting
from callcenter.console.incident import known_at, written
from callcenter.console.incident_papers import as_paper, as_text, letter_lines, register_lines
from callcenter.console.incident_ports import Shown
from callcenter.console.supervision import Supervision
from callcenter.staff.incident_tables import EntryKind, IncidentKind
from callcenter.staff.incident_values import Written
from tests.unit.console.boards import BoardsDouble
from tests.unit.console.doubles import open_desk
from tests.unit.console.incidents import HOLD, INCIDENT, OPEN, PRACTICE, REGISTER, IncidentsDouble
from tests.unit.console.locks import LocksDouble
from tests.unit.console.workplaces import CALL, NOW, TILLEULS

SUPERVISOR = frozenset({"supervisor"})
PAGE = f"/incidents/{INCIDENT}"
GIVEN = {"nature": "wrong_person", "connu": "2026-11-26T09:30", "facts": "Une date a été dite à un tiers."}
SHOWN = Shown(NOW, REGISTER, {PRACTICE: TILLEULS})


async def test_an_incident_is_declared_with_what_is_known() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get("/incidents/nouveau")
        assert 'value="2026-11-26T10:00"' in page.text, "now, in Paris"
        done = await desk.guest.post("/incidents/nouveau", **GIVEN, **{f"cabinet-{PRACTICE.hex}": "1", "measures": " "})
        assert done.location == PAGE
        ((declared,),) = desk.incidents.done
        assert declared.kind is IncidentKind.WRONG_PERSON
        assert declared.known_at.astimezone(UTC) == datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
        assert declared.practices == [PRACTICE]
        assert declared.entries == [(EntryKind.FACTS, GIVEN["facts"])]


FROM_CALL = f"/incidents/nouveau?appel={CALL}&cabinet={PRACTICE}"


async def test_an_incident_that_begins_at_a_call_names_its_practice_and_has_nothing_of_it_erased() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get(FROM_CALL)
        assert re.search(rf'name="cabinet-{PRACTICE.hex}" value="1" checked', page.text)
        assert re.search(r'name="conserver" value="1" checked', page.text)
        assert f"Ne rien effacer de l’appel {CALL}" in page.words
        ticked = {f"cabinet-{PRACTICE.hex}": "1", "appel": str(CALL), "conserver": "1"}
        wrong = await desk.guest.post("/incidents/nouveau", **{**GIVEN, **ticked, "facts": ""})
        assert f"Ne rien effacer de l’appel {CALL}" in wrong.words, "nothing that was asked is lost"
        done = await desk.guest.post("/incidents/nouveau", **GIVEN, **ticked)
        assert done.location == PAGE
        ((declared,), held) = desk.incidents.done
        assert (declared.practices, held) == ([PRACTICE], ("hold", str(CALL)))
        del ticked["conserver"]
        await desk.guest.post("/incidents/nouveau", **GIVEN, **ticked)
        assert desk.incidents.done[2:] == [(declared,)], "whoever declares may leave it to its time"


async def test_a_call_that_cannot_be_kept_is_said_and_the_incident_stands() -> None:
    other = UUID(int=9)
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get("/incidents/nouveau")
        done = await desk.guest.post("/incidents/nouveau", **GIVEN, appel=str(other), conserver="1")
        assert done.location == f"{PAGE}?sans-appel=unknown"
        assert "Aucun appel d’un cabinet concerné n’a cette référence." in (await desk.guest.get(done.location)).words
        assert "cette référence." not in (await desk.guest.get(f"{PAGE}?sans-appel=x")).words


@pytest.mark.parametrize("query", ["appel=x&cabinet=y", f"appel={CALL}", f"cabinet={PRACTICE}", "facts=Jeanne"])
async def test_no_other_address_fills_in_anything(query: str) -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        assert (await desk.guest.get(f"/incidents/nouveau?{query}")).words == (
            await desk.guest.get("/incidents/nouveau")
        ).words


async def test_a_practice_that_is_not_in_the_list_is_there_to_be_named_all_the_same() -> None:
    other = UUID(int=8)
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get(f"/incidents/nouveau?appel={CALL}&cabinet={other}")
        assert re.search(rf'name="cabinet-{other.hex}" value="1" checked> Le cabinet de cet appel', page.text)


WRONG = {
    "nature": ({"nature": "other things"}, "Choisissez la nature"),
    "since when": ({"connu": "yesterday"}, "Dites depuis quand"),
    "in an hour": ({"connu": "2026-11-26T11:30"}, "Dites depuis quand"),
    "nothing": ({"facts": " \n "}, "Écrivez ce que l’on sait"),
    "too much": ({"measures": "é" * 2001}, "trop long"),
    "no name of a practice": ({"autres": "../x"}, "Un de ces identifiants"),
    "nobody's practice": ({"autres": "cabinet-inconnu"}, "Un de ces identifiants"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_wrong_is_said_and_nothing_that_was_typed_is_lost(what: str) -> None:
    typed, words = WRONG[what]
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get("/incidents/nouveau")
        fields = {**GIVEN, "persons": "Une personne.", f"cabinet-{PRACTICE.hex}": "1", **typed}
        page = await desk.guest.post("/incidents/nouveau", **fields)
        assert page.status == 422
        assert words in page.words
        assert "Une personne." in page.text
        assert re.search(rf'name="cabinet-{PRACTICE.hex}" value="1" checked', page.text)
        assert desk.incidents.done == []


async def test_the_clock_stands_on_every_page_of_those_who_watch_and_of_nobody_else() -> None:
    async with open_desk() as desk:
        desk.incidents.runs = True
        watching = {"supervisor": True, "administrator": True, "operator": False, "practitioner": False}
        for role, shown in watching.items():
            await desk.signed_in(roles=frozenset({role}))
            for path in ("/", "/compte"):
                assert ("il reste 67\u00a0h\u00a000" in (await desk.guest.get(path)).text) is shown, (role, path)
        await desk.signed_in(roles=SUPERVISOR)
        assert "Incident en cours" not in (await desk.guest.get("/poste/etat")).text


async def test_every_page_says_how_many_practices_are_told_late_whether_or_not_the_authority_was_notified() -> None:
    late, runs = "3 cabinets ne sont pas informés après un jour", "pour la notification"
    async with open_desk() as desk:
        desk.incidents.runs = True
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get("/compte")
        assert (runs in page.words, "après un jour" in page.words, '<p class="clock over">' in page.text) == (
            True,
            False,
            False,
        )
        desk.incidents.late = 3
        page = await desk.guest.get("/compte")
        assert (runs in page.words, late in page.words, '<p class="clock over">' in page.text) == (True, True, True)
        desk.incidents.notified = True
        page = await desk.guest.get("/compte")
        assert (runs in page.words, late in page.words) == (False, True)


async def test_p4_that_nothing_is_told_stands_on_every_page_of_staff_while_the_ledger_is_behind() -> None:
    said, behind = "Le registre n’est pas scellé à temps", [True]
    async with open_desk(ledger_is_behind=lambda: behind[0]) as desk:
        assert said not in (await desk.guest.get("/connexion")).text
        for role in ("supervisor", "administrator", "operator", "practitioner"):
            await desk.signed_in(roles=frozenset({role}))
            for path in ("/", "/compte"):
                page = await desk.guest.get(path)
                assert page.status == 200
                assert said in page.text, (role, path)
        behind[0] = False
        assert said not in (await desk.guest.get("/")).words


async def test_one_declares_from_every_page_by_one_link() -> None:
    async with open_desk() as desk:
        watching = {"supervisor": True, "administrator": True, "operator": False, "practitioner": False}
        for role, shown in watching.items():
            await desk.signed_in(roles=frozenset({role}))
            for path in ("/", "/compte"):
                assert ('<a href="/incidents/nouveau"' in (await desk.guest.get(path)).text) is shown, (role, path)


async def test_the_register_shows_everything_and_takes_more() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get(PAGE)
        assert "Il reste 67 h 00" in page.words
        assert GIVEN["facts"] in page.words
        assert desk.incidents.read_as == [False]
        entries = PAGE + "/ecritures"
        assert (await desk.guest.post(entries, nature="notified", texte="À la CNIL.")).location == PAGE
        assert (await desk.guest.post(entries, nature="exported", texte="Non.")).status == 400
        assert "Écrivez quelque chose" in (await desk.guest.post(entries, nature="note", texte="")).words
        assert (await desk.guest.post(PAGE + "/gels", reference=str(CALL))).location == PAGE
        lost = await desk.guest.post(PAGE + "/gels", reference="Jeanne Martin")
        assert "Aucun appel d’un cabinet concerné" in lost.words
        assert (await desk.guest.post(f"{PAGE}/gels/{HOLD}/levee")).location == PAGE
        assert desk.incidents.done == [
            (EntryKind.NOTIFIED, "À la CNIL."),
            ("hold", str(CALL)),
            ("hold", "Jeanne Martin"),
            ("lift", HOLD),
        ]


async def test_what_is_taken_along_is_a_file_and_on_record() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get("/incidents/nouveau")
        text = await desk.guest.post(PAGE + "/registre.txt")
        assert text.headers["Content-Disposition"] == 'attachment; filename="registre.txt"'
        assert GIVEN["facts"] in text.text
        letter = await desk.guest.post(f"{PAGE}/cabinets/{PRACTICE}/avis")
        assert TILLEULS in letter.text
        assert (desk.incidents.read_as, desk.notices.read_as) == ([True], [True])
        assert (await desk.guest.post(f"{PAGE}/cabinets/{INCIDENT}/avis")).status == 404


async def test_an_address_alone_takes_nothing_along() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        for path in ("/registre.txt", "/registre.pdf", f"/cabinets/{PRACTICE}/avis"):
            assert (await desk.guest.get(PAGE + path)).location == "/incidents", path
        assert desk.incidents.read_as == []
        pages = (await desk.guest.get(PAGE)).text + (await desk.guest.get(f"{PAGE}/cabinets/{PRACTICE}")).text
        for path in ("/registre.txt", "/registre.pdf", f"/cabinets/{PRACTICE}/avis"):
            assert f'<form method="post" action="{PAGE}{path}">' in pages
            assert f'href="{PAGE}{path}"' not in pages


async def test_what_is_written_into_an_incident_that_was_closed_meanwhile_is_shown_again() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get(PAGE)
        desk.incidents.register = replace(REGISTER, incident=replace(OPEN, closed_at=NOW))
        page = await desk.guest.post(PAGE + "/ecritures", nature="note", texte="</textarea><b>Suite & fin</b>")
        assert page.status == 422
        assert "vient d’être clos : votre texte n’est pas inscrit" in page.words
        assert "readonly>&lt;/textarea&gt;&lt;b&gt;Suite &amp; fin&lt;/b&gt;</textarea>" in page.text
        assert desk.incidents.done == []


async def test_whoever_watches_over_nothing_finds_no_incident() -> None:
    async with open_desk() as desk:
        desk.incidents.may = desk.notices.may = False
        await desk.signed_in(roles=frozenset({"operator"}))
        for path in ("/incidents", "/incidents/nouveau", PAGE):
            assert (await desk.guest.get(path)).status == 404, path
        await desk.guest.get("/compte")
        for path in ("/registre.txt", "/registre.pdf", f"/cabinets/{PRACTICE}/avis", "/ecritures"):
            sent = await desk.guest.post(PAGE + path, nature="note", texte="x")
            assert sent.status == 404, path
        assert "/incidents" not in (await desk.guest.get("/")).text


def test_the_register_has_what_art_33_asks_for_and_says_what_is_missing() -> None:
    told = as_text(register_lines(SHOWN))
    for words in ("Échéance des 72 heures", TILLEULS, "pas encore informé", str(CALL), "Nature et faits"):
        assert words in told
    letter = as_text(letter_lines(SHOWN, PRACTICE))
    assert letter.count("Pas encore connu") == 3
    assert GIVEN["facts"] in letter
    assert "CNIL dans les 72 heures" in letter


def test_a_paper_is_made_of_whatever_was_typed() -> None:
    words = "<b>& <para> ﷺ 𝒳 \u0301 " + "x" * 1900
    register = replace(REGISTER, entries=(Written(EntryKind.NOTE, NOW, "<i>", words, None),))
    paper = as_paper(register_lines(replace(SHOWN, register=register)))
    assert paper.startswith(b"%PDF-1.")
    assert paper == as_paper(register_lines(replace(SHOWN, register=register))), "the same, byte for byte"


def test_a_clock_runs_in_hours_that_are_real() -> None:
    assert OPEN.deadline - OPEN.known_at == timedelta(hours=72)
    assert known_at("2026-03-28T12:00") == datetime(2026, 3, 28, 11, tzinfo=UTC)
    known = datetime(2026, 3, 28, 11, tzinfo=UTC)
    over = replace(OPEN, known_at=known).deadline
    assert over == datetime(2026, 3, 31, 11, tzinfo=UTC), "13:00 in Paris, where a Sunday had 23 hours"
    shown = [lasting(timedelta(minutes=one)).replace("\u00a0", " ") for one in (0, 61, 72 * 60)]
    assert shown == ["0 h 00", "1 h 01", "72 h 00"]


def test_what_cannot_be_seen_is_not_kept() -> None:
    assert written(" a\r\nb\x00\u202e\x1b[31m ") == "a\nb[31m"


async def test_who_may_not_act_for_a_practice_any_more_is_offered_nothing_and_refused() -> None:
    incidents = IncidentsDouble(reach=frozenset())
    async with open_desk(supervision=Supervision(BoardsDouble(), incidents, LocksDouble())) as desk:
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get(PAGE)
        assert str(CALL) in page.words, "what they declared they go on seeing"
        assert "Lever" not in page.words
        assert f"/cabinets/{PRACTICE}" not in page.text
        answer = await desk.guest.post(f"{PAGE}/gels/{HOLD}/levee")
        assert (answer.status, "rien n’est changé" in answer.words) == (422, True)
