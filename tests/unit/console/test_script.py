"""The script of a call on the page: what each screen shows, what its forms send, and what is never shown."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from callcenter.console.script import typed
from callcenter.console.script_fields import numbered, web_address
from callcenter.console.script_ports import Emergency, FileItem, Moment, Option, ShownValue
from callcenter.console.workplace import pace
from callcenter.console.workplace_ports import Doing, Today, Unfinished
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.scripts import SCREENS, VALUE
from tests.unit.console.workplaces import CALL, NOW, TALK, TILLEULS

AT, DRAFT, RED = f"/poste/appels/{CALL}/scenario", f"/poste/appels/{CALL}/brouillon", f"/poste/appels/{CALL}/urgence"
OVER = Unfinished(CALL, TILLEULS, NOW - timedelta(seconds=20))
SHOWN = ShownValue(
    "appointment.starts_at", "Jour et heure", "D02", "date d’un rendez-vous", VALUE, NOW + timedelta(seconds=42)
)


async def in_talk(desk: Desk) -> None:
    await desk.signed_in()
    desk.workplaces.stands(doing=Doing.ON_CALL, talk=TALK)


WORDS = {
    "reason": "Quel est l’objet de l’appel ? 1 Message 2 Rendez-vous 3 Agenda 0 Fin",
    "message": "Pour 1 Le cabinet Urgence 1 Normale 2 Urgente Numéro de rappel Message",
    "verify": "Date de naissance Huit chiffres, ou jj/mm/aaaa : 05031948. Téléphone Envoyer Revenir",
    "at_keys": "L’appelant tape un code. L’appelant est revenu 1 Ne plus attendre",
    "files": "Jour et heure D02 date d’un rendez-vous masqué 1 Montrer : Jour et heure Lieu D04 "
    "masqué 2 Montrer : Lieu 3 Suite",
    "declare": "Ouvrir l’agenda du cabinet (nouvelle fenêtre) Date communiquée D02 date d’un rendez-vous non déclaré "
    "1 Déclarer : Date communiquée 2 Suite",
    "dispose": "Issue de l’appel 1 Message transmis 2 Rendez-vous communiqué Note pour les superviseurs (facultative)",
    "done": "L’appel est clos.",
}


@pytest.mark.parametrize("step", SCREENS)
async def test_each_screen_is_shown_by_the_page_and_by_its_part(step: str) -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.stands(step)
        for path in ("/poste", "/poste/etat"):
            page = await desk.guest.get(path)
            assert page.status == 200
            assert WORDS[step] in page.words


async def test_without_a_call_there_is_no_script_and_no_red_button() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        page = await desk.guest.get("/poste")
        assert 'id="scenario"' not in page.text
        assert "Urgence vitale" not in page.words.replace("Alt + U Urgence vitale", "")
        desk.workplaces.stands(doing=Doing.RESERVED, talk=replace(TALK, since=None))
        assert 'id="scenario"' not in (await desk.guest.get("/poste")).text


async def test_what_is_typed_and_chosen_is_sent_with_the_screen_that_it_answers() -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        await desk.guest.get("/poste")
        answer = await desk.guest.post(AT, document="1", choix="2", partie="1")
        assert (answer.status, "Date de naissance" in answer.words) == (200, True)
        fields = {"document": "2", "choix": "send", "saisie-birth_date": "05031948", "saisie-telephone": "0639980001"}
        assert (await desk.guest.post(AT, **fields)).location == "/poste"
        assert desk.script.answers == [
            (1, "2", {}),
            (2, "send", {"birth_date": "05031948", "telephone": "0639980001"}),
        ]


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept() -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.stands("verify")
        await desk.guest.get("/poste")
        answer = await desk.guest.post(
            AT, document="2", choix="send", partie="1", **{"saisie-birth_date": "", "saisie-telephone": "0639980009"}
        )
        (field,) = re.findall(r'<input id="champ-1"[^>]*>', answer.text)
        assert 'aria-invalid="true"' in field
        assert 'aria-describedby="champ-1-erreur champ-1-aide"' in field
        assert '<p class="wrong-words" id="champ-1-erreur">À remplir.</p>' in answer.text
        assert 'value="0639980009"' in answer.text


async def test_the_calling_number_stands_in_its_field_and_no_field_is_kept_by_a_browser() -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.stands("message")
        page = await desk.guest.get("/poste")
        typed_into = re.findall(r"<(?:input|textarea) id=\"champ-[^>]*data-typed[^>]*>", page.text)
        assert len(typed_into) == 2
        for field in typed_into:
            assert 'autocomplete="off"' in field
            assert 'spellcheck="false"' in field
        assert 'value="0639980001"' in page.text


async def test_a_value_is_shown_with_the_time_that_is_left_and_the_rest_is_masked() -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.stands("files", shown=(SHOWN,), level=2)
        page = await desk.guest.get("/poste")
        assert f"Jour et heure D02 date d’un rendez-vous {VALUE} masqué dans 0:42" in page.words
        assert page.text.count(VALUE) == 1
        assert "Identité vérifiée, niveau 2" in page.words


@pytest.mark.parametrize(("level", "told"), [(0, False), (1, False), (2, True), (3, True)])
async def test_p6_that_a_file_fits_what_was_told_is_not_shown_before_the_proof(level: int, told: bool) -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.stands("reason", level=level)
        page = await desk.guest.get("/poste")
        assert ("Identité vérifiée" in page.words) is told
        assert ("Identité non vérifiée" in page.words) is not told
        if not told:
            desk.script.stands("reason", level=0)
            documents = re.compile(r'(data-document="[0-9a-f]+-|name="document" value=")[0-9]+')
            other = await desk.guest.get("/poste")
            assert documents.sub("", page.text) == documents.sub("", other.text)


async def test_the_register_is_told_by_kind_and_category() -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        lines = (
            Moment(NOW, "script.begun", {}),
            Moment(NOW, "disclosure", {"categories": "D02", "decision": "granted"}),
            Moment(NOW, "disclosure", {"categories": "D03", "decision": "granted", "control": "declared"}),
            Moment(NOW, "something.new", {}),
        )
        desk.script.stands("files", timeline=lines)
        page = await desk.guest.get("/poste")
        assert (
            "Au registre : 4 lignes 10 h 00 · something.new 10 h 00 · Communication D03 – accordée (déclarée) "
            "10 h 00 · Communication D02 – accordée 10 h 00 · Scénario ouvert"
        ) in page.words.replace("\u00a0", " ")


async def test_the_red_button_is_there_during_a_call_and_says_what_to_say_from_then_on() -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        page = await desk.guest.get("/poste")
        assert f'action="{RED}"' in page.text
        told = await desk.guest.post(RED, partie="1")
        for seen in (told, await desk.guest.get("/poste/etat")):
            assert "notée à 10 h 00 « Raccrochez et composez le 15 ou le 112. »" in seen.words.replace("\u00a0", " ")
            assert f'action="{RED}"' in seen.text
        assert desk.script.emergencies == 1
        assert (await desk.guest.post(RED)).location == "/poste"


async def test_a_draft_is_kept_without_a_page_and_comes_to_nothing_when_its_screen_is_gone() -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.stands("message")
        await desk.guest.get("/poste")
        kept = await desk.guest.post(DRAFT, document="2", **{"saisie-text": "Rappeler"})
        assert (kept.status, kept.text, desk.script.drafts) == (204, "", [{"text": "Rappeler"}])
        assert ">\nRappeler</textarea>" in (await desk.guest.get("/poste")).text
        assert (await desk.guest.post(DRAFT, document="1", **{"saisie-text": "Trop tard"})).status == 200
        assert desk.script.drafts == [{"text": "Rappeler"}]


@pytest.mark.parametrize(
    "fields",
    [
        {"choix": "1"},
        {"document": "1"},
        {"document": "-1", "choix": "1"},
        {"document": "1e3", "choix": "1"},
        {"document": "1", "choix": ""},
        {"document": "1", "choix": "<b>"},
        {"document": "1", "choix": "x" * 121},
    ],
)
async def test_a_form_that_no_page_of_ours_makes_answers_nothing(fields: dict[str, str]) -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        await desk.guest.get("/poste")
        assert (await desk.guest.post(AT, **fields)).status == 400
        assert desk.script.answers == []


@pytest.mark.parametrize("line", ["04 65 71 00 15", ""])
async def test_the_red_button_shows_the_rescue_service_of_the_sector_where_one_is_set(line: str) -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.emergency_line = line
        await desk.guest.get("/poste")
        page = await desk.guest.post(RED)
        assert page.location == "/poste"
        shown = "appelez le SAMU du secteur du cabinet : 04 65 71 00 15"
        assert (shown in (await desk.guest.get("/poste")).words) is bool(line)


async def test_what_was_noted_of_an_emergency_stands_until_the_call_is_closed_and_its_button_while_they_talk() -> None:
    """Somebody may hang up before they have said where they are: the line is needed then."""
    async with open_desk() as desk:
        await in_talk(desk)
        noted = Emergency(NOW, ("Raccrochez et composez le 15.",), "04 65 71 00 15")
        desk.script.stands("dispose", emergency=noted)
        page = await desk.guest.get("/poste")
        assert ("04 65 71 00 15" in page.words, 'id="act-urgence"' in page.text) == (True, True)
        desk.script.stands("dispose", live=False, emergency=noted)
        desk.workplaces.stands(doing=Doing.WRAP_UP, wrap_up_until=NOW + timedelta(seconds=12), unfinished=(OVER,))
        page = await desk.guest.get("/poste")
        assert ("04 65 71 00 15" in page.words, 'id="act-urgence"' in page.text) == (True, False)


async def test_another_call_has_no_script_for_one() -> None:
    other = UUID(int=9)
    async with open_desk() as desk:
        await in_talk(desk)
        await desk.guest.get("/poste")
        answer = await desk.guest.post(f"/poste/appels/{other}/scenario", document="1", choix="1", partie="1")
        assert (answer.status, "Rien n’a changé" in answer.words, desk.script.answers) == (422, True, [])
        assert (await desk.guest.post(f"/poste/appels/{other}/brouillon", document="1")).status == 200
        assert (await desk.guest.post(f"/poste/appels/{other}/urgence", partie="1")).status == 422
        assert (await desk.guest.post("/poste/appels/1/scenario", document="1", choix="1")).status == 404


async def test_who_is_operator_there_no_more_keeps_the_rest_of_the_page() -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.forbidden = True
        page = await desk.guest.get("/poste")
        assert page.status == 200
        assert 'id="scenario"' not in page.text
        assert "Raccrocher" in page.words


async def test_a_call_that_is_over_is_closed_before_one_is_available_again() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        desk.script.stands("dispose", live=False)
        wraps_up = {"doing": Doing.WRAP_UP, "wrap_up_until": NOW + timedelta(seconds=12)}
        desk.workplaces.stands(**wraps_up, unfinished=(OVER, replace(OVER, id=UUID(int=4))))
        page = await desk.guest.get("/poste")
        assert f"Appel à clore : {TILLEULS} Un autre attend d’être clos." in page.words
        assert "Dites ce que l’appel est devenu" in page.words
        assert re.search(r'<button id="etat-available"[^>]* disabled', page.text)
        assert not re.search(r'<button id="etat-break"[^>]* disabled', page.text)
        assert "Urgence vitale</button>" not in page.text
        desk.workplaces.willing = False
        assert "Un appel reste à clore" in (await desk.guest.post("/poste/presence", etat="available")).words
        desk.workplaces.stands(**wraps_up)
        page = await desk.guest.get("/poste")
        assert not re.search(r'<button id="etat-available"[^>]* disabled', page.text)


async def test_figures_of_the_day_are_ones_own() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        desk.workplaces.stands(today=Today(12, timedelta(seconds=151)))
        page = await desk.guest.get("/poste")
        assert "Aujourd’hui : 12 appels, en moyenne 2:31. Ces chiffres ne sont montrés qu’à vous." in page.words
        desk.workplaces.stands(today=Today(0, None))
        assert "Aujourd’hui" not in (await desk.guest.get("/poste")).words


async def test_title_address_and_headers_tell_nothing_of_what_is_typed() -> None:
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.stands("files", shown=(SHOWN,), level=2)
        page = await desk.guest.get("/poste")
        (title,) = re.findall(r"<title>(.*?)</title>", page.text)
        assert title == "Mon poste – callcenter"
        assert page.headers["Cache-Control"] == "no-store"
        assert set(re.findall(r'action="([^"]*)"', page.text)) >= {AT, RED}
        assert '="/poste/appels/' in page.text
        assert all("?" not in address for address in re.findall(r'action="(/poste[^"]*)"', page.text))


@pytest.mark.parametrize(
    ("keys", "before", "numbers"),
    [
        (["", ""], [], ["1", "2"]),
        (["1", "2", "0"], [], ["1", "2", "0"]),
        (["", "1"], [], ["2", "1"]),
        (["", "0"], ["x", "y"], ["1", "2", "3", "0"]),
        ([""] * 12, [], [*"1234567890", "", ""]),
        ([], [], []),
    ],
)
def test_every_option_has_the_number_that_it_names_or_the_next_that_is_free(
    keys: list[str], before: list[str], numbers: list[str]
) -> None:
    options = [Option(f"choice-{at}", "", key) for at, key in enumerate(keys)]
    items = [FileItem(choice, choice, "", "D02", "", False) for choice in before]
    assert list(numbered(options, items).values()) == numbers


@pytest.mark.parametrize("link", ["", "javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///x"])
def test_a_link_that_is_no_site_is_none(link: str) -> None:
    assert web_address(link) is None
    assert web_address("https://agenda.example/x?y=1") == "https://agenda.example/x?y=1"


def test_what_is_typed_is_told_from_what_is_ours() -> None:
    sent = {"preuve": "x", "saisie-text": "a", "saisie-": "b", "saisie-A b": "c", "saisie-" + "n" * 61: "d"}
    assert typed(sent) == {"text": "a"}


def test_a_clock_says_when_it_is_long() -> None:
    assert [pace(seconds, (60, 120)) for seconds in (0, 59, 60, 119, 120)] == ["", "", "soon", "soon", "late"]
    assert [pace(seconds, (15, 5), left=True) for seconds in (16, 15, 6, 5, -1)] == ["", "soon", "soon", "late", "late"]
