"""The pages of extracts: prepared, read, given as a file that is the answer to a form, and declined."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from callcenter.console.extract_ports import NotNow, Wanted
from callcenter.console.extracts import ExtractPages
from callcenter.disclosure.policy import load_policy
from callcenter.reports import register_words
from callcenter.reports.extract_rules import Choice, Form
from callcenter.reports.extract_tables import Asks, ExtractOutcome, IdentityCheck
from callcenter.reports.extracts_given import GivenOnRecord
from callcenter.reports.register_notes import BROKEN_LINE
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.extracts import EXTRACT, MADE, NAMED, PRACTICE, ROW, ExtractsDouble
from tests.unit.console.wording import CONSOLE
from tests.unit.console.workplaces import NOW

PATH = "/extraits"
ONE = f"{PATH}/{EXTRACT}"
FORM = {
    **{"cabinet": str(PRACTICE), "patient": "a-key", "demandeur": "patient", "controle": "in_person", "appel": "x"},
    **{"naissance": "1962-03-14", "nom": "Martin-Duval", "prenom": " Jeanne ", "du": "2026-10-01", "au": "2026-11-20"},
}
SEEN = {"vu": NOW.isoformat(), "empreinte": MADE.digest}
WHY = "Indispensable pour sa plainte."


@asynccontextmanager
async def desk_with(extracts: ExtractsDouble) -> AsyncIterator[Desk]:
    async with open_desk(pages=(ExtractPages(extracts),)) as desk:
        await desk.signed_in(roles=frozenset({"supervisor", "practitioner"}), confirmed=True)
        await desk.guest.get("/compte")
        yield desk


async def test_an_extract_is_prepared_and_its_address_names_nobody() -> None:
    extracts = ExtractsDouble()
    async with desk_with(extracts) as desk:
        form = await desk.guest.post(f"{PATH}/nouveau", cabinet=str(PRACTICE), patient="a-key")
        assert 'value="2026-10-01"' in form.text, "from the beginning of the register"
        assert extracts.done == [("start", PRACTICE, "a-key")]
        assert (await desk.guest.post(PATH, **FORM)).location == ONE
        (_, wanted) = extracts.done[-1]
        assert isinstance(wanted, Wanted)
        assert (wanted.asks, wanted.check, wanted.call) == (Asks.PATIENT, IdentityCheck.IN_PERSON, "")
        assert wanted.named == NAMED


async def test_what_is_wrong_with_the_form_is_said_and_nothing_typed_is_lost() -> None:
    extracts = ExtractsDouble()
    async with desk_with(extracts) as desk:
        wrong = {"demandeur": "cousin", "controle": "", "nom": "", "naissance": "x", "au": "2036-01-01"}
        page = await desk.guest.post(PATH, **{**FORM, **wrong})
        assert page.status == 422
        for said in ("qui demande.", "l’identité a été contrôlée.", "le nom en entier.", "la date de", "au plus tard"):
            assert said in page.words
        assert 'value="Jeanne"' in page.text.replace(" Jeanne ", "Jeanne")
        assert "a-key" in page.text
        by_call = await desk.guest.post(PATH, **{**FORM, "demandeur": "parent", "controle": "verified_call"})
        assert "Un appel ne prouve que le patient" in by_call.words
        missing = await desk.guest.post(PATH, **{**FORM, "controle": "verified_call", "appel": " "})
        assert "Écrivez la référence de l’appel." in missing.words
        assert not [one for one in extracts.done if one[0] == "prepare"]


@pytest.mark.parametrize("why", list(NotNow))
async def test_why_it_is_not_prepared_is_said(why: NotNow) -> None:
    async with desk_with(ExtractsDouble(not_now=why)) as desk:
        page = await desk.guest.post(PATH, **FORM)
        assert page.status == 422
        assert "Une chose est à corriger" in page.words
        assert 'value="Martin-Duval"' in page.text


async def test_a_file_is_the_answer_to_a_form_with_what_was_chosen() -> None:
    extracts = ExtractsDouble(row=replace(ROW, asks=Asks.PARENT), minor=True)
    async with desk_with(extracts) as desk:
        read = await desk.guest.get(ONE)
        assert "Jeanne Martin-Duval" in read.words
        assert "ne correspond plus à ce qui a été écrit" in read.words
        held = f"retenir-{UUID(int=2)}"
        assert f'name="{held}" value="oui" checked' in read.text, (
            "what a minor may have asked for is held back at first"
        )
        assert f'name="retenir-{UUID(int=1)}" value="oui">' in read.text
        given = await desk.guest.post(f"{ONE}/remise", **SEEN, forme="pdf", **{held: "oui"})
        assert given.status == 200
        assert given.headers["Content-Type"] == "application/pdf"
        assert given.headers["Cache-Control"] == "no-store"
        assert given.headers["Content-Disposition"] == f'attachment; filename="extrait-{EXTRACT}.pdf"'
        assert extracts.done == [
            ("release", Choice(Form.PDF, held_back=frozenset({UUID(int=2)}), seen_at=NOW, digest=MADE.digest))
        ]
        named = await desk.guest.post(f"{ONE}/remise", **SEEN, forme="json", personnel="oui", texte=WHY)
        assert named.headers["Content-Type"] == "application/json"
        assert extracts.done[-1] == (
            "release",
            Choice(Form.JSON, staff_named=True, why=WHY, seen_at=NOW, digest=MADE.digest),
        )
        assert (await desk.guest.post(f"{ONE}/remise", **SEEN, forme="pdf", **{"retenir-x": "oui"})).status == 400
        assert (await desk.guest.post(f"{ONE}/remise", **SEEN, forme="doc")).status == 400
        for seen in ({}, {"vu": "x"}, {"vu": "0001-01-01T00:00:00+14:00"}):
            assert (await desk.guest.post(f"{ONE}/remise", forme="pdf", **seen)).status == 400
        assert f'name="vu" value="{NOW.isoformat()}"' in read.text
        assert f'name="empreinte" value="{MADE.digest}"' in read.text
        await desk.guest.post(f"{ONE}/remise", vu=SEEN["vu"], forme="pdf")
        assert extracts.done[-1] == ("release", Choice(Form.PDF, seen_at=NOW, digest="")), (
            "who says nothing, read nothing"
        )


async def test_what_was_given_is_shown_as_it_is_on_record_and_read_again_only_when_that_is_asked_for() -> None:
    files = (
        GivenOnRecord(NOW, "Docteur Blanc", "pdf", 12, 0, staff_named=False, digest="cd" * 32),
        GivenOnRecord(None, None, "json", None, 2, staff_named=True, digest="ef" * 32),
    )
    released = replace(ROW, outcome=ExtractOutcome.RELEASED, closed_at=NOW, closer="Docteur Blanc")
    async with desk_with(ExtractsDouble(row=released, given=files)) as desk:
        page = await desk.guest.get(ONE)
        for said in ("Ce qui a été remis", "PDF · Docteur Blanc", "12 lignes", "cd" * 32, "JSON", "2 lignes retenues"):
            assert said in page.words, said
        for unsaid in ("Ce qui sera", "Ce qui serait", "Jeanne", "Dit au téléphone", "Remettre en PDF"):
            assert unsaid not in page.words, unsaid
        assert f'href="{ONE}?encore=oui"' in page.text
        again = await desk.guest.get(f"{ONE}?encore=oui")
        for said in ("Ce qui a été remis", "Ce qui serait remis maintenant", "Jeanne", "Remettre en PDF"):
            assert said in again.words, said
        assert "Relire, pour" not in again.words
    later = replace(released, closed_at=NOW - timedelta(days=31))
    for extracts in (ExtractsDouble(row=released, given=files, decides=False), ExtractsDouble(row=later, given=files)):
        async with desk_with(extracts) as desk:
            page = await desk.guest.get(ONE)
            assert "12 lignes" in page.words
            assert "encore=oui" not in page.text


async def test_a_list_tells_requests_apart_and_names_nobody() -> None:
    async with desk_with(ExtractsDouble()) as desk:
        page = await desk.guest.get(PATH)
        for said in (ROW.reference, "00000000", "demandée le 26 novembre 2026 à", "du 26 novembre 2026 au"):
            assert said in page.words, said
        assert "Jeanne" not in page.words


async def test_staff_are_named_for_a_reason_and_what_was_ticked_stays() -> None:
    extracts = ExtractsDouble(row=replace(ROW, asks=Asks.GUARDIAN), minor=True)
    async with desk_with(extracts) as desk:
        first = f"retenir-{UUID(int=1)}"
        page = await desk.guest.post(
            f"{ONE}/remise", **SEEN, forme="pdf", personnel="oui", texte="non", **{first: "oui"}
        )
        assert page.status == 422
        assert "Écrivez pourquoi le personnel est nommé" in page.words
        assert f'name="{first}" value="oui" checked' in page.text
        assert f'name="retenir-{UUID(int=2)}" value="oui">' in page.text
        assert extracts.done == []


async def test_nothing_is_held_back_from_the_patient() -> None:
    async with desk_with(ExtractsDouble(minor=True)) as desk:
        assert "retenir-" not in (await desk.guest.get(ONE)).text


async def test_a_supervisor_sees_what_is_prepared_and_gives_nothing() -> None:
    async with desk_with(ExtractsDouble(decides=False)) as desk:
        page = await desk.guest.get(ONE)
        assert "Dit au téléphone" in page.words
        assert "/remise" not in page.text
        assert "/refus" not in page.text
        assert "Lire et décider" not in (await desk.guest.get(PATH)).words


async def test_without_training_nothing_is_shown() -> None:
    async with desk_with(ExtractsDouble(trained=False)) as desk:
        page = await desk.guest.get(ONE)
        assert "Votre formation n’est pas à jour" in page.words
        assert "Martin" not in page.words
        assert "/remise" not in page.text


async def test_while_the_ledger_is_behind_nothing_is_shown_and_why_is_said() -> None:
    async with desk_with(ExtractsDouble(unsealed=True)) as desk:
        page = await desk.guest.get(ONE)
        assert "pas scellé à temps" in page.words
        assert "Martin" not in page.words
        assert "/remise" not in page.text


async def test_what_is_not_given_now_is_said_on_the_page_that_is_read_again() -> None:
    for why, says in ((NotNow.CHANGED, "a changé depuis votre lecture"), (NotNow.TOO_LONG, "période plus courte")):
        async with desk_with(ExtractsDouble(not_now=why)) as desk:
            page = await desk.guest.post(f"{ONE}/remise", **SEEN, forme="pdf")
            assert (page.status, says in page.words) == (422, True)


async def test_it_is_declined_for_a_reason_and_once() -> None:
    extracts = ExtractsDouble(unsure=True)
    async with desk_with(extracts) as desk:
        assert "identité incertaine" in (await desk.guest.get(ONE)).words
        short = await desk.guest.post(f"{ONE}/refus", texte="non")
        assert "Écrivez pourquoi c’est refusé" in short.words
        done = await desk.guest.post(f"{ONE}/refus", texte="Ce n’est pas cette personne.")
        assert done.location == f"{PATH}?fait=refus"
        assert "Le refus est inscrit." in (await desk.guest.get(f"{PATH}?fait=refus")).words
        extracts.decided = True
        late = await desk.guest.post(f"{ONE}/refus", texte="Ce n’est pas cette personne.")
        assert "Quelqu’un vient d’en décider" in late.words


async def test_the_list_says_what_is_late() -> None:
    async with desk_with(ExtractsDouble()) as desk:
        page = await desk.guest.get(PATH)
        assert "En retard" in page.words
        assert "À décider" in page.words
        assert "Martin" not in page.text


def test_the_words_of_lines_stand_in_the_template_that_gettext_reads() -> None:
    """All of them and no others: every category of the policy, and whatever else a line may say."""
    text = (CONSOLE / "templates" / "register_words.html").read_text(encoding="utf-8")
    known = set(re.findall(r'^  "(.*)": _\("(.*)"\),$', text, re.MULTILINE))
    assert known == {(word, word) for word in register_words.ours() | {BROKEN_LINE}}
    every = [category.value for category in load_policy("config/disclosure-policy.yaml").rules]
    for reader in register_words.READERS.values():
        assert {(said, said) for said in register_words.categories(every, reader)} <= known


async def test_lines_are_read_in_the_language_of_the_page() -> None:
    first = replace(
        MADE.lines[0],
        what=("le nom du praticien", "une information de la catégorie D99"),
        heard="écouté jusqu’au bout",
        given=2,
        by="une personne du secrétariat",
        name="Ana <b> (dite Anne)",
    )
    extracts = ExtractsDouble(made=replace(MADE, lines=(first, *MADE.lines[1:])))
    async with desk_with(extracts) as desk:
        english = (await desk.guest.get(ONE, headers={"Accept-Language": "en"})).text
        french = (await desk.guest.get(ONE)).text
    lines = english.partition('<ol class="timeline">')[2].rpartition("</ol>")[0]
    for said in (
        "<strong>Said by telephone</strong>",
        '<p>the practitioner’s name · <span lang="fr">une information de la catégorie D99</span></p>',
        "you, by what was proved · a code received by text message · heard to its end; given 2 times",
        "to answer a request · Ana &lt;b&gt; (dite Anne) (somebody of the answering service)</p>",
        "<h3>What was asked for and not disclosed</h3>",
        "This record is no longer what was written.",
    ):
        assert said in lines
    assert re.findall(r'lang="fr"', lines) == ['lang="fr"']
    assert "lines are translated for you" in english
    assert "<p>le nom du praticien · une information de la catégorie D99</p>" in french
    assert "écouté jusqu’au bout\u202f; remis 2 fois" in french
