"""The pages of messages: what is opened, by what, and that lists hold nothing of what was said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.console.inbox_ports import Act, Answer, As, Due, Heard, Named, Why
from tests.unit.console.doubles import ALICE, Desk, open_desk
from tests.unit.console.guest import Answer as Page
from tests.unit.console.inboxes import LINE, MESSAGE, PRACTICE, SINCE, TILLEULS

ADDRESS = f"/messages/{PRACTICE}/{MESSAGE}"
NOBODYS = f"/messages/{PRACTICE}/{PRACTICE}"


async def _opened(desk: Desk, **fields: str) -> Page:
    await desk.signed_in(confirmed=True)
    await desk.guest.get("/messages")
    return await desk.guest.post(ADDRESS, **fields)


async def test_a_list_shows_that_there_are_messages_and_no_more() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        page = await desk.guest.get("/messages")
        assert page.status == 200
        assert "Renouvellement d’ordonnance" in page.words
        assert "pour Dr Claire Moreau" in page.words
        assert "Urgent" in page.words
        assert "pas encore lu" in page.words
        assert "06 39" not in page.text
        assert "Dupont" not in page.text
        assert desk.inboxes.done == []


async def test_a_message_is_opened_by_a_form_and_shows_what_it_says_as_text() -> None:
    async with open_desk() as desk:
        page = await _opened(desk)
        assert page.status == 200
        assert desk.inboxes.done == [("open", None)]
        assert "06 39 98 00 01" in page.words
        assert "Mme Dupont <script>alert(1)</script> demande" in page.words
        assert "<script>alert" not in page.text
        assert "anglais" in page.words
        assert "service de relais" in page.words
        assert page.headers["Cache-Control"] == "no-store"
        assert "<title>Message – callcenter</title>" in page.text


async def test_an_address_alone_opens_nothing() -> None:
    async with open_desk() as desk:
        await desk.signed_in(confirmed=True)
        page = await desk.guest.get(ADDRESS)
        assert page.status == 200
        assert "Lire le message" in page.words
        assert "06 39" not in page.text
        assert desk.inboxes.done == []


async def test_a_second_factor_is_asked_for_first_and_leads_back() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/messages")
        answer = await desk.guest.post(ADDRESS)
        assert answer.status == 303
        assert answer.location == f"/confirmation?suite={ADDRESS.replace('/', '%2F')}"
        assert desk.inboxes.done == []


async def test_what_is_not_ones_own_is_not_there() -> None:
    async with open_desk() as desk:
        await desk.signed_in(confirmed=True)
        await desk.guest.get("/messages")
        answers = [
            await desk.guest.get(NOBODYS),
            await desk.guest.get(NOBODYS + "/son"),
            await desk.guest.post(NOBODYS),
            await desk.guest.post(NOBODYS + "/reponse", reponse="call_back", echeance="hour"),
            await desk.guest.post(NOBODYS + "/suite/prendre"),
            await desk.guest.get("/messages/no-identifier"),
            await desk.guest.get(f"/messages/{MESSAGE}"),
            await desk.guest.post(f"{ADDRESS}/suite/effacer"),
        ]
        assert [answer.status for answer in answers] == [404] * 8


async def test_the_page_of_a_spoken_message_plays_our_sound_and_opens_no_microphone() -> None:
    async with open_desk() as desk:
        page = await _opened(desk)
        assert f'src="{ADDRESS}/son"' in page.text
        assert "media-src 'self'" in page.headers["Content-Security-Policy"]
        assert "microphone=()" in page.headers["Permissions-Policy"]
        sound = await desk.guest.get(ADDRESS + "/son")
        assert (sound.status, sound.headers["Content-Type"], sound.text) == (200, "audio/wav", "RIFF sound")
        assert sound.headers["Cache-Control"] == "no-store"
        listed = await desk.guest.get("/messages")
        assert "media-src" not in listed.headers["Content-Security-Policy"]


@pytest.mark.parametrize("why", Heard)
async def test_a_sound_that_is_not_given_is_refused(why: Heard) -> None:
    async with open_desk() as desk:
        await desk.signed_in(confirmed=True)
        desk.inboxes.heard = why
        assert (await desk.guest.get(ADDRESS + "/son")).status == 403


@pytest.mark.parametrize(
    ("state", "words"), [("waiting", "pas encore arrivé"), ("lost", "n’a pas pu être reçu"), ("erased", "a été effacé")]
)
async def test_a_sound_that_is_not_there_says_so(state: str, words: str) -> None:
    async with open_desk() as desk:
        assert desk.inboxes.voice is not None
        desk.inboxes.voice = replace(desk.inboxes.voice, state=state)
        page = await _opened(desk)
        assert words in page.words
        assert "<audio" not in page.text


async def test_it_is_answered() -> None:
    async with open_desk() as desk:
        await _opened(desk)
        answer = await desk.guest.post(
            ADDRESS + "/reponse", reponse="ready", precision=" à l’accueil ", echeance="half_day"
        )
        assert (answer.status, answer.location) == (303, "/messages?fait=repondu")
        assert desk.inboxes.done[1:] == [(Answer.READY, "à l’accueil", Due.HALF_DAY)]
        assert "Votre réponse est enregistrée" in (await desk.guest.follow(answer)).words


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"precision": "à jeun"}, "Choisissez une réponse."),
        ({"reponse": "other"}, "Écrivez la réponse."),
        ({"reponse": "call_back", "precision": "x" * 1001}, "raccourcissez-la"),
    ],
)
async def test_an_answer_that_lacks_something_keeps_what_was_typed(fields: dict[str, str], problem: str) -> None:
    async with open_desk() as desk:
        await _opened(desk)
        page = await desk.guest.post(ADDRESS + "/reponse", **{"echeance": "day", **fields})
        assert page.status == 422
        assert problem in page.words
        assert fields.get("precision", "") in page.words
        assert '<option value="day" selected>' in page.text
        assert desk.inboxes.done == [("open", None)]


async def test_an_answer_that_comes_too_late_says_so_and_keeps_what_was_typed() -> None:
    async with open_desk() as desk:
        await _opened(desk)
        desk.inboxes.works = False
        page = await desk.guest.post(ADDRESS + "/reponse", reponse="other", precision="à jeun", echeance="day")
        assert page.status == 422
        assert "votre réponse n’est pas partie" in page.words
        assert "à jeun" in page.words


TYPED = "</textarea><b>à jeun & demain</b>"
AGAIN = "readonly>&lt;/textarea&gt;&lt;b&gt;à jeun &amp; demain&lt;/b&gt;</textarea>"


async def test_what_was_typed_about_a_message_that_was_dealt_with_meanwhile_is_shown_again() -> None:
    async with open_desk() as desk:
        await _opened(desk)
        desk.inboxes.answered = True
        page = await desk.guest.post(ADDRESS + "/reponse", reponse="other", precision=TYPED, echeance="day")
        assert page.status == 422
        assert "votre réponse n’est pas partie" in page.words
        assert AGAIN in page.text
        assert "Envoyer la réponse" not in page.words


async def test_an_answer_over_an_hour_after_the_opening_is_shown_again_beside_the_way_to_open_it() -> None:
    async with open_desk() as desk:
        await _opened(desk)
        desk.inboxes.opened_long_ago = True
        page = await desk.guest.post(ADDRESS + "/reponse", reponse="other", precision=TYPED, echeance="day")
        assert page.status == 422
        assert "ouvert il y a plus d’une heure : votre réponse n’est pas partie" in page.words
        assert AGAIN in page.text
        assert f'<form class="card" method="post" action="{ADDRESS}">' in page.text
        assert "Envoyer la réponse" not in page.words
        assert desk.inboxes.done == [("open", None)]


@pytest.mark.parametrize("fields", [{"reponse": "delete"}, {"reponse": "call_back", "echeance": "never"}])
async def test_an_answer_that_no_page_offers_is_no_form_of_ours(fields: dict[str, str]) -> None:
    async with open_desk() as desk:
        await _opened(desk)
        page = await desk.guest.post(ADDRESS + "/reponse", **{"echeance": "day", **fields})
        assert page.status == 400


async def test_a_supervisor_gives_a_reason() -> None:
    async with open_desk() as desk:
        desk.inboxes.ways = frozenset({As.SUPERVISOR})
        await desk.signed_in(confirmed=True)
        page = await desk.guest.get(ADDRESS)
        assert "Sa lecture demande un motif" in page.words
        none = await desk.guest.post(ADDRESS, motif="")
        assert none.status == 422
        assert "Choisissez le motif" in none.words
        assert (await desk.guest.post(ADDRESS, motif="curiosity")).status == 400
        assert desk.inboxes.done == []
        assert "Dupont" in (await desk.guest.post(ADDRESS, motif="absence")).words
        assert desk.inboxes.done == [("open", Why.ABSENCE)]


async def test_what_is_to_be_done_is_taken_given_back_and_finished() -> None:
    async with open_desk() as desk:
        due = replace(LINE, due_at=SINCE, answer=Answer.CALL_BACK, handled_at=SINCE)
        desk.inboxes.overviewed = replace(desk.inboxes.overviewed, reads=False, to_do=(due,))
        await desk.signed_in(confirmed=True)
        listed = await desk.guest.get("/messages")
        assert "en retard" in listed.words
        assert "Pour moi" not in listed.words
        page = await desk.guest.post(ADDRESS + "/suite/prendre")
        assert "06 39 98 00 01" in page.words
        assert "Vous vous en occupez" in page.words
        assert "Répondre" not in page.words
        done = await desk.guest.post(ADDRESS + "/suite/terminer")
        assert done.location == "/messages?fait=terminer"
        assert (await desk.guest.post(ADDRESS + "/suite/rendre")).location == "/messages?fait=rendre"
        assert desk.inboxes.done == [Act.TAKE, Act.FINISH, Act.GIVE_BACK]


@pytest.mark.parametrize(("act", "words"), [("prendre", "Quelqu’un d’autre"), ("terminer", "Vous ne vous en occupez")])
async def test_what_somebody_else_does_is_theirs(act: str, words: str) -> None:
    async with open_desk() as desk:
        desk.inboxes.works = False
        await desk.signed_in(confirmed=True)
        await desk.guest.get("/messages")
        page = await desk.guest.post(f"{ADDRESS}/suite/{act}")
        assert page.status == 422
        assert words in page.words
        assert "06 39" not in page.text


async def test_a_number_is_shown_to_whoever_has_given_a_second_factor_just_now() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/messages")
        sent = await desk.guest.post(ADDRESS + "/suite/prendre")
        assert sent.location.startswith("/confirmation?suite=%2Fmessages%2F")
        assert desk.inboxes.done == []


async def test_who_has_taken_enough_for_this_hour_is_told_so() -> None:
    async with open_desk() as desk:
        desk.inboxes.takes_bound = True
        await desk.signed_in(confirmed=True)
        await desk.guest.get("/messages")
        page = await desk.guest.post(ADDRESS + "/suite/prendre")
        assert (page.status, "permises en une heure" in page.words) == (422, True)
        assert "06 39" not in page.text


async def test_whoever_answers_for_many_chooses_a_practice() -> None:
    async with open_desk() as desk:
        practices = (TILLEULS, Named(MESSAGE, "Maison de santé du Port"))
        desk.inboxes.overviewed = replace(desk.inboxes.overviewed, practices=practices, waiting=())
        await desk.signed_in()
        assert f'href="/messages/{PRACTICE}"' in (await desk.guest.get("/messages")).text
        desk.inboxes.overviewed = replace(desk.inboxes.overviewed, chosen=TILLEULS)
        assert "Aucun message n’attend." in (await desk.guest.get(f"/messages/{PRACTICE}")).words


async def test_whoever_has_nothing_to_do_with_messages_reads_why() -> None:
    async with open_desk() as desk:
        desk.inboxes.overviewed = replace(desk.inboxes.overviewed, reads=False, works=False)
        desk.staff.account = replace(ALICE, roles=frozenset())
        await desk.signed_in()
        page = await desk.guest.get("/messages")
        assert "votre compte n’est relié à aucun praticien" in page.words
        assert 'href="/messages"' not in page.text  # its session has no role
    async with open_desk() as desk:
        desk.staff.account = replace(ALICE, roles=frozenset({"practitioner"}))
        await desk.signed_in()
        assert 'href="/messages" aria-current="page"' in (await desk.guest.get("/messages")).text


async def test_what_became_of_a_document_is_told_in_words_with_who_and_when() -> None:
    async with open_desk() as desk:
        at = SINCE + timedelta(hours=1)
        ready, refused = [
            replace(LINE, own=True, handled_at=at, handled_by="Dr M. <b>", answer=answer, read_at=at)
            for answer in (Answer.READY, Answer.REFUSED)
        ]
        read = replace(LINE, read_at=at, read_by="Praticien")
        desk.inboxes.overviewed = replace(desk.inboxes.overviewed, for_me=(), waiting=(LINE, read, ready, refused))
        await desk.signed_in()
        words = " ".join((await desk.guest.get("/messages")).words.split())
        assert "demandé, pas encore lu" in words
        assert "lu le 26 novembre 2026 à 11 h 00 par Praticien" in words
        assert "prêt depuis le 26 novembre 2026 à 11 h 00 par Dr M. <b> · écrit par vous" in words
        assert "refusé le 26 novembre 2026 à 11 h 00 par Dr M. <b>" in words
        assert "Aucun message ne vous attend." in words
