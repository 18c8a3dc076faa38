"""The pages of broken glass: what is asked for, what is shown for a minute and where, and how it is reviewed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from callcenter.console.glass import GlassPages
from callcenter.console.glass_ports import NotNow
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.glasses import HER_HOUR, OTHERS, OWN, PRACTICE, GlassDouble

PATH = "/bris-de-glace"
FORM = {
    **{"cabinet": str(PRACTICE), "demandeur": "hospital", "qui": "Urgences", "numero": "04 65 71 00 99"},
    **{"texte": "Arrivée sans papiers.", "naissance": "1962-03-14", "nom": "Martin-Duval", "prenom": "Jeanne"},
}


@asynccontextmanager
async def desk_with(glass: GlassDouble) -> AsyncIterator[Desk]:
    async with open_desk(pages=(GlassPages(glass),)) as desk:
        await desk.signed_in(roles=frozenset({"supervisor"}))
        await desk.guest.get("/compte")
        yield desk


async def test_what_is_shown_is_the_answer_to_a_form_leaves_after_a_minute_and_is_not_kept() -> None:
    async with desk_with(GlassDouble()) as desk:
        assert (await desk.guest.post(PATH, **FORM)).location == f"{PATH}/{OWN}"
        shown = await desk.guest.post(f"{PATH}/{OWN}/rubrique", rubrique="appointments")
        assert HER_HOUR in shown.words
        assert shown.headers["Refresh"] == f"60; url={PATH}/{OWN}"
        assert shown.headers["Cache-Control"] == "no-store"
        assert HER_HOUR not in shown.text.partition("</title>")[0]
        assert HER_HOUR not in (await desk.guest.get(f"{PATH}/{OWN}")).words
        assert (await desk.guest.get(f"{PATH}/{OWN}/rubrique")).status == 303


async def test_nothing_on_file_and_what_is_withheld_are_said_apart() -> None:
    async with desk_with(desk_glass := GlassDouble()) as desk:
        nothing = await desk.guest.post(f"{PATH}/{OWN}/rubrique", rubrique="telephones")
        assert "Rien au dossier." in nothing.words
        withheld = await desk.guest.post(f"{PATH}/{OWN}/rubrique", rubrique="practitioners")
        assert "Cette rubrique ne peut pas être ouverte." in withheld.words
        assert "Refresh" not in withheld.headers
        desk_glass.enough = True
        enough = await desk.guest.post(f"{PATH}/{OWN}/rubrique", rubrique="appointments")
        assert "Vingt rubriques ont été demandées" in enough.words
        assert HER_HOUR not in enough.words
        assert "Refresh" not in enough.headers
        assert (await desk.guest.post(f"{PATH}/{OWN}/rubrique", rubrique="everything")).status == 400


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (NotNow.UNCONFIRMED, "votre texte reste ici"),
        (NotNow.TALKING, "raccrochez d’abord"),
        (NotNow.UNTRAINED, "Votre formation n’est pas à jour"),
        (NotNow.BOUND, "brisé la glace cinq fois"),
        (NotNow.CALL, "Aucun appel de ce cabinet"),
    ],
)
async def test_why_it_is_not_broken_now_is_said_and_what_was_typed_stays(why: NotNow, said: str) -> None:
    async with desk_with(GlassDouble(not_now=why)) as desk:
        page = await desk.guest.post(PATH, **FORM)
        assert page.status == 422
        assert said in page.words
        assert ("Confirmer dans un autre onglet" in page.words) is (why is NotNow.UNCONFIRMED)
        for typed in FORM.values():
            assert typed in page.text


async def test_before_the_second_factor_no_form_is_shown_but_the_way_to_it() -> None:
    async with desk_with(GlassDouble(not_now=NotNow.UNCONFIRMED)) as desk:
        page = await desk.guest.get(PATH)
        assert 'name="naissance"' not in page.text
        assert 'href="/confirmation?suite=%2Fbris-de-glace"' in page.text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("cabinet", str(OTHERS), "Choisissez le cabinet."),
        ("demandeur", "police", "Choisissez qui demande."),
        ("qui", " ", "Écrivez qui demande"),
        ("numero", "0812345678", "Écrivez le numéro"),
        ("texte", "urgent", "Écrivez ce qui se passe"),
        ("texte", "x" * 501, "Écrivez ce qui se passe"),
        ("naissance", "2030-01-01", "Indiquez la date de naissance."),
        ("naissance", "1800-01-01", "Indiquez la date de naissance."),
        ("nom", "", "Écrivez le nom en entier."),
        ("prenom", "", "Écrivez le prénom."),
    ],
)
async def test_a_field_that_says_nothing_usable_is_named(field: str, value: str, said: str) -> None:
    async with desk_with(double := GlassDouble()) as desk:
        page = await desk.guest.post(PATH, **{**FORM, field: value})
        assert (page.status, double.done) == (422, [])
        assert said in page.words
        assert f'href="#{field}"' in page.text


async def test_a_verdict_needs_words_is_given_once_and_leads_on() -> None:
    async with desk_with(double := GlassDouble()) as desk:
        page = await desk.guest.get(f"{PATH}/{OTHERS}")
        assert "En retard" in page.words
        assert "Prochains rendez-vous : non ouvert" in page.words
        problems = await desk.guest.post(f"{PATH}/{OTHERS}/relecture", texte="oui")
        assert "Choisissez un avis." in problems.words
        assert "Écrivez pourquoi" in problems.words
        done = await desk.guest.post(f"{PATH}/{OTHERS}/relecture", verdict="justified", texte="Le SAMU a rappelé.")
        assert done.location == f"{PATH}?fait=relu"
        assert "Votre avis est inscrit." in (await desk.guest.follow(done)).words
        again = await desk.guest.post(f"{PATH}/{OTHERS}/relecture", verdict="justified", texte="Le SAMU a rappelé.")
        assert "Quelqu’un d’autre vient de le relire" in again.words
        assert [one[0] for one in double.done] == ["review", "review"]


async def test_what_is_written_by_hand_is_text_on_every_page() -> None:
    markup = "<img src=x onerror=alert(1)>"
    async with desk_with(GlassDouble()) as desk:
        pages = [
            await desk.guest.post(PATH, **{**FORM, "demandeur": "", name: markup}) for name in ("qui", "texte", "nom")
        ]
        pages.append(await desk.guest.post(f"{PATH}/{OTHERS}/relecture", texte=markup))
    assert not any("<img src=x" in page.text for page in pages)


async def test_sm_02_without_a_training_no_word_is_shown_and_no_verdict_taken() -> None:
    async with desk_with(GlassDouble(trained=False)) as desk:
        page = await desk.guest.get(f"{PATH}/{OTHERS}")
        assert "Prochains rendez-vous : non ouvert" in page.words
        assert "ce qui est écrit ici ne peut pas vous être montré" in page.words
        assert 'name="verdict"' not in page.text
        assert "Votre lecture est inscrite" not in page.words
        sent = await desk.guest.post(f"{PATH}/{OTHERS}/relecture", verdict="justified", texte="Le SAMU a rappelé.")
        assert "Votre formation n’est pas à jour" in sent.words
        assert "Quelqu’un d’autre vient de le relire" not in sent.words


async def test_words_that_are_forgotten_leave_what_was_opened() -> None:
    async with desk_with(GlassDouble(forgotten=True)) as desk:
        page = await desk.guest.get(f"{PATH}/{OTHERS}")
        assert "Ce qui était écrit ici est effacé" in page.words
        assert "Numéro de rappel" not in page.words
        assert "Recherche du dossier : ouvert" in page.words
