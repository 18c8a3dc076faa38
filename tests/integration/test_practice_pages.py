"""The pages of a practice's settings on the database: what is typed is what holds, on record, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from callcenter.console.setting_addresses import setting_path
from callcenter.kernel.clock import DrivenClock
from callcenter.practice.facts import Arrival
from callcenter.practice.practice_form import Setting
from callcenter.practice.values import BreakGlass
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.consoles import BY
from tests.integration.practice_office import (
    BENALI,
    MAIN,
    MOREAU,
    PORT,
    TILLEULS,
    Office,
    fields_of,
    opened_office,
    setting,
)


@pytest.fixture
async def office(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Office]:
    async with opened_office(database, sealer, clock) as office:
        yield office


@pytest.fixture
async def supervised(office: Office) -> Office:
    """A supervisor of the Tilleuls is signed in."""
    await office.staff("superviseur1", Role.SUPERVISOR, TILLEULS)
    return office


async def test_a_practice_is_found_looked_at_and_changed(supervised: Office) -> None:
    office, guest = supervised, supervised.guest
    listed = await guest.get("/cabinets")
    assert "Cabinet des Tilleuls" in listed.words
    assert "Maison de santé du Port" not in listed.words
    assert "Aucun cabinet ne porte ce nom" in (await guest.post("/cabinets", recherche="port")).words
    assert "Cabinet des Tilleuls" in (await guest.post("/cabinets", recherche="TILLEÛLS")).words
    page = await guest.get(f"/cabinets/{TILLEULS}")
    assert page.status == 200, page.words
    assert "lundi : 08:30-12:00, 14:00-18:30" in page.words
    assert "Claire Moreau : Visites à domicile" in page.words
    assert "65 71 00 61" not in page.words, "a practitioner's line is shown"
    fields = await office.form(setting(TILLEULS, "adresse"))
    assert fields["valeur"] == "12 rue des Tilleuls, 69003 Lyon"
    sent = await guest.send(
        setting(TILLEULS, "adresse"), {**fields, "valeur": "14  rue des Acacias", "note": "déménagement"}
    )
    assert sent.location == f"/cabinets/{TILLEULS}?fait=enregistre", sent.words
    assert (await office.facts()).address == "14 rue des Acacias"
    (record,) = await office.records()
    account = office.accounts["superviseur1"]
    assert (record["event"], record["actor"]) == ("settings.changed", {"kind": "staff", "id": str(account.id)})
    assert record["refs"] == [f"setting:address:{(await office.facts()).revision}"]
    history = await guest.get(f"/cabinets/{TILLEULS}/historique")
    assert "par Télésecrétaire 1 le" in history.words
    assert "« déménagement »" in history.words
    assert "Avant : 12 rue des Tilleuls, 69003 Lyon" in history.words
    assert "Après : 14 rue des Acacias" in history.words


async def test_every_form_sent_untouched_changes_nothing(supervised: Office) -> None:
    """What a form is filled with is what it is read back to: for each setting, as kept and as typed."""
    before = (await supervised.facts()).revision
    # Whoever breaks the glass does not say that it may be: for a supervisor, there is no such form.
    assert (await supervised.guest.get(setting(TILLEULS, setting_path(Setting.BREAK_GLASS)))).status == 404
    for one in (one for one in Setting if one is not Setting.BREAK_GLASS):
        path = setting(TILLEULS, setting_path(one))
        fields = await supervised.form(path)
        if one.passing:
            fields |= {"fin": "sans"}
        again = await supervised.guest.send(path, fields)
        expected = "jusqu’à quand il est dit" if one.passing else "C’est déjà ainsi"
        assert expected in again.words, f"{one}: {again.words[:400]}"
    assert (await supervised.facts()).revision == before


async def test_a_message_of_the_day_is_said_until_tonight(supervised: Office) -> None:
    office, path = supervised, setting(TILLEULS, "message-du-jour")
    fields = await office.form(path)
    assert fields["fin"] == "ce-soir"
    await office.guest.send(path, {**fields, "valeur": "Le docteur Moreau a\n45 minutes de retard."})
    facts = await office.facts()
    assert facts.message_of_the_day == "Le docteur Moreau a 45 minutes de retard."
    tonight = office.console.clock.now().astimezone(facts.timezone).replace(hour=23, minute=59)
    assert (await office.facts(at=tonight)).message_of_the_day
    assert not (await office.facts(at=tonight + timedelta(minutes=1))).message_of_the_day
    fields = await office.form(path)
    await office.guest.send(path, {**fields, "valeur": "Mme Durand est attendue."})
    assert "Cela ressemble au nom d’une personne." in (await office.guest.get(f"/cabinets/{TILLEULS}")).words


async def test_hours_are_typed_as_people_type_them_and_a_mistake_loses_nothing(supervised: Office) -> None:
    office, path = supervised, setting(TILLEULS, "horaires")
    fields = await office.form(path)
    typed = {**fields, "mardi-0-de": "9h", "mardi-0-a": "12h30", "jeudi-0-de": "15:00", "jeudi-0-a": "12:00"}
    refused = await office.guest.send(path, {**typed, "note": "essai"})
    assert refused.status == 422
    assert "Les plages d’un jour se suivent sans se chevaucher." in refused.words
    assert 'href="#jeudi-0-de"' in refused.text
    kept = fields_of(refused)
    assert (kept["mardi-0-de"], kept["jeudi-0-de"], kept["note"]) == ("9h", "15:00", "essai")
    more = fields_of(await office.guest.send(path, {**kept, "geste": "ajouter-mardi"}))
    assert (more["mardi-rangs"], more["mardi-0-de"]) == ("3", "9h")
    sent = await office.guest.send(path, {**more, "jeudi-0-a": "18:00", "jeudi-1-de": "", "jeudi-1-a": ""})
    assert sent.status == 303, sent.words
    hours = (await office.facts()).hours
    assert [f"{begins:%H:%M}" for begins, _ in hours[1]] == ["09:00", "14:00"]
    assert len(hours[3]) == 1


async def test_who_answers_when_is_made_of_rows(supervised: Office) -> None:
    office, path = supervised, setting(TILLEULS, "qui-repond-quand")
    fields = await office.form(path)
    one = fields_of(await office.guest.send(path, {**fields, "geste": "ajouter"}))
    two = fields_of(await office.guest.send(path, {**one, "0-repond": "menu", "0-mercredi": "1", "geste": "ajouter"}))
    swapped = fields_of(
        await office.guest.send(path, {**two, "1-repond": "closed", "1-du": "24/12/2026", "geste": "monter-1"})
    )
    assert (swapped["0-repond"], swapped["1-repond"], swapped["1-mercredi"]) == ("closed", "menu", "1")
    refused = await office.guest.send(path, swapped)
    assert "Ce jour n’existe pas" in refused.words
    await office.guest.send(path, {**swapped, "0-du": "2026-12-24", "0-au": "2027-01-02"})
    facts = await office.facts()
    assert [rule.answers.value for rule in facts.reception.rules] == ["closed", "menu"]
    christmas = datetime(2026, 12, 28, 10, tzinfo=facts.timezone)
    assert facts.arrival(MAIN, christmas) is Arrival.CLOSED
    page = await office.guest.get(f"/cabinets/{TILLEULS}")
    assert "du 24/12/2026 au 02/01/2027 : l’annonce de fermeture" in page.words
    assert "mercredi : le menu" in page.words


async def test_whoever_was_overtaken_sees_both_and_overwrites_knowingly(supervised: Office) -> None:
    office, path = supervised, setting(TILLEULS, "fermeture")
    async with office.console.another() as other:
        await office.staff("superviseur2", Role.SUPERVISOR, TILLEULS, guest=other)
        mine, theirs = await office.form(path), await office.form(path, other)
        await other.send(path, {**theirs, "valeur": "Rappelez demain."})
        clash = await office.guest.send(path, {**mine, "valeur": "Le docteur Vasseur vous reçoit."})
    assert clash.status == 422
    assert "Quelqu’un d’autre l’a changé entre-temps" in clash.words
    assert "Enregistré maintenant Rappelez demain." in clash.words
    assert "Votre version Le docteur Vasseur vous reçoit." in clash.words
    assert (await office.facts()).closing_conduct == "Rappelez demain."
    await office.guest.send(path, fields_of(clash))
    assert (await office.facts()).closing_conduct == "Le docteur Vasseur vous reçoit."


async def test_what_is_planned_shows_and_can_be_withdrawn(supervised: Office) -> None:
    office, path = supervised, setting(TILLEULS, "facon-de-repondre")
    fields = await office.form(path)
    await office.guest.send(path, {**fields, "valeur": "direct", "debut": "date", "debut-jour": "2026-12-07"})
    page = await office.guest.get(f"/cabinets/{TILLEULS}")
    assert "À venir Façon de répondre, à partir du 7 décembre 2026 à 0 h 00" in page.words
    revision = (await office.facts()).revision
    gone = await office.guest.post(f"{path}/retrait", version=str(revision))
    assert gone.location.endswith("?fait=retire")
    assert "À venir" not in (await office.guest.get(f"/cabinets/{TILLEULS}")).words
    again = await office.guest.post(f"{path}/retrait", version=str(revision))
    assert "Cette version a déjà été retirée." in again.words
    assert f"retirée par la version {revision + 1}" in again.words


async def test_what_holds_for_a_while_is_told_with_what_follows_it(supervised: Office) -> None:
    """It stood as if it were the rule: this afternoon's closing conduct, and one does not see what it hides."""
    office, path = supervised, setting(TILLEULS, "fermeture")
    fields, usual = await office.form(path), (await office.facts()).closing_conduct
    await office.guest.send(path, {**fields, "valeur": "Rappelez demain.", "fin": "ce-soir"})
    page, form = await office.guest.get(f"/cabinets/{TILLEULS}"), await office.guest.get(path)
    until = "jusqu’au 27 novembre 2026 à 0 h 00"
    assert f"{until.capitalize()} : Rappelez demain. Ensuite : {usual}" in page.words
    assert f"La valeur du moment vaut {until}. Ensuite : {usual}" in form.words
    await office.guest.send(path, {**await office.form(path), "fin": "sans"})
    assert "Ensuite" not in (await office.guest.get(f"/cabinets/{TILLEULS}")).words
    tomorrow = await office.facts(at=office.console.clock.now() + timedelta(days=1))
    assert tomorrow.closing_conduct == "Rappelez demain."


