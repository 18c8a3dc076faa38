"""The pages of a practice's settings: somebody else's practice, more than one may change, words that are markup,
a colleague's change, a sound that was overheard."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from callcenter.app import by_practices, sound_addresses
from callcenter.console.setting_addresses import setting_path
from callcenter.kernel.clock import DrivenClock
from callcenter.practice import people
from callcenter.practice.changing import SettingsDesk
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Period
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Place, Sealer
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, replaced, unanimous, yes
from tests.attack.escaping import ESCAPED
from tests.integration.practice_office import BENALI, MAIN, PORT, TILLEULS, Office, opened_office, setting


@pytest.fixture
async def office(sabotage: Sabotage, database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Office]:
    """The Port is another organisation's."""
    del sabotage  # in place before anything is started
    async with opened_office(database, sealer, clock, port_elsewhere=True) as office:
        yield office


RIGHTS = replaced("whose practice it is is asked each time", "P5: no row crosses a practice", by_practices, "may", yes)

#: What is asked of a practice: where, and with what form, if any.
ASKED: tuple[tuple[str, dict[str, str] | None], ...] = (
    ("", None),
    ("/historique", None),
    ("/apercu", None),
    ("/apercu", {"jour": "2026-12-24", "heure": "23:00"}),
    ("/reglages/consignes", None),
    ("/reglages/fermeture", {"valeur": "Appelez ailleurs.", "vu": "1"}),
    ("/reglages/fermeture", {"valeur": "Appelez ailleurs.", "vu": "1", "geste": "apercu"}),
)


async def _told(office: Office, practice: UUID) -> dict[str, bool]:
    """What each question brings: a page, or a change."""
    brought = {}
    for path, form in ASKED:
        address = f"/cabinets/{practice}{path}"
        answer = await (office.guest.get(address) if form is None else office.guest.post(address, **form))
        brought[f"{path} {'form' if form else 'page'} {'apercu' if form and 'geste' in form else ''}"] = (
            answer.status != 404
        )
    return brought


@attack(stopped_by=RIGHTS)
async def test_p5_a_supervisor_asks_for_the_practice_of_another_organisation(office: Office) -> Outcome:
    await office.staff("superviseur1", Role.SUPERVISOR, TILLEULS)
    return unanimous({what: gained(brought) for what, brought in (await _told(office, PORT)).items()})


@attack(stopped_by=RIGHTS)
async def test_p5_an_operator_changes_the_practice_that_they_answer_for(office: Office) -> Outcome:
    await office.staff("operatrice1", Role.OPERATOR, TILLEULS)
    return unanimous({what: gained(brought) for what, brought in (await _told(office, TILLEULS)).items()})


# --- more than one may change

EVERYBODY = (*by_practices.MANAGING, Role.PRACTITIONER)
NUMBER_PLAN = replaced(
    "the number plan is whoever's answers for the practice",
    "P7: no fallback dials us",
    by_practices,
    "MANAGING",
    EVERYBODY,
)


@attack(stopped_by=NUMBER_PLAN)
async def test_p7_a_practitioner_changes_numbers_and_colleagues(office: Office) -> Outcome:
    await office.staff("praticien1", Role.PRACTITIONER, TILLEULS)
    assert (await office.guest.get(f"/cabinets/{TILLEULS}")).status == 200
    address = f"/cabinets/{TILLEULS}"
    tries = {
        "rescue": (f"{address}/reglages/numero-de-secours", {"valeur": "+33465710095", "vu": "1"}),
        "numbers": (
            f"{address}/reglages/numeros",
            {"vu": "1", "rangs": "1", "0-numero": MAIN, "0-entree": "main"},
        ),
        "somebody more": (f"{address}/praticiens", {"nom": "Paul Vasseur", "specialite": "pédiatrie"}),
        "mark": (
            f"{address}/praticiens/{BENALI}",
            {"titre": "Dr", "specialite": "psychiatrie", "sans-mention": "1"},
        ),
    }
    return unanimous(
        {what: gained((await office.guest.post(path, **form)).status == 303) for what, (path, form) in tries.items()}
    )


def _no_mark_is_asked_about(sabotage: Sabotage) -> None:
    sabotage.replace(people, "_problems", lambda *_: [])


SAID_EXPRESSLY = Defence("a mark goes only when it is said to", "D05", _no_mark_is_asked_about)


@attack(stopped_by=SAID_EXPRESSLY)
async def test_a_sensitive_mark_goes_by_a_form_that_leaves_it_out(office: Office) -> Outcome:
    await office.staff("superviseur1", Role.SUPERVISOR, TILLEULS)
    form = {"titre": "Dr", "specialite": "psychiatrie"}
    return gained((await office.guest.post(f"/cabinets/{TILLEULS}/praticiens/{BENALI}", **form)).status == 303)


# --- words that are markup

