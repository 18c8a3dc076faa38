"""Telling practices of incidents: a text with what art. 33.3 asks, who is late, and the page of the practice itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from callcenter.console.incident_notice_ports import IncidentNotices
from callcenter.console.incident_papers import as_text, draft, letter_lines, register_lines
from callcenter.console.incident_ports import Shown
from callcenter.staff.incident_tables import EntryKind, Means
from callcenter.staff.incident_values import WITHOUT_DELAY, Concerned, Telling, Written
from tests.unit.console.doubles import open_desk
from tests.unit.console.incidents import (
    GIVEN,
    INCIDENT,
    NOTICE,
    OPEN,
    PRACTICE,
    REGISTER,
    TOLD,
    IncidentNoticesDouble,
)
from tests.unit.console.workplaces import NOW, TILLEULS

SUPERVISOR, PRACTITIONER = frozenset({"supervisor"}), frozenset({"practitioner"})
PAGE = f"/incidents/{INCIDENT}/cabinets/{PRACTICE}"
OWN = f"/avis/{PRACTICE}/{INCIDENT}"
WORDS = "Nature : une date dite à un tiers. Une personne. Mesures : rappel. Contact : dpo@example.fr."
NOTED = {"le": "2026-11-26T09:30", "moyen": "telephone", "precisions": "Mme Petit, secrétaire"}


def test_the_double_is_what_the_pages_ask() -> None:
    _: IncidentNotices = IncidentNoticesDouble()


async def test_whoever_tells_a_practice_has_its_contact_and_a_text_with_what_the_law_asks() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get(PAGE)
        for words in (TILLEULS, "Dr Roux", "+33187650099", "À informer sans attendre", REGISTER.entries[0].words):
            assert words in page.words, words
        for words in (
            "Nature et faits",
            "nombres approximatifs",
            "Conséquences probables",
            "Mesures prises",
            "Contact",
        ):
            assert words in page.words, words
        unfinished = await desk.guest.post(PAGE + "/remise", avis=draft(_shown(), PRACTICE), apres="")
        assert (unfinished.status, "Il reste « à compléter »" in unfinished.words) == (422, True)
        assert (await desk.guest.post(PAGE + "/remise", avis=WORDS, apres="")).location == PAGE
        assert desk.notices.done == [("made", PRACTICE, WORDS)]


async def test_what_is_sent_otherwise_is_a_draft_until_a_notice_was_given_and_that_notice_from_then_on() -> None:
    first, facts = replace(GIVEN, at=NOW - timedelta(hours=1), words="Le premier avis."), REGISTER.entries[0].words
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        assert "Projet d’avis (texte)" in (await desk.guest.get(PAGE)).words
        draft_of_it = await desk.guest.post(PAGE + "/avis")
        assert (facts in draft_of_it.text, GIVEN.words in draft_of_it.text) == (True, False)
        desk.notices.notices = (GIVEN, first)
        shown = (await desk.guest.get(PAGE)).words
        assert ("Avis remis (texte)" in shown, "Projet d’avis" in shown) == (True, False)
        given = (await desk.guest.post(PAGE + "/avis")).text
        assert given.index(first.words) < given.index(GIVEN.words)
        assert facts not in given, "the register's words are in no notice by themselves"
        assert "compléter" not in given
        assert desk.notices.read_as == [False, True, False, True]


async def test_that_a_practice_was_told_is_noted_with_when_and_how() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        assert 'value="2026-11-26T10:00"' in (await desk.guest.get(PAGE)).text, "now, in Paris"
        assert (await desk.guest.post(PAGE + "/informe", **NOTED)).location == PAGE
        at = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
        telling = Telling(at, Means.TELEPHONE, "Mme Petit, secrétaire")
        assert desk.notices.done == [("informed", PRACTICE, telling)]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"le": "hier"}, "Dites quand"),
        ({"le": "2026-11-27T09:30"}, "Dites quand"),
        ({"le": "2026-11-01T09:30"}, "Dites quand"),
        ({"moyen": ""}, "Choisissez le moyen"),
        ({"moyen": "page"}, "Choisissez le moyen"),
        ({"precisions": "x" * 301}, "trop longues"),
    ],
    ids=["no time", "tomorrow", "before it was known", "no means", "the page's own means", "too long"],
)
async def test_what_is_wrong_with_a_note_is_said_and_nothing_is_lost(typed: dict[str, str], words: str) -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get(PAGE)
        page = await desk.guest.post(PAGE + "/informe", **{**NOTED, **typed})
        assert (page.status, words in page.words) == (422, True)
        assert ("Mme Petit, secrétaire" in page.text) is ("precisions" not in typed)
        assert desk.notices.done == []


PINS = UUID("88888888-2222-4333-8444-555555555555")
SEVERAL = f"/incidents/{INCIDENT}/avis"
BOTH = {f"cabinet-{PRACTICE.hex}": "1", f"cabinet-{PINS.hex}": "1"}


async def test_the_same_words_are_read_again_before_they_are_given_to_several() -> None:
    async with open_desk() as desk:
        desk.notices.register = replace(REGISTER, concerned=(Concerned(PRACTICE, None), Concerned(PINS, None)))
        desk.notices.names = {PRACTICE: TILLEULS, PINS: "Cabinet des Pins"}
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get(SEVERAL)
        assert "compléter, d’après le registre" in page.words
        assert REGISTER.entries[0].words not in page.words, "nothing of the register's words"
        assert " checked" not in page.text
        ticked = await desk.guest.post(SEVERAL, avis=WORDS, etape="cocher")
        assert (ticked.text.count(" checked"), WORDS in ticked.words) == (2, True)
        read = await desk.guest.post(SEVERAL, avis=WORDS + "\r\nFin.", etape="relire", **BOTH)
        assert "remettez à 2 cabinets" in read.words
        assert "Cabinet des Pins" in read.words
        assert f'<p class="words">{WORDS}\nFin.</p>' in read.text
        assert desk.notices.done == []
        back = await desk.guest.post(SEVERAL, avis=WORDS, etape="reprendre", **BOTH)
        assert back.text.count(" checked") == 2
        desk.notices.meanwhile = frozenset({PINS})
        given = await desk.guest.post(SEVERAL, avis=WORDS, etape="remettre", **BOTH)
        assert desk.notices.done == [("made each", [PRACTICE], WORDS)]
        assert "remis à 1 cabinet." in given.words
        assert "laissés de côté : Cabinet des Pins" in given.words.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"avis": ""}, "Écrivez quelque chose"),
        ({"avis": "x" * 8001}, "8000 caractères au plus"),
        ({"avis": "Contact : à compléter."}, "Il reste « à compléter »"),
        ({"avis": f"Le {TILLEULS.upper()} et d’autres."}, "nomme un des cabinets"),
        ({f"cabinet-{PRACTICE.hex}": None}, "Cochez au moins un cabinet"),
        ({f"cabinet-{UUID(int=number).hex}": "1" for number in range(50)}, "50 au plus à la fois"),
    ],
    ids=["nothing", "too much", "unfinished", "a practice's name", "nobody", "too many"],
)
async def test_p5_words_that_cannot_be_told_to_several_are_kept_and_given_to_nobody(
    typed: dict[str, str | None], words: str
) -> None:
    many = tuple(Concerned(UUID(int=number), None) for number in range(50))
    sent = {"avis": WORDS, f"cabinet-{PRACTICE.hex}": "1", **typed}
    async with open_desk() as desk:
        desk.notices.register = replace(REGISTER, concerned=(Concerned(PRACTICE, None), *many))
        desk.notices.names = {PRACTICE: TILLEULS, **{one.practice: f"Cabinet {one.practice.int}" for one in many}}
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get(SEVERAL)
        for step in ("relire", "remettre"):
            fields = {name: value for name, value in sent.items() if value is not None}
            page = await desk.guest.post(SEVERAL, etape=step, **fields)
            assert (page.status, words in page.words) == (422, True)
        assert desk.notices.done == []
        assert (await desk.guest.post(SEVERAL, etape="x", avis=WORDS)).status == 400
        assert (await desk.guest.post(SEVERAL, etape="remettre", avis=WORDS, **BOTH)).status == 400, "not concerned"


async def test_a_form_that_is_stale_says_so_and_changes_nothing() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get(PAGE)
        desk.notices.last, desk.notices.notices = NOTICE, (GIVEN,)
        page = await desk.guest.post(PAGE + "/remise", avis="</textarea><b>Le mien</b>", apres="")
        assert (page.status, "Un autre avis vient d’être remis" in page.words) == (422, True)
        assert "&lt;/textarea&gt;&lt;b&gt;Le mien" in page.text, "kept"
        assert GIVEN.words in page.text
        told = (Concerned(PRACTICE, NOW, Means.LETTER),)
        desk.notices.register = replace(REGISTER, concerned=told)
        page = await desk.guest.post(PAGE + "/informe", **NOTED)
        assert (page.status, "déjà noté comme informé" in page.words) == (422, True)
        assert (await desk.guest.post(PAGE + "/remise", avis=WORDS, apres="x")).status == 400
        assert desk.notices.done == []


async def test_a_practice_that_nobody_has_told_for_a_day_stands_out_until_it_is() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        assert "1 cabinet à informer" in (await desk.guest.get("/incidents")).words
        assert "en retard" not in (await desk.guest.get("/incidents")).words
        late = replace(OPEN, known_at=NOW - WITHOUT_DELAY - timedelta(hours=2))
        desk.incidents.register = desk.notices.register = replace(REGISTER, incident=late)
        assert "1 cabinet à informer, en retard" in (await desk.guest.get("/incidents")).words
        assert 'class="badge stop">à informer, en retard' in (await desk.guest.get(f"/incidents/{INCIDENT}")).text
        assert "À informer, en retard de 2 h 00" in (await desk.guest.get(PAGE)).words.replace("\u00a0", " ")
        told = replace(REGISTER, incident=replace(late, untold=0), concerned=(Concerned(PRACTICE, NOW, Means.EMAIL),))
        desk.incidents.register = desk.notices.register = told
        assert "en retard" not in (await desk.guest.get("/incidents")).words
        page = await desk.guest.get(PAGE)
        assert "en retard" not in page.words
        assert "par e-mail" in page.words
        assert "/informe" not in page.text, "it is noted once"


async def test_a_practitioner_reads_what_their_practice_is_told_and_says_so() -> None:
    async with open_desk() as desk:
        desk.notices.notices, desk.notices.waits = (GIVEN,), 1
        await desk.signed_in(roles=PRACTITIONER)
        assert "Un incident concerne votre cabinet" in (await desk.guest.get("/compte")).words
        listed = await desk.guest.get("/avis")
        assert f'href="{OWN}"' in listed.text
        assert "avis à lire" in listed.words
        page = await desk.guest.get(OWN)
        for words in (GIVEN.words, REGISTER.organisation, "CNIL dans les 72 heures", "Lu par Dr Roux"):
            assert words in page.words, words
        assert REGISTER.entries[0].words not in page.words, "the register is not theirs"
        assert (await desk.guest.post(OWN + "/lecture", avis=str(NOTICE))).location == OWN
        assert desk.notices.done == [("read", NOTICE)]
        assert "Confirmer que j’ai lu" not in (await desk.guest.get(OWN)).words
        newer = await desk.guest.post(OWN + "/lecture", avis=str(INCIDENT))
        assert (newer.status, "Un avis plus récent" in newer.words) == (422, True)
        assert (await desk.guest.post(OWN + "/lecture", avis="x")).status == 400


async def test_an_incident_of_which_nothing_is_written_yet_is_seen_and_not_confirmed() -> None:
    async with open_desk() as desk:
        desk.notices.told = replace(TOLD, noticed_at=None, unread=False)
        await desk.signed_in(roles=PRACTITIONER)
        assert "avis à venir" in (await desk.guest.get("/avis")).words
        page = await desk.guest.get(OWN)
        assert "L’avis n’est pas encore écrit" in page.words
        assert "/lecture" not in page.text


async def test_only_practitioners_are_told_on_every_page_and_an_address_of_others_is_nobodys() -> None:
    async with open_desk() as desk:
        desk.notices.waits = 2
        for role, told in {"practitioner": True, "supervisor": False, "operator": False}.items():
            await desk.signed_in(roles=frozenset({role}))
            page = await desk.guest.get("/compte")
            assert ("2 incidents concernent votre cabinet" in page.words) is told, role
            assert ('href="/avis"' in page.text) is told, role
        desk.notices.may = False
        for path in (PAGE, OWN):
            assert (await desk.guest.get(path)).status == 404
        await desk.guest.get("/compte")
        for path in (PAGE + "/remise", PAGE + "/informe", OWN + "/lecture"):
            assert (await desk.guest.post(path, avis=str(NOTICE), apres="", **NOTED)).status == 404, path


def _shown(*more: Concerned) -> Shown:
    return Shown(NOW, replace(REGISTER, concerned=(*REGISTER.concerned, *more)), {PRACTICE: TILLEULS})


def test_of_several_practices_no_word_of_the_register_is_in_the_draft_for_one() -> None:
    alone, several = draft(_shown(), PRACTICE), draft(_shown(Concerned(INCIDENT, None)), PRACTICE)
    assert REGISTER.entries[0].words in alone
    assert REGISTER.entries[0].words not in several
    assert "À compléter pour ce cabinet" in several
    assert REGISTER.entries[0].words not in as_text(letter_lines(_shown(Concerned(INCIDENT, None)), PRACTICE))


def test_the_register_on_paper_says_how_a_practice_was_told_and_that_it_has_read() -> None:
    read = Written(EntryKind.PRACTICE_READ, NOW, "Dr Roux", "", PRACTICE)
    register = replace(REGISTER, concerned=(Concerned(PRACTICE, NOW, Means.LETTER),), entries=(read,))
    paper = as_text(register_lines(replace(_shown(), register=register)))
    assert "par courrier" in paper
    assert f"Dr Roux : Avis lu par le cabinet : {TILLEULS}" in paper