async def test_what_is_planned_is_told_beside_what_stands_just_before(supervised: Office) -> None:
    office, path = supervised, setting(TILLEULS, "adresse")
    fields = await office.form(path)
    await office.guest.send(path, {**fields, "valeur": "14 rue des Acacias", "fin": "ce-soir"})
    fields = await office.form(path)
    planned = {**fields, "valeur": "16 rue des Acacias", "debut": "date", "debut-jour": "2026-12-07", "fin": "sans"}
    await office.guest.send(path, planned)
    page = await office.guest.get(f"/cabinets/{TILLEULS}")
    assert "Avant : 12 rue des Tilleuls, 69003 Lyon Après : 16 rue des Acacias" in page.words


async def test_callers_words_are_those_of_the_flow_now_later_and_before_saving(supervised: Office) -> None:
    office, preview = supervised, f"/cabinets/{TILLEULS}/apercu"
    now = await office.guest.get(preview)
    assert "le menu" in now.words
    assert "Bonjour, Cabinet des Tilleuls" in now.words or "Cabinet des Tilleuls" in now.words
    night = await office.guest.post(preview, jour="2026-12-24", heure="23:30")
    assert "l’annonce de fermeture" in night.words
    assert "le docteur Paul Vasseur, au 8 rue des Acacias" in night.words
    path = setting(TILLEULS, "message-du-jour")
    fields = await office.form(path)
    tried = await office.guest.send(path, {**fields, "valeur": "Retard de 20 minutes.", "geste": "apercu"})
    assert "Aperçu : rien n’est enregistré" in tried.words
    assert "Retard de 20 minutes." in tried.words
    assert fields_of(tried)["valeur"] == "Retard de 20 minutes."
    assert not (await office.facts()).message_of_the_day
    professionals = await office.guest.post(preview, **{"numero-appele": "+33465710002"})
    assert "professionnels de santé" in professionals.words


