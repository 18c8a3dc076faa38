"""The workplace: what it shows of each state, and what its forms do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.console.ports import Stage
from callcenter.console.workplace_ports import Act, Doing, Keypad, Softphone, Third, Waiting, Whom
from tests.unit.console.doubles import open_desk
from tests.unit.console.workplaces import ASKED, CALL, NOW, RING, TALK, TILLEULS

STATES = {
    "idle": ({}, "Le prochain appel sonnera ici."),
    "offline": ({"doing": Doing.OFFLINE, "since": None}, "Hors ligne"),
    "nobody's": ({"answers": False, "doing": Doing.OFFLINE}, "Aucun cabinet ne vous est confié"),
    "waiting": ({"waiting": Waiting(2, NOW - timedelta(seconds=70))}, "2 personnes attendent, au plus depuis 1:10"),
    "one waits": ({"waiting": Waiting(1, NOW)}, "Une personne attend"),
    "ring": ({"doing": Doing.RESERVED, "ring": RING}, f"Un appel pour {TILLEULS} L’appelant attend depuis 1:05"),
    "callback": (
        {"doing": Doing.RESERVED, "ring": replace(RING, callback=True)},
        f"Un rappel à faire pour {TILLEULS} Personne n’est en ligne : nous appelons la personne dès que vous acceptez. "
        "Elle attend ce rappel depuis 1:05 . Proposé à quelqu’un d’autre dans 0:20 . Accepter le rappel Refuser",
    ),
    "professional": (
        {"doing": Doing.RESERVED, "ring": replace(RING, professional=True, language="en")},
        f"Un appel pour {TILLEULS} Ligne des professionnels de santé Langue de l’appelant : anglais L’appelant attend",
    ),
    "elsewhere": (
        {"doing": Doing.RESERVED, "ring": replace(RING, by_telephone=True), "by_telephone": True},
        "Il sonne à votre téléphone",
    ),
    "taken": ({"doing": Doing.RESERVED, "talk": replace(TALK, since=None)}, f"Mise en relation pour {TILLEULS}"),
    "rung back": (
        {"doing": Doing.RESERVED, "talk": replace(TALK, since=None, callback=True)},
        f"Nous appelons la personne pour {TILLEULS}",
    ),
    "talk": ({"doing": Doing.ON_CALL, "talk": TALK}, f"En ligne pour {TILLEULS} Depuis 2:05"),
    "held": ({"doing": Doing.ON_CALL, "talk": replace(TALK, held=True)}, "appelant en attente"),
    "third": (
        {"doing": Doing.ON_CALL, "talk": replace(TALK, held=True, third=Third("Superviseur", there=True))},
        "Superviseur : vous parle, l’appelant n’entend pas",
    ),
    "three": (
        {"doing": Doing.ON_CALL, "talk": replace(TALK, third=Third("Superviseur", there=True))},
        "Superviseur : en conversation à trois",
    ),
    "rung": (
        {"doing": Doing.ON_CALL, "talk": replace(TALK, third=Third("Superviseur", there=False))},
        "Superviseur : sonne…",
    ),
    "asked": (
        {"doing": Doing.RESERVED, "asked": ASKED},
        f"Télésecrétaire 2 vous consulte pour {TILLEULS} Ce n’est pas un nouvel appel : votre collègue vous appelle en "
        "renfort, l’appelant vous entendra. Depuis 0:05 Rejoindre Refuser",
    ),
    "consulted": (
        {"doing": Doing.RESERVED, "asked": replace(ASKED, held=True)},
        "Ce n’est pas un nouvel appel : votre collègue veut vous parler, l’appelant en attente.",
    ),
    "helps": (
        {"doing": Doing.RESERVED, "asked": replace(ASKED, joined=True)},
        f"En conversation avec Télésecrétaire 2 pour {TILLEULS} L’appelant vous entend.",
    ),
    "advises": (
        {"doing": Doing.RESERVED, "asked": replace(ASKED, joined=True, held=True)},
        "L’appelant est en attente : il n’entend ni vous, ni votre collègue. Quitter la conversation n’y met pas fin. "
        "Si votre collègue vous transmet l’appel, il continue ici et devient le vôtre.",
    ),
    "keys": ({"doing": Doing.ON_CALL, "talk": replace(TALK, keypad=Keypad.UNDER_WAY)}, "prouve son identité"),
    "proved": (
        {"doing": Doing.ON_CALL, "talk": replace(TALK, keypad=Keypad.PROVED, level=2)},
        "Identité prouvée par l’appelant (niveau 2)",
    ),
    "nobody moves": (
        {"hand_by": NOW + timedelta(seconds=63)},
        "Toujours là ? Rien n’a bougé devant cette page depuis longtemps. Sans un geste de votre part, votre session "
        "se termine dans 1:03",
    ),
    "wrap-up": (
        {"doing": Doing.WRAP_UP, "wrap_up_until": NOW + timedelta(seconds=12)},
        "un nouvel appel peut venir dans 0:12",
    ),
}


@pytest.mark.parametrize("state", STATES)
async def test_each_state_is_shown_as_it_is_by_the_page_and_by_its_part(state: str) -> None:
    how, words = STATES[state]
    async with open_desk() as desk:
        await desk.signed_in()
        desk.workplaces.stands(**how)
        page, part = await desk.guest.get("/poste"), await desk.guest.get("/poste/etat")
        assert (page.status, part.status) == (200, 200)
        assert words in page.words
        assert words in part.words
        assert "<html" not in part.text
        assert "<title>" not in part.text


@pytest.mark.parametrize("joined", [False, True])
async def test_whoever_is_consulted_is_offered_no_call(joined: bool) -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        desk.workplaces.stands(doing=Doing.RESERVED, asked=replace(ASKED, joined=joined))
        page = await desk.guest.get("/poste")
        assert "Appel proposé" not in page.words
        assert ("En consultation" if joined else "Consultation demandée") in page.words


async def test_title_and_address_tell_nothing_of_practices() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        desk.workplaces.stands(ring=RING, doing=Doing.RESERVED)
        page = await desk.guest.get("/poste")
        (title,) = re.findall(r"<title>(.*?)</title>", page.text)
        assert title == "Mon poste – callcenter"


BUTTONS = {
    Act.HOLD: "Mettre en attente",
    Act.RESUME: "Reprendre l’appelant",
    Act.CONSULT: "Consulter, l’appelant en attente",
    Act.CONSULT_HEARD: "Appeler en renfort, à trois",
    Act.END_CONSULTATION: "Finir la consultation",
    Act.TOGETHER: "Parler à trois",
    Act.HAND_OVER: "Transmettre l’appel",
    Act.SEND: "Envoyer l’appel sans présenter",
    Act.KEYPAD: "Vérifier au clavier",
    Act.HANG_UP: "Raccrocher",
}


@pytest.mark.parametrize("act", BUTTONS)
async def test_a_button_is_there_when_its_act_is_possible_and_not_otherwise(act: Act) -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        whom = (Whom("0" * 32, "Télésecrétaire 2"),)
        for acts in (frozenset({act}), frozenset(BUTTONS) - {act}):
            desk.workplaces.stands(doing=Doing.ON_CALL, talk=replace(TALK, acts=acts), colleagues=whom)
            page = await desk.guest.get("/poste/etat")
            assert (f"/poste/appels/{CALL}/{act.value}" in page.text) is (act in acts)
            assert (BUTTONS[act] in page.words) is (act in acts)


async def test_a_caller_is_sent_to_a_line_too_and_it_is_said_what_they_hear_and_what_follows() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        lines, talk = (Whom("ligne", "Ligne directe du cabinet"),), replace(TALK, acts=frozenset({Act.SEND}))
        said = "l’appelant l’entend sonner ; si personne ne le prend, il reprend sa place"
        desk.workplaces.stands(doing=Doing.ON_CALL, talk=talk, lines=lines)
        page = await desk.guest.get("/poste/etat")
        (form,) = re.findall(rf'<form[^>]*"/poste/appels/{CALL}/envoyer".*?</form>', page.text, re.DOTALL)
        assert '<option value="ligne">Ligne directe du cabinet</option>' in form
        assert said in page.words
        desk.workplaces.stands(doing=Doing.ON_CALL, talk=talk, colleagues=(Whom("0" * 32, "Télésecrétaire 2"),))
        assert said not in (await desk.guest.get("/poste/etat")).words


async def test_nobody_is_sent_to_a_practitioner_who_is_only_consulted() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        lines = (Whom("praticien-1", "Dr Amiel", takes_calls=False), Whom("ligne", "Ligne directe du cabinet"))
        talk = replace(TALK, acts=frozenset({Act.SEND, Act.CONSULT}))
        desk.workplaces.stands(doing=Doing.ON_CALL, talk=talk, lines=lines)
        page = (await desk.guest.get("/poste/etat")).text
        for act, offered in ((Act.CONSULT, True), (Act.SEND, False)):
            (form,) = re.findall(rf'<form[^>]*"/poste/appels/{CALL}/{act.value}".*?</form>', page, re.DOTALL)
            assert ("praticien-1" in form) is offered


@pytest.mark.parametrize("act", Act)
async def test_an_act_is_done_and_answered_by_how_everything_stands(act: Act) -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/poste")
        at = f"/poste/appels/{CALL}/{act.value}"
        for_script = await desk.guest.post(at, partie="1", qui="somebody")
        assert for_script.status == 200
        assert 'id="poste"' in for_script.text
        assert (await desk.guest.post(at)).location == "/poste"
        assert desk.workplaces.done == [(act, CALL, "somebody"), (act, CALL, "")]


async def test_a_call_that_is_not_offered_any_more_is_told_in_plain_words() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/poste")
        desk.workplaces.willing = False
        late = await desk.guest.post(f"/poste/appels/{CALL}/decrocher", partie="1")
        assert (late.status, "ne vous est plus proposé" in late.words) == (422, True)
        other = await desk.guest.post(f"/poste/appels/{CALL}/attente")
        assert (other.status, "Rien n’a changé" in other.words) == (422, True)
        assert "<title>" in other.text  # the whole page, for whoever has no script
        moved = await desk.guest.post("/poste/presence", etat="break", partie="1")
        assert (moved.status, "Ce changement n’est pas possible" in moved.words) == (422, True)


@pytest.mark.parametrize("state", ["available", "break", "lunch", "training", "admin", "offline"])
async def test_presence_is_what_one_says(state: str) -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/poste")
        assert (await desk.guest.post("/poste/presence", etat=state)).location == "/poste"
        assert desk.workplaces.done == [(Doing(state),)]


@pytest.mark.parametrize("state", ["reserved", "on_call", "wrap_up", "", "asleep"])
async def test_nobody_says_of_themselves_what_the_queue_says(state: str) -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/poste")
        assert (await desk.guest.post("/poste/presence", etat=state)).status == 400
        assert desk.workplaces.done == []


@pytest.mark.parametrize("path", ["/poste/appels/1/decrocher", f"/poste/appels/{CALL}/voler"])
async def test_what_is_no_call_and_what_is_no_act_is_not_there(path: str) -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/poste")
        assert (await desk.guest.post(path)).status == 404
        assert desk.workplaces.done == []


async def test_presence_cannot_be_changed_while_a_call_is_there() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        for how in ({"ring": RING, "doing": Doing.RESERVED}, {"talk": TALK, "doing": Doing.ON_CALL}, {"asked": ASKED}):
            desk.workplaces.stands(**how)
            page = await desk.guest.get("/poste")
            buttons = re.findall(r'<button id="etat-[^>]*>', page.text)
            assert len(buttons) == 6
            assert all(" disabled" in button for button in buttons)


async def test_a_page_that_looks_by_itself_keeps_no_session_from_ending() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/poste/etat")
        await desk.guest.get("/poste/etat?present=0")
        await desk.guest.post("/poste/jeton", preuve=(await desk.guest.get("/poste/etat")).proof)
        assert desk.staff.used == 0
        await desk.guest.get("/poste/etat?present=1")
        assert desk.staff.used == 1


async def test_who_says_that_they_are_there_is_seen_to_be() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        desk.workplaces.stands(hand_by=NOW + timedelta(seconds=60))
        asked = await desk.guest.get("/poste/etat")
        assert 'data-there="Toujours là\u202f?"' in asked.text
        assert desk.staff.used == 0
        answer = await desk.guest.post("/poste/toujours-la", partie="1")
        assert (answer.status, 'id="poste"' in answer.text, desk.staff.used) == (200, True, 1)
        assert (await desk.guest.post("/poste/toujours-la")).location == "/poste"


@pytest.mark.parametrize("how", [{"ring": RING}, {"talk": TALK}, {"asked": ASKED}], ids=["ring", "talk", "asked"])
async def test_nobody_is_asked_whether_they_are_there_while_there_is_a_call(how: dict[str, object]) -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        desk.workplaces.stands(hand_by=NOW + timedelta(seconds=60), **how)
        part = await desk.guest.get("/poste/etat")
        assert "Toujours là" not in part.text
        assert 'data-there=""' in part.text


async def test_a_pass_is_for_a_full_session_alone_and_needs_the_proof() -> None:
    async with open_desk() as desk:
        assert (await desk.guest.send("/poste/jeton", {})).location.startswith("/connexion")
        await desk.signed_in(stage=Stage.PASSWORD)
        assert (await desk.guest.send("/poste/jeton", {})).location.startswith("/connexion/facteur")
        await desk.signed_in()
        assert (await desk.guest.send("/poste/jeton", {})).status == 403
        await desk.guest.get("/poste")
        given = await desk.guest.post("/poste/jeton")
        assert (given.status, given.text) == (200, '{"token": "a.pass.of-tests", "seconds": 600}')
        assert given.headers["Cache-Control"] == "no-store"
        desk.workplaces.willing = False
        assert (await desk.guest.post("/poste/jeton")).status == 404


async def test_the_page_on_which_one_speaks_may_reach_its_softphone_and_no_other_page_may() -> None:
    speaks = Softphone("emulator", "ws://127.0.0.1:1/softphone", ("ws://127.0.0.1:1",), ("http://127.0.0.1:1",))
    async with open_desk(softphone=speaks) as desk:
        await desk.signed_in()
        page = await desk.guest.get("/poste")
        policy = page.headers["Content-Security-Policy"].split("; ")
        assert "connect-src 'self' ws://127.0.0.1:1" in policy
        assert "media-src http://127.0.0.1:1" in policy
        assert sum(part.startswith("connect-src") for part in policy) == 1
        assert {"default-src 'none'", "script-src 'self'", "trusted-types 'none'"} <= set(policy)
        assert "microphone=(self)" in page.headers["Permissions-Policy"]
        for path in ("/", "/compte", "/connexion"):
            other = await desk.guest.get(path)
            assert "127.0.0.1:1" not in other.headers["Content-Security-Policy"]
            assert "microphone=()" in other.headers["Permissions-Policy"]
    async with open_desk() as desk:
        await desk.signed_in()
        silent = await desk.guest.get("/poste")
        assert "microphone=()" in silent.headers["Permissions-Policy"]
        assert "Les appels sonnent à votre téléphone" in silent.words