#: The settings that hold somebody's words.
WORDS = (
    Setting.NAME,
    Setting.SPOKEN_NAME,
    Setting.ADDRESS,
    Setting.ACCESS,
    Setting.MESSAGE_OF_THE_DAY,
    Setting.INSTRUCTIONS,
    Setting.CLOSING_CONDUCT,
    Setting.AGENDA,
)


def _needle(one: Setting) -> str:
    """What runs if it comes out as it went in; of each setting another."""
    return f"<script/src=//evil.example/{one}>"


def _markup(one: Setting) -> str:
    return f"""</textarea></title>"'>{_needle(one)}<img/src=x/onerror=alert(1)>"""


@attack(stopped_by=ESCAPED)
async def test_markup_in_a_setting_is_markup_on_a_page(office: Office) -> Outcome:
    """Of everybody who reads it: in the form, in a conflict, tried, in the history, and where the name stands."""
    await office.staff("superviseur1", Role.SUPERVISOR, TILLEULS)
    paths = {one: setting(TILLEULS, setting_path(one)) for one in WORDS}
    forms = {one: await office.form(path) for one, path in paths.items()}
    shown: dict[Setting, str] = {}
    for one, path in paths.items():
        fields = {**forms[one], **_typed(one, _markup(one)), "note": _markup(one)}
        overtaken = await office.guest.post(path, **{**fields, "vu": "999999"})
        tried = await office.guest.post(path, **{**fields, "geste": "apercu"})
        saved = await office.guest.post(path, **fields)
        assert saved.status == 303, f"{one}: {saved.words[:300]}"
        shown[one] = overtaken.text + tried.text
    others = (f"/cabinets/{TILLEULS}", f"/cabinets/{TILLEULS}/historique", "/cabinets", "/")
    everywhere = "".join([(await office.guest.get(path)).text for path in others])
    return unanimous({one.value: gained(_needle(one) in shown[one] + everywhere) for one in WORDS})


def _typed(one: Setting, words: str) -> dict[str, str]:
    if one is Setting.AGENDA:
        return {"ou": "external", "adresse": f"https://agenda.example/{words}"}
    return {"valeur": words}


# --- a colleague's change


def _whatever_was_seen(sabotage: Sabotage) -> None:
    put = SettingsDesk.put

    async def overwrite(self: SettingsDesk, one: Setting, value: Any, period: Period, seen: int | None = None) -> Any:
        del seen
        return await put(self, one, value, period)

    sabotage.replace(SettingsDesk, "put", overwrite)


SEEN = Defence("a form says what it was made from", "nothing that is typed is lost", _whatever_was_seen)


@attack(stopped_by=SEEN)
async def test_a_stale_page_overwrites_what_a_colleague_has_set(office: Office) -> Outcome:
    await office.staff("superviseur1", Role.SUPERVISOR, TILLEULS)
    path = setting(TILLEULS, "fermeture")
    stale = await office.form(path)
    await office.guest.post(path, **{**stale, "valeur": "Rappelez demain."})
    await office.guest.post(path, **{**stale, "valeur": "Le docteur Vasseur vous reçoit."})
    return gained((await office.facts()).closing_conduct != "Rappelez demain.")


# --- a sound that was overheard


def _anybodys(sabotage: Sabotage) -> None:
    def place(practice: UUID, _token: str) -> Place:
        return Place(practice, "console", "preview", "anybody")

    sabotage.replace(sound_addresses, "_place", place)


OWN_SESSION = Defence("a sound opens for the session that asked", "a page's own", _anybodys)


async def _sound(office: Office) -> str:
    page = await office.guest.get(f"/cabinets/{TILLEULS}/apercu")
    found = re.search(r'<audio [^>]*src="([^"]+)"', page.text)
    assert found, "no sound"
    return found[1]


@attack(stopped_by=OWN_SESSION)
async def test_the_sound_of_a_preview_is_fetched_by_a_colleague(office: Office) -> Outcome:
    await office.staff("superviseur1", Role.SUPERVISOR, TILLEULS)
    address = await _sound(office)
    async with office.console.another() as thief:
        await office.staff("superviseur2", Role.SUPERVISOR, TILLEULS, guest=thief)
        return gained(await _status(office, address, thief) == 200)


ENDS = replaced("a sound opens for minutes", "ASVS 7.3", sound_addresses, "LIFE", timedelta(days=1))


@attack(stopped_by=ENDS)
async def test_the_sound_of_a_preview_is_fetched_later(office: Office) -> Outcome:
    await office.staff("superviseur1", Role.SUPERVISOR, TILLEULS)
    address = await _sound(office)
    office.console.clock.advance(600)
    return gained(await _status(office, address) == 200)


async def _status(office: Office, address: str, guest: Any = None) -> int:
    """The status of an answer whose body is no text."""
    guest = guest or office.guest
    cookies = "; ".join(f"{name}={value}" for name, value in guest.cookies.items())
    headers = {"Host": guest.origin.partition("//")[2], "Cookie": cookies}
    async with guest.session.get(guest.address + address, headers=headers, allow_redirects=False) as answer:
        return int(answer.status)