async def test_what_is_tried_until_tonight_opens_again_tomorrow(supervised: Office) -> None:
    path = setting(TILLEULS, "horaires")
    fields = await supervised.form(path)
    closed = {name: "" if name.endswith(("-de", "-a")) else typed for name, typed in fields.items()}
    tried = await supervised.guest.send(path, {**closed, "fin": "ce-soir", "geste": "apercu"})
    assert "Le cabinet est fermé. Prochaine ouverture : vendredi 27 novembre, 8 heures 30" in tried.words
    tried = await supervised.guest.send(path, {**closed, "fin": "sans", "geste": "apercu"})
    assert "Prochaine ouverture : pas encore fixée" in tried.words


async def test_the_sound_of_a_preview_plays_for_minutes_on_its_page_alone(supervised: Office) -> None:
    office = supervised
    page = await office.guest.get(f"/cabinets/{TILLEULS}/apercu")
    assert "media-src 'self'" in page.headers["Content-Security-Policy"]
    assert "microphone=()" in page.headers["Permissions-Policy"]
    found = re.search(r'<audio [^>]*src="([^"]+)"', page.text)
    assert found, "no sound"
    assert "Tilleuls" not in found[1]
    url = office.guest.address + found[1]
    cookies = "; ".join(f"{name}={value}" for name, value in office.guest.cookies.items())
    headers = {"Host": office.guest.origin.partition("//")[2], "Cookie": cookies}
    async with office.guest.session.get(url, headers=headers) as sound:
        body = await sound.read()
    assert (sound.status, sound.content_type, body[:4]) == (200, "audio/wav", b"RIFF")
    assert sound.headers["Cache-Control"] == "no-store"
    assert (await office.guest.get(found[1].replace(str(TILLEULS), str(PORT)))).status == 404
    office.console.clock.advance(301)
    assert (await office.guest.get(found[1])).status == 404


