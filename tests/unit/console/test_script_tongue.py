"""A script on an English page: what addresses its operator is English, what is read to the caller says it is French."""

from __future__ import annotations

import pytest

from callcenter.app.script_words import worded
from callcenter.console.script_ports import FileItem, Files
from callcenter.console.script_ports import Option as Shown
from callcenter.flow.conversation import Line
from callcenter.flow.load import load_flow
from callcenter.flow.screens import Choice, Option
from tests.unit.console.doubles import open_desk
from tests.unit.console.test_script import in_talk
from tests.unit.flow.script_doubles import BOOK, PUBLIC, ROOT, Script

ENGLISH = {"en": {"Message": "A <message>", "Notez le message.": "Note the message."}}


async def page(language: str, step: str, **how: object) -> str:
    async with open_desk() as desk:
        await in_talk(desk)
        desk.script.stands(step, worded=ENGLISH, **how)
        return (await desk.guest.get("/poste", headers={"Accept-Language": language})).text


async def test_what_addresses_the_operator_is_in_their_language_and_the_rest_says_that_it_is_french() -> None:
    text = await page("en", "reason", said=("Notez le message.", "À dire : « Bonjour <b> »"))
    assert "<p>Note the message.</p>" in text
    assert '<p lang="fr">À dire\u00a0: «\u00a0Bonjour &lt;b&gt;\u00a0»</p>' in text
    assert "A &lt;message&gt;</button>" in text
    assert '<span lang="fr">Rendez-vous</span></button>' in text


async def test_a_french_page_says_what_the_script_says() -> None:
    text = await page("fr", "reason", said=("Notez le message.",))
    assert "<p>Notez le message.</p>" in text
    assert 'lang="fr"' not in text.replace('<html lang="fr">', "")


@pytest.mark.parametrize("step", ["message", "files", "dispose"])
async def test_labels_options_and_items_say_that_they_are_french(step: str) -> None:
    labels = {"message": "Numéro de rappel", "files": "Jour et heure", "dispose": "Issue de l’appel"}
    assert f'<span lang="fr">{labels[step]}</span>' in await page("en", step)


async def test_words_of_a_prompt_are_set_as_french_is() -> None:
    text = await page("fr", "reason", said=("À dire : « C'est l'usage ? »",))
    assert "<p>À dire\u00a0: «\u00a0C’est l’usage\u202f?\u00a0»</p>" in text
    assert '<p lang="fr">C’est dit.</p>' in await page("en", "reason", said=("C'est dit.",))


@pytest.mark.parametrize(
    ("label", "french", "english"),
    [
        ("Quand", " date et heure du rendez-vous", " date and time of the appointment"),
        ("Date et heure du rendez-vous", "", ""),  # said by the label
    ],
)
async def test_a_category_is_named_in_the_language_of_the_page_where_the_label_does_not_say_it(
    label: str, french: str, english: str
) -> None:
    item = FileItem("reveal:x", "x", label, "D03", "date et heure du rendez-vous", False)
    for language, name in (("fr", french), ("en", english)):
        text = await page(language, "files", ask=Files((item,), (Shown("then", "Suite"),)))
        assert f'<span class="category"><code>D03</code>{name}</span>' in text


async def test_the_shipped_script_has_english_words_for_all_but_what_is_said_and_what_is_written() -> None:
    script = Script(load_flow(ROOT / "flows/operateur.yaml", BOOK))
    await script.begin()
    english = worded(BOOK, script.screen, "en")
    assert english["Que souhaite la personne ?"] == "What does the person want?"
    assert english["Vérifier l'identité"] == "Verify the identity"
    assert PUBLIC["practice.instructions"] not in english
    await script.pick("7", "1")
    assert not [words for words in worded(BOOK, script.screen, "en") if "«" in words]
    await script.pick("0")
    english = worded(BOOK, script.screen, "en")
    assert english["Rendez-vous pris"] == "Appointment booked"
    await script.fill()
    assert english.items() <= worded(BOOK, script.screen, "en").items()
    assert "Choisissez ce que l'appel est devenu." in worded(BOOK, script.screen, "en")


def test_what_somebody_has_written_is_in_no_other_language_although_it_reads_like_words_of_ours() -> None:
    screen = Choice(
        (Line("name", "Oui"), Line("practice.instructions", "Non")), (Option("1", Line("script.yes", "Oui")),)
    )
    assert worded(BOOK, screen, "en") == {"Oui": "Yes"}
