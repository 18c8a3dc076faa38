"""Markup typed into whatever the pages of the console let anybody type into: the fields are read from the pages, and no
form is left out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from callcenter.app.by_administration import StaffOffice
from callcenter.app.by_carrier_list import StaffCarrierLists
from callcenter.app.by_practices import StaffPractices
from callcenter.app.sound_addresses import SoundAddresses
from callcenter.console import application, paths
from callcenter.console.administration import AdministrationPages
from callcenter.console.carrier_list import CarrierListPages
from callcenter.console.cookies import SESSION
from callcenter.console.files import FOLDER
from callcenter.console.inbox_ports import As
from callcenter.console.ports import Stage
from callcenter.console.practice_pages import practice_pages
from callcenter.console.visits import Door
from callcenter.console.workplace_ports import Doing
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.speech.voices import SilentVoice
from callcenter.staff.acts import StaffActs
from callcenter.staff.incident_values import Concerned
from callcenter.staff.room import StaffRoom
from callcenter.staff.values import Role
from tests.attack.defence import Outcome, attack, gained
from tests.attack.escaping import ESCAPED
from tests.attack.forms import Typist, forms_in
from tests.attack.ground import Ground
from tests.attack.scene import TILLEULS
from tests.integration.consoles import BY, ORGANISATION, Console, opened_console
from tests.integration.practice_office import flows, setting
from tests.unit.console.doubles import INVITATION, Desk, open_desk
from tests.unit.console.incidents import GIVEN, INCIDENT, PRACTICE, REGISTER
from tests.unit.console.ledgers import LINE
from tests.unit.console.workplaces import NOW, TALK

ROLES = frozenset({"operator", "supervisor", "practitioner", "administrator"})
#: Forms that no page has: a script sends them by itself, with nothing that anybody has typed but a draft, which is
#: attacked by hand (``test_script_page.py``).
BY_SCRIPTS = {
    *(paths.FACTOR_PASSKEY_OPTIONS, paths.FIRST_PASSKEY_OPTIONS, paths.CONFIRM_PASSKEY_OPTIONS),
    *(paths.ACCOUNT_PASSKEY_OPTIONS, paths.WORKPLACE_PASS, paths.WORKPLACE_DRAFT),
}
#: Of pages that are looked at with a database behind them.
HERE = (paths.PRACTICES, paths.ADMINISTRATION, paths.CARRIER_LIST)


@dataclass(frozen=True, slots=True)
class Scene:
    """How the console stands when somebody comes to it.

    Arguments:
        starts: where they begin.
        arrange: what stands behind the pages.
        session: of whoever comes; ``None`` where they are not signed in.
    """

    starts: tuple[str, ...] = (paths.HOME,)
    arrange: Callable[[Desk], None] = lambda _: None
    session: dict[str, Any] | None = field(default_factory=lambda: {"confirmed": True})

    def within(self, path: str) -> bool:
        """Whether an address is below those at which they begin."""
        return path.startswith(self.starts)


def _many_logs(desk: Desk) -> None:
    desk.ledgers.listed = (LINE,) * 6


def _talks(desk: Desk) -> None:
    desk.workplaces.stands(doing=Doing.ON_CALL, talk=TALK)
    desk.script.stands("message")


def _is_quiet(desk: Desk) -> None:
    desk.workplaces.stands(hand_by=NOW + timedelta(minutes=1))


def _is_told(desk: Desk) -> None:
    desk.notices.notices, desk.notices.waits = (GIVEN,), 1


def _concerns_several(desk: Desk) -> None:
    other = UUID(int=1)
    desk.notices.register = replace(REGISTER, concerned=(Concerned(PRACTICE, None), Concerned(other, None)))
    desk.notices.names = {PRACTICE: "Cabinet des Tilleuls", other: "Cabinet des Pins"}


def _follows_up(desk: Desk) -> None:
    desk.inboxes.ways, desk.inboxes.may_take = frozenset({As.OPERATOR}), True
    desk.inboxes.answered = True


SCENES = {
    "everywhere": Scene(),
    "not signed in": Scene((paths.LOGIN, paths.INVITATION.format(token=INVITATION)), session=None),
    "a second factor": Scene((paths.FACTOR,), session={"stage": Stage.PASSWORD, "confirmed": False}),
    "a first factor": Scene(
        (paths.FIRST_FACTOR,), session={"stage": Stage.PASSWORD, "enrolled": False, "confirmed": False}
    ),
    "to be confirmed": Scene((paths.CONFIRM,), session={"confirmed": False}),
    "many logs": Scene((paths.LEDGERS,), _many_logs),
    "a talk": Scene((paths.WORKPLACE,), _talks),
    "a quiet shift": Scene((paths.WORKPLACE,), _is_quiet),
    "an incident of several": Scene((paths.INCIDENT_NOTICES.format(incident=INCIDENT),), _concerns_several),
    "an incident to be read": Scene((paths.NOTICES,), _is_told),
    "a message to follow up": Scene((paths.MESSAGES,), _follows_up),
}


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> list[Door]:
    """The doors of the console that was opened last."""
    found: list[Door] = []
    opened = application.doors

    def noted(*given: Any) -> list[Door]:
        found[:] = opened(*given)
        return found

    monkeypatch.setattr(application, "doors", noted)
    return found


async def _typed_in(scene: Scene, doors: list[Door], seen: set[str]) -> Typist:
    async with open_desk() as desk:
        scene.arrange(desk)

        async def again() -> None:
            desk.guest.cookies.clear()
            if scene.session is not None:
                await desk.signed_in(roles=ROLES, **scene.session)

        typist = Typist(desk.guest, doors, again, scene.within, forms_seen=seen)
        await typist.walks(scene.starts)
        assert desk.failures == []
    return typist


@attack(stopped_by=ESCAPED)
async def test_whatever_is_typed_into_any_form_comes_back_as_markup(doors: list[Door]) -> Outcome:
    seen: set[str] = set()
    walks = [await _typed_in(scene, doors, seen) for scene in SCENES.values()]
    sent = {door for walk in walks for door in walk.sent}
    here = {door.path for door in doors if door.method == "POST"}
    assert here - sent == BY_SCRIPTS, "nobody has typed into a form"
    written = {path for file in FOLDER.parent.glob("*.py") for path, _ in forms_in(file)}
    assert {path for path in written - here if not path.startswith(HERE)} == set(), "no test has a form"
    return came(walks)


def came(walks: Iterable[Typist]) -> Outcome:
    """What comes of it, of which much has come back at all."""
    echoed = {where: raw for walk in walks for where, raw in walk.echoed.items()}
    assert len(echoed) > 20, "little of what was typed has come back at all"
    return gained([where for where, raw in echoed.items() if raw])


# --- pages that stand on a database: accounts and portfolios, practices and their settings, the carrier's list


@asynccontextmanager
async def _house(ground: Ground, clock: DrivenClock) -> AsyncIterator[Console]:
    random = SeededRandom(11)

    def also(room: StaffRoom) -> dict[str, Any]:
        sounds = SoundAddresses(ground.sealer, SilentVoice())
        origin, keys = "http://localhost", ground.sealer._keys
        return {
            "pages": (
                AdministrationPages(StaffOffice(room, ground.app, clock, origin, keys, None)),
                CarrierListPages(StaffCarrierLists(room, ground.app, clock, StaffActs(clock, random))),
                *practice_pages(StaffPractices(room, ground.app, clock, random, flows(), sounds)),
            )
        }

    async with opened_console(ground.app, ground.sealer, clock, also=also) as console:
        await ground.change(
            "UPDATE practice SET organisation_id = :organisation WHERE id = :practice",
            "INSERT INTO carrier_finding (id, practice_id, sid, kind, day, found_at) "
            "VALUES (:practice, :practice, 'CA' || repeat('a', 32), 'call_unknown', '2026-11-24', :now)",
            organisation=ORGANISATION,
            practice=TILLEULS,
            now=clock.now(),
        )
        yield console


@attack(stopped_by=ESCAPED)
async def test_whatever_is_typed_about_accounts_and_practices_comes_back_as_markup(
    ground: Ground, clock: DrivenClock, doors: list[Door]
) -> Outcome:
    async with _house(ground, clock) as console:
        room, database = console.room, console.database
        me, _ = await console.account("chef"), await console.account("operatrice9")
        portfolio = await room.portfolios.create(ORGANISATION, "Tout", BY, whole=True)
        for role in (Role.ADMINISTRATOR, Role.SUPERVISOR):
            await room.administration.grant(me, role, portfolio, BY)
        await room.portfolios.create(ORGANISATION, "Nord", BY)

        async def again() -> None:
            async with database.house() as connection:
                token = await room.sessions.begin(connection, me.id, Stage.FULL, stepped_up=True)
            console.guest.cookies = {SESSION: token}

        first, then = HERE[:-1], HERE[-1:]
        typist = Typist(console.guest, doors, again, most=40)
        typist.within = lambda path: path.startswith(first) and str(me.id) not in path
        # Settings are made of the same parts: of words, it is the one that stands on other pages.
        await typist.walks((setting(TILLEULS, "nom"), *first))
        typist.within = lambda path: path.startswith(then)
        await typist.walks(then)  # by now the practice has another name
    assert {door.path for door in doors if door.method == "POST" and door.path.startswith(HERE)} == typist.sent
    return came([typist])