async def test_instructions_are_written_for_the_practice_and_for_its_practitioners(supervised: Office) -> None:
    office, path = supervised, setting(TILLEULS, "consignes")
    fields = await office.form(path)
    await office.guest.send(
        path, {**fields, "valeur": "Un message.\r\nJamais d’avis.", f"pour-{BENALI.hex}": "Ne jamais dire le motif."}
    )
    told = (await office.facts()).instructions
    assert told.practice == "Un message.\nJamais d’avis."
    assert told.practitioners["Nadia Benali"] == "Ne jamais dire le motif."
    assert (await office.facts()).instructions_revision == (await office.facts()).revision


async def test_a_practitioners_mark_goes_only_when_it_is_said_to(supervised: Office) -> None:
    office, path = supervised, f"/cabinets/{TILLEULS}/praticiens/{BENALI}"
    fields = await office.form(path)
    assert fields["sensible"] == "1"
    without = {name: text for name, text in fields.items() if name != "sensible"}
    refused = await office.guest.send(path, without)
    assert "Confirmez que la mention « sensible » doit disparaître." in refused.words
    assert (await office.guest.send(path, {**without, "sans-mention": "1"})).status == 303
    assert "psychiatrie · non sensible" in (await office.guest.get(f"/cabinets/{TILLEULS}")).words
    (record,) = await office.records()
    assert (record["event"], record["refs"]) == ("practitioner.changed", [f"practitioner:{BENALI}"])


async def test_a_practitioners_line_is_none_that_we_answer_and_is_never_shown(supervised: Office) -> None:
    office, path = supervised, f"/cabinets/{TILLEULS}/praticiens/{MOREAU}"
    fields = await office.form(path)
    assert fields["ligne"] == ""
    assert "Une ligne d’un praticien" not in (await office.guest.get(path)).words
    refused = await office.guest.send(path, {**fields, "ligne": "04 65 71 00 01"})
    assert "La ligne d’un praticien est un numéro auquel nous répondons." in refused.words
    surtaxed = await office.guest.send(path, {**fields, "ligne": "0899 12 34 56"})
    assert "Numéro surtaxé" in surtaxed.words
    assert (await office.guest.send(path, {**fields, "ligne": "04 65 71 00 62"})).status == 303
    assert "C’est déjà ainsi" in (await office.guest.send(path, {**fields, "ligne": "0465710062"})).words
    assert (await office.guest.send(path, {**fields, "sans-ligne": "1"})).status == 303
    assert "médecine générale · non sensible · pas de ligne" in (await office.guest.get(f"/cabinets/{TILLEULS}")).words


