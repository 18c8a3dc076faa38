"""The pages of supervisors' review, by HTTP: what they ask for, what they say, what they turn away."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from callcenter.calls.call_references import NoCall
from callcenter.console.review import ReviewPages
from callcenter.console.review_ports import LookUpProblem, Matches, Purpose, Results
from callcenter.disclosure.policy import load_policy
from callcenter.kernel.labels import Category
from callcenter.reports import words
from callcenter.reports.values import Chain, Fact, Kind, Outcome, Supervised
from callcenter.speech.typography import set_in_french
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.reviews import CALL, DESK, PERSON, PRACTICE, TIMELINE, ReviewsDouble

FORM = {"cabinet": str(PRACTICE), "nature": "calls", "du": "2026-11-20", "au": "2026-11-26"}
PATIENT = {**FORM, "naissance": "1962-03-14", "lettres": "Mar", "finalite": "complaint", "motif": "Courrier du 3 mars"}


@asynccontextmanager
async def reviewing(reviews: ReviewsDouble) -> AsyncIterator[Desk]:
    """Somebody at the page, with its form."""
    async with open_desk(pages=(ReviewPages(reviews),)) as desk:
        await desk.signed_in(roles=frozenset({"supervisor"}), confirmed=True)
        assert (await desk.guest.get("/suivi")).status == 200
        yield desk


async def test_only_supervisors_are_shown_the_way() -> None:
    async with open_desk(pages=(ReviewPages(ReviewsDouble()),)) as desk:
        for roles, there in ((frozenset({"supervisor"}), True), (frozenset({"operator"}), False)):
            await desk.signed_in(roles=roles)
            assert ('href="/suivi"' in (await desk.guest.get("/")).text) is there


async def test_what_is_nobodys_of_theirs_is_not_there() -> None:
    async with reviewing(ReviewsDouble()) as desk:
        refused = ReviewsDouble(theirs=False)
        async with open_desk(pages=(ReviewPages(refused),)) as other:
            await other.signed_in()
            for path in ("/suivi", f"/suivi/appels/{CALL}", "/suivi/appels/not-an-id"):
                assert (await other.guest.get(path)).status == 404
            other.guest.proof = other.guest.proof or desk.guest.proof
        assert refused.asked == []


async def test_a_search_asks_for_what_the_form_says_and_shows_it_again() -> None:
    reviews = ReviewsDouble()
    async with reviewing(reviews) as desk:
        sent = {**FORM, "nature": "disclosures", "categorie": "D03", "issue": "withheld", "personne": str(PERSON)}
        page = await desk.guest.post("/suivi", **sent, appel=f" {CALL} ", apres="a-cursor", patient="a-key")
        assert page.status == 200
    asked = reviews.asked[-1][1]
    criteria = asked.criteria
    assert (criteria.practice, criteria.kind, criteria.first, criteria.last) == (
        PRACTICE,
        Kind.DISCLOSURES,
        date(2026, 11, 20),
        date(2026, 11, 26),
    )
    assert (criteria.category, criteria.outcome) == (Category.APPOINTMENT_TIME, Outcome.WITHHELD)
    assert (criteria.staff, asked.reference, asked.after, asked.patient) == (PERSON, str(CALL), "a-cursor", "a-key")
    assert "2 résultats" in page.words
    assert "Retenue mineur" in page.words
    assert "leur consultation est au registre" in page.words
    assert f'href="/suivi/appels/{CALL}"' in page.text
    assert '<option value="D03" selected>' in page.text


async def test_what_is_read_each_week_is_one_key_away_for_the_practice_that_was_chosen() -> None:
    reviews = ReviewsDouble()
    async with reviewing(reviews) as desk:
        page = await desk.guest.post("/suivi", **{**FORM, "du": "2026-11-01", "personne": str(PERSON)})
        forms = re.findall(r"<form[^>]*#resultats.*?</form>", page.text, re.DOTALL)
        found = []
        for form in forms:
            sent = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
            assert (await desk.guest.post("/suivi", **sent)).status == 200
            asked = reviews.asked[-1][1].criteria
            assert (asked.practice, asked.first, asked.last) == (PRACTICE, DESK.today - timedelta(6), DESK.today)
            assert (asked.staff, asked.category) == (None, None)
            found.append((asked.kind, asked.outcome))
    assert found == [(Kind.VERIFICATIONS, Outcome.FAILED), (Kind.REFUSALS, None), (Kind.STAFF, None)]


async def test_a_page_that_goes_on_leads_on_and_an_empty_one_helps() -> None:
    reviews = ReviewsDouble()
    async with reviewing(reviews) as desk:
        reviews.results = replace(reviews.results, after="a-cursor")
        page = await desk.guest.post("/suivi", **FORM)
        assert 'name="apres" value="a-cursor"' in page.text
        reviews.results = Results(())
        page = await desk.guest.post("/suivi", **FORM)
        assert "Élargissez la période" in page.words
        assert "Exporter" not in page.words


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"cabinet": ""}, "Choisissez un cabinet"),
        ({"cabinet": "tilleuls"}, "Choisissez un cabinet"),
        ({"du": "2026-11-27", "au": "2026-11-27"}, "finit au plus tard aujourd’hui"),
        ({"du": "2026-11-26", "au": "2026-11-25"}, "finit au plus tard aujourd’hui"),
        ({"du": "2026-08-01"}, "de 92 jours au plus"),
        ({"du": "hier"}, "de 92 jours au plus"),
        ({"personne": "x"}, "Choisissez une personne"),
    ],
)
async def test_what_cannot_be_looked_for_is_said_and_the_form_kept(wrong: dict[str, str], words: str) -> None:
    reviews = ReviewsDouble(desk_shown=replace(DESK, practices=(*DESK.practices, Supervised(UUID(int=4), "Autre"))))
    async with reviewing(reviews) as desk:
        for path in ("/suivi", "/suivi/export"):
            page = await desk.guest.post(path, **{**FORM, "categorie": "D02", **wrong})
            assert page.status == 422
            assert words in page.words
            assert '<option value="D02" selected>' in page.text
    assert {what for what, *_ in reviews.asked} == {"desk"}


@pytest.mark.parametrize(
    ("why", "words"), [(NoCall.UNKNOWN, "Aucun appel de ce cabinet"), (NoCall.SEVERAL, "écrivez la référence entière")]
)
async def test_a_reference_that_leads_to_no_call_is_said_and_kept(why: NoCall, words: str) -> None:
    async with reviewing(ReviewsDouble(no_call=why)) as desk:
        for path, form in (("/suivi", FORM), ("/suivi/export", FORM), ("/suivi/patient", PATIENT)):
            page = await desk.guest.post(path, **{**form, "appel": "33333333"})
            assert page.status == 422
            assert words in page.words
            assert 'value="33333333"' in page.text


TILLEULS, PINS = Supervised(PRACTICE, "Cabinet des Tilleuls"), Supervised(UUID(int=4), "Cabinet des Pins")
MANY = replace(DESK, practices=(), many=True)


async def test_of_many_practices_one_is_given_by_a_part_of_its_name() -> None:
    reviews = ReviewsDouble(desk_shown=MANY)
    async with reviewing(reviews) as desk:
        page = await desk.guest.get("/suivi")
        assert 'name="nom"' in page.text
        assert '<select id="cabinet"' not in page.text
        nobodys = await desk.guest.post("/suivi", **{**FORM, "cabinet": ""})
        assert "Écrivez une partie du nom" in nobodys.words
        none = await desk.guest.post("/suivi", **{**FORM, "cabinet": "", "nom": "Ormes"})
        assert (none.status, "n’a ce nom" in none.words, 'value="Ormes"' in none.text) == (422, True, True)

        reviews.desk_shown = replace(MANY, practices=(TILLEULS, PINS), found=2)
        several = await desk.guest.post("/suivi", **{**FORM, "cabinet": "", "nom": " des  "})
        assert (several.status, "choisissez-en un dans la liste" in several.words) == (422, True)
        assert "Cabinet des Pins" in several.words
        assert reviews.typed[-1] == ("des", None)
        assert not [what for what, *_ in reviews.asked if what == "search"]
        assert (await desk.guest.post("/suivi", **{**FORM, "nom": "des"})).status == 200, "that of the list"
        assert reviews.asked[-1][1].criteria.practice == PRACTICE

        reviews.desk_shown = replace(MANY, practices=(PINS,), found=1)
        found = await desk.guest.post("/suivi", **{**FORM, "nom": "pins"})
        assert reviews.asked[-1][1].criteria.practice == PINS.id, "what was typed, not what was chosen before"
        assert f'<option value="{PINS.id}" selected>' in found.text
        assert (await desk.guest.post("/suivi/export", **{**FORM, "cabinet": "", "nom": "pins"})).status == 200
        assert reviews.asked[-1][1].criteria.practice == PINS.id


async def test_a_reference_alone_finds_its_practice() -> None:
    reviews = ReviewsDouble(desk_shown=replace(MANY, practices=(TILLEULS,)))
    async with reviewing(reviews) as desk:
        page = await desk.guest.post("/suivi", **{**FORM, "cabinet": "", "appel": "33333333"})
        assert (page.status, reviews.typed[-1]) == (200, ("", PRACTICE))
        criteria, reference = reviews.asked[-1][1].criteria, reviews.asked[-1][1].reference
        assert (criteria.practice, reference) == (PRACTICE, "33333333")
        assert f'<option value="{PRACTICE}" selected>' in page.text
        reviews.no_call = NoCall.UNKNOWN
        page = await desk.guest.post("/suivi", **{**FORM, "cabinet": "", "appel": "33333333"})
        assert (page.status, "Aucun appel des cabinets que vous suivez" in page.words) == (422, True)
        reviews.no_call = NoCall.SEVERAL
        page = await desk.guest.post("/suivi", **{**FORM, "cabinet": "", "appel": "33333333"})
        assert (page.status, "ou choisissez le cabinet" in page.words) == (422, True)


async def test_what_no_form_of_ours_sends_is_turned_away() -> None:
    async with reviewing(ReviewsDouble()) as desk:
        for wrong in ({"nature": "everything"}, {"categorie": "D99"}, {"issue": "x"}):
            assert (await desk.guest.post("/suivi", **{**FORM, **wrong})).status == 400


async def test_a_patient_is_looked_for_with_a_reason_and_shown_as_typed() -> None:
    reviews = ReviewsDouble()
    async with reviewing(reviews) as desk:
        page = await desk.guest.post("/suivi/patient", **PATIENT)
    wanted = reviews.asked[-1][1]
    assert (wanted.birth_date, wanted.letters, wanted.purpose) == (date(1962, 3, 14), "Mar", Purpose.COMPLAINT)
    assert wanted.reason == "Courrier du 3 mars"
    assert "MAR*** 7 inscriptions" in page.words
    assert 'name="patient" value="a-key"' in page.text
    for typed in ("1962-03-14", "Courrier du 3 mars", 'value="Mar"'):
        assert typed not in page.text, "what was typed about a patient does not stand on the page again"
        assert typed not in repr(wanted)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"naissance": ""}, "date de naissance"),
        ({"naissance": "2027-01-01"}, "date de naissance"),
        ({"naissance": "1800-01-01"}, "date de naissance"),
        ({"lettres": "Mart"}, "Trois lettres"),
        ({"lettres": "M%"}, "Trois lettres"),
        ({"finalite": ""}, "pourquoi"),
        ({"motif": "voir"}, "Écrivez le motif"),
        ({"motif": "x" * 501}, "Écrivez le motif"),
    ],
)
async def test_a_patient_is_not_looked_for_without_what_it_needs(wrong: dict[str, str], words: str) -> None:
    reviews = ReviewsDouble()
    async with reviewing(reviews) as desk:
        page = await desk.guest.post("/suivi/patient", **{**PATIENT, **wrong})
        assert (page.status, words in page.words) == (422, True)
    assert {what for what, *_ in reviews.asked} == {"desk"}


async def test_a_patient_is_looked_for_where_was_searched_before() -> None:
    another = Supervised(UUID(int=4), "Cabinet du Port")
    async with reviewing(ReviewsDouble(desk_shown=replace(DESK, practices=(*DESK.practices, another)))) as desk:
        assert "Choisissez d’abord un cabinet" in (await desk.guest.get("/suivi")).words
        page = await desk.guest.post("/suivi", **{**FORM, "cabinet": str(another.id)})
        assert "la période ci-dessus : Cabinet du Port." in page.words


async def test_a_page_with_hundreds_of_practices_is_not_heavy() -> None:
    many = tuple(Supervised(UUID(int=number), f"Cabinet numéro {number}") for number in range(700))
    async with reviewing(ReviewsDouble(desk_shown=replace(DESK, practices=many))) as desk:
        page = await desk.guest.post("/suivi", **{**FORM, "cabinet": str(many[5].id)})
        assert len(page.text.encode()) < 80_000
        assert "par une partie de son nom" not in page.words
    found = replace(DESK, practices=many[:51], many=True, found=300)
    async with reviewing(ReviewsDouble(desk_shown=found)) as desk:
        page = await desk.guest.post("/suivi", **{**FORM, "cabinet": str(many[5].id), "nom": "numéro"})
        assert len(page.text.encode()) < 50_000
        assert "Les 51 premiers cabinets de ce nom sont proposés : précisez-le." in page.words


async def test_why_no_patient_was_looked_for_and_that_nobody_was_found() -> None:
    reviews = ReviewsDouble()
    async with reviewing(reviews) as desk:
        for problem, words in (
            (LookUpProblem.BOUND, "en 24 heures"),
            (LookUpProblem.UNTRAINED, "formation"),
            (LookUpProblem.TOO_MANY, "plus courte"),
            (LookUpProblem.UNCONFIRMED, "moins de cinq minutes"),
        ):
            reviews.found = problem
            assert words in (await desk.guest.post("/suivi/patient", **PATIENT)).words
        reviews.found = Matches(())
        assert "ne parle de personne" in (await desk.guest.post("/suivi/patient", **PATIENT)).words
        reviews.found = Matches((), more=True)
        assert "MAR" not in (await desk.guest.post("/suivi/patient", **PATIENT)).words


async def test_whoever_has_no_training_is_told_why_no_patient_is_listed() -> None:
    reviews = ReviewsDouble(trained=False)
    async with reviewing(reviews) as desk:
        for path in ("/suivi", "/suivi/export"):
            page = await desk.guest.post(path, **FORM, patient="a-key")
            assert (page.status, "formation n’est pas à jour" in page.words) == (422, True), path


async def test_while_the_ledger_is_behind_nothing_is_shown_and_what_was_typed_stays() -> None:
    reviews = ReviewsDouble(unsealed=True)
    async with reviewing(reviews) as desk:
        for path, form in (("/suivi", FORM), ("/suivi/export", FORM), ("/suivi/patient", PATIENT)):
            page = await desk.guest.post(path, **form)
            assert (page.status, "pas scellé à temps" in page.words) == (422, True), path
            assert f'value="{FORM["du"]}"' in page.text
        for page in (
            await desk.guest.get(f"/suivi/appels/{CALL}"),
            await desk.guest.post(f"/suivi/appels/{CALL}/notes"),
            await desk.guest.post(f"/suivi/appels/{CALL}/pdf"),
        ):
            assert (page.status, "pas scellé à temps" in page.words) == (503, True)
        assert not [one for one in reviews.asked if one[0] != "desk"]


async def test_a_call_is_a_plain_ordered_list_with_how_the_chain_stands() -> None:
    reviews = ReviewsDouble()
    async with reviewing(reviews) as desk:
        page = await desk.guest.get(f"/suivi/appels/{CALL}")
        assert page.text.count("<li data-after=") == len(TIMELINE.moments)
        for words in (
            *("Registre intact", "10:00:30 +0:30", "L’appelant a tapé", "Touches tapées 8", "+1:01:40"),
            *("[nom du cabinet], bonjour.", "ne sont plus chargés ici", "Hors registre", "scénario accueil 0123456789"),
        ):
            assert words in page.words, words
        reviews.timeline = replace(TIMELINE, chain=Chain(2, 1, (UUID(int=2),), "d" * 64))
        page = await desk.guest.get(f"/suivi/appels/{CALL}")
        assert "La chaîne du registre est rompue" in page.words
        assert "Registre intact" not in page.words
        assert page.text.count("<li data-after=") == len(TIMELINE.moments), "nothing is hidden"


async def test_notes_are_shown_once_they_are_asked_for_and_as_text() -> None:
    reviews = ReviewsDouble()
    async with reviewing(reviews) as desk:
        page = await desk.guest.get(f"/suivi/appels/{CALL}")
        assert "jeudi" not in page.text
        assert "notes" not in [what for what, *_ in reviews.asked]
        read = await desk.guest.post(f"/suivi/appels/{CALL}/notes")
        assert "Rappeler &lt;b&gt;jeudi&lt;/b&gt;" in read.text
        assert read.headers["Cache-Control"] == "no-store"
        reviews.noted = ()
        assert "Aucune note" in (await desk.guest.post(f"/suivi/appels/{CALL}/notes")).words
        reviews.trained = False
        told = await desk.guest.post(f"/suivi/appels/{CALL}/notes")
        assert "Votre formation n’est pas à jour : rien sur un patient" in told.words
        assert "jeudi" not in told.text
        assert (await desk.guest.get(f"/suivi/appels/{CALL}/notes")).location == "/suivi"
        assert (await desk.guest.send(f"/suivi/appels/{CALL}/notes", {"preuve": "x"})).status == 403


async def test_files_are_sent_as_files_and_kept_by_nobody() -> None:
    reviews = ReviewsDouble()
    async with reviewing(reviews) as desk:
        await desk.guest.get(f"/suivi/appels/{CALL}")
        made = await desk.guest.post(f"/suivi/appels/{CALL}/pdf")
        assert made.text.startswith("%PDF-")
        assert made.headers["Content-Type"] == "application/pdf"
        assert made.headers["Content-Disposition"] == f'attachment; filename="appel-{CALL}.pdf"'
        assert made.headers["Cache-Control"] == "no-store"
        listed = await desk.guest.post("/suivi/export", **FORM, apres="a-cursor")
        assert listed.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert reviews.asked[-1][1].after == "", "a file begins at the beginning"
        assert (await desk.guest.get("/suivi/export")).location == "/suivi"
        forged = await desk.guest.send(f"/suivi/appels/{CALL}/pdf", {"preuve": "x"})
        assert forged.status == 403


async def test_from_a_call_an_incident_is_declared_that_knows_it_by_whoever_may_declare_one() -> None:
    door = f'href="/incidents/nouveau?appel={CALL}&amp;cabinet={PRACTICE}"'
    for role, there in {"supervisor": True, "administrator": True, "practitioner": False}.items():
        async with reviewing(ReviewsDouble()) as desk:
            await desk.signed_in(roles=frozenset({role}))
            assert (door in (await desk.guest.get(f"/suivi/appels/{CALL}")).text) is there, role


def test_the_words_of_the_ledger_stand_in_the_template_that_gettext_reads() -> None:
    """All of them and no others, so that none is shown in French alone."""
    text = Path("callcenter/console/templates/review_words.html").read_text(encoding="utf-8")
    assert set(re.findall(r'^  "(.*)": _\("(.*)"\),$', text, re.MULTILINE)) == {(word, word) for word in words.OURS}


def test_every_category_of_the_policy_has_a_word_in_the_template_that_gettext_reads() -> None:
    named = {set_in_french(rule.name) for rule in load_policy("config/disclosure-policy.yaml").rules.values()}
    text = Path("callcenter/console/templates/category_words.html").read_text(encoding="utf-8")
    assert set(re.findall(r'^  "(.*)": _\("(.*)"\),$', text, re.MULTILINE)) == {(name, name) for name in named}


async def test_categories_of_a_record_are_named_in_the_language_of_the_page() -> None:
    written = "D02 (existence d’un rendez-vous), D13 (traitement, diagnostic, avis médical), D00 (nos <mots>)"
    facts = (Fact("categories", written), Fact("step", "ancienne et nouvelle date"))
    reviews = ReviewsDouble(timeline=replace(TIMELINE, moments=(replace(TIMELINE.moments[0], facts=facts),)))
    async with reviewing(reviews) as desk:
        path, english = f"/suivi/appels/{CALL}", {"Accept-Language": "en"}
        french = (await desk.guest.get(path)).text
        told = (await desk.guest.get(path, headers=english)).text
    own = "D00 (nos &lt;mots&gt;)"
    assert f"D02 (existence d’un rendez-vous), D13 (traitement, diagnostic, avis médical), {own}" in french
    assert f"D02 (that there is an appointment), D13 (treatment, diagnosis, medical advice), {own}" in told
    assert "<dd>old and new date</dd>" in told


def test_categories_and_versions_of_the_policy_stand_on_a_page_and_numbers_of_people_do_not() -> None:
    policy = load_policy("config/disclosure-policy.yaml")
    for shown in (*(category.value for category in Category), policy.version):
        assert words.plain(shown) == shown
    for hidden in ("+33639980001", "0639980001", "14/03/1962", "14031962", "1962-03-14", "2011-12-13", "Jeanne Martin"):
        assert words.plain(hidden) == words.HIDDEN
    assert words.plain("code", "question") != words.plain("code", "reason")