async def test_p5_another_practice_and_none_are_told_in_the_same_words(
    database: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    async with opened_office(database, sealer, clock, port_elsewhere=True) as office:
        await office.staff("superviseur1", Role.SUPERVISOR, TILLEULS)
        said = set()
        for practice in (PORT, UUID(int=99)):
            answer = await office.guest.get(f"/cabinets/{practice}")
            said.add((answer.status, re.sub(r"<code>.*?</code>", "", answer.text)))
        assert [status for status, _ in said] == [404]


async def test_whoever_may_change_nothing_is_told_so(office: Office) -> None:
    await office.staff("operatrice1", Role.OPERATOR, TILLEULS)
    page = await office.guest.get("/cabinets")
    assert "aucun cabinet dont vous puissiez modifier les réglages" in page.words
    assert "Cabinets" not in re.findall(r"<nav.*?</nav>", page.text, re.DOTALL)[0]
    for path in ("/cabinets/x", f"/cabinets/{TILLEULS}/reglages/nimporte-quoi", f"/cabinets/{TILLEULS}/praticiens/x"):
        assert (await office.guest.get(path)).status == 404


async def test_a_practitioner_changes_their_own_practice_and_not_its_numbers(office: Office) -> None:
    await office.staff("praticien1", Role.PRACTITIONER, TILLEULS)
    page = await office.guest.get(f"/cabinets/{TILLEULS}")
    assert "Modifier : Message du jour" in page.words
    assert "Modifier : Numéro de secours" not in page.words
    assert (await office.guest.get(setting(TILLEULS, "numeros"))).status == 404
    for name, value in (("voix", "carrier"), ("bris-de-glace", "on")):
        fields = await office.form(setting(TILLEULS, name))
        assert (await office.guest.send(setting(TILLEULS, name), {**fields, "valeur": value})).status == 303
    assert (await office.facts()).break_glass is BreakGlass.ON


async def test_a_role_that_was_taken_opens_nothing_on_a_page_that_stands(supervised: Office) -> None:
    office, path = supervised, setting(TILLEULS, "fermeture")
    fields = await office.form(path)
    account = office.accounts["superviseur1"]
    (grant,) = await office.console.room.administration.roles(account.id)
    await office.console.room.administration.take(account, grant.role, grant.portfolio, BY)
    assert (await office.guest.send(path, {**fields, "valeur": "Appelez ailleurs."})).status == 404
    assert "Appelez" not in (await office.facts()).closing_conduct


async def test_a_form_that_claims_a_million_rows_has_a_hundred(supervised: Office) -> None:
    for name in ("qui-repond-quand", "numeros"):
        path = setting(TILLEULS, name)
        fields = await supervised.form(path)
        page = await supervised.guest.send(path, {**fields, "rangs": "9" * 9, "geste": "rien"})
        assert page.text.count("<fieldset") < 120, name


async def test_what_is_tried_is_warned_of_before_it_is_saved(supervised: Office) -> None:
    path = setting(TILLEULS, "message-du-jour")
    fields = await supervised.form(path)
    tried = await supervised.guest.send(path, {**fields, "valeur": "Mme Durand est attendue.", "geste": "apercu"})
    assert "Cela ressemble au nom d’une personne." in tried.words


async def test_a_practitioner_is_added_once_under_a_name_that_can_be_compared(supervised: Office) -> None:
    office, path = supervised, f"/cabinets/{TILLEULS}/praticiens"
    fields = {**await office.form(path), "specialite": "pédiatrie", "titre": "Dr", "sensible": "1"}
    for name, why in (
        ("", "Ne peut pas rester vide."),
        ("claire MOREAU", "déjà enregistré"),
        ("李雷", "caractère inconnu"),
    ):
        refused = await office.guest.send(path, {**fields, "nom": name})
        assert why in refused.words, refused.words
        assert fields_of(refused)["specialite"] == "pédiatrie"
    assert (await office.guest.send(path, {**fields, "nom": "Paul Vasseur", "ligne": "04 65 71 00 63"})).status == 303
    page = await office.guest.get(f"/cabinets/{TILLEULS}")
    assert "Dr Paul Vasseur pédiatrie · sensible · une ligne est enregistrée" in page.words
    assert [record["event"] for record in await office.records()] == ["practitioner.changed"]
