"""Supervisors: another organisation's board, incidents and locks; one person who plays two; words that are markup."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from callcenter.console import guard
from callcenter.console.board_ports import Person, Row
from callcenter.console.forms import FormProofs
from callcenter.console.supervision import Supervision
from callcenter.console.workplace_ports import Doing
from callcenter.identity import releases
from callcenter.kernel.clock import DrivenClock
from callcenter.staff import incident_notices, incidents, rights
from callcenter.staff.incident_tables import EntryKind
from callcenter.staff.incident_values import Written
from callcenter.staff.values import Account, Role
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, replaced, unanimous
from tests.attack.escaping import ESCAPED
from tests.attack.ground import Ground
from tests.integration.consoles import BY
from tests.integration.supervising import Supervised, supervised
from tests.unit.console.boards import MORNING, BoardsDouble
from tests.unit.console.doubles import open_desk
from tests.unit.console.incidents import INCIDENT, PRACTICE, REGISTER, IncidentsDouble
from tests.unit.console.locks import RELEASE, REQUEST, LocksDouble
from tests.unit.console.workplaces import CALL, NOW

EVIL = "https://evil.example"
FACTS = "Une date a été dite à un tiers."
MARKUP = "<img src=x onerror=alert(1)>"


# --- what is another organisation's, or another role's


def _everywhere(sabotage: Sabotage) -> None:
    sabotage.rewrite(rights, "_PRACTICES", "p.organisation_id = f.organisation_id AND", "")


OWN_PRACTICES = Defence("a portfolio is of its organisation", "P5", _everywhere)


@attack(stopped_by=OWN_PRACTICES)
async def test_a_supervisor_sees_the_queue_of_another_organisation(ground: Ground, clock: DrivenClock) -> Outcome:
    async with supervised(ground.app, ground.sealer, clock) as house:
        await house.ours.waits(house.practice)
        await house.signed_in(await house.staff("eux", of=house.theirs.organisation))
        pages = {path: await house.guest.get(path) for path in ("/en-direct", "/en-direct/etat")}
        return unanimous({path: gained(f"cabinet-{house.practice}" in page.text) for path, page in pages.items()})


def _any_role(sabotage: Sabotage) -> None:
    sabotage.rewrite(rights, "_PRACTICES", "r.role = :role", "true")


FOR_SUPERVISORS = Defence("the board is a supervisor's", "LG-05", _any_role)


@attack(stopped_by=FOR_SUPERVISORS)
async def test_an_operator_watches_what_colleagues_do(ground: Ground, clock: DrivenClock) -> Outcome:
    paths = ("/en-direct", "/en-direct/etat", "/en-direct/mur", "/en-direct/mur/etat", "/blocages")
    async with supervised(ground.app, ground.sealer, clock) as house:
        await house.signed_in(await house.staff("curieuse", Role.OPERATOR))
        return unanimous({path: gained((await house.guest.get(path)).status == 200) for path in paths})


async def declared(house: Supervised, by: Account | None = None) -> str:
    """An incident of ours; the path of its register."""
    await house.signed_in(by or await house.staff("nous"))
    await house.guest.get("/incidents/nouveau")
    given = {"nature": "wrong_person", "connu": "2026-11-26T09:30", "facts": FACTS}
    answer = await house.guest.post("/incidents/nouveau", **given, **{f"cabinet-{house.practice.hex}": "1"})
    assert answer.status == 303, answer.words
    return answer.location


def _anybodys(sabotage: Sabotage) -> None:
    """Whoever asks is shown every incident."""
    own = "i.organisation_id = :organisation AND"
    for name in ("_ONE", "_ONE_TO_CHANGE", "_ALL", "_RUNNING"):
        sabotage.rewrite(incidents, name, own, f"true OR {own}")


OWN_INCIDENTS = Defence("an incident is of those who watch over all it concerns", "P5", _anybodys)


@attack(stopped_by=OWN_INCIDENTS)
async def test_a_supervisor_opens_an_incident_of_another_organisation(ground: Ground, clock: DrivenClock) -> Outcome:
    async with supervised(ground.app, ground.sealer, clock) as house:
        path = await declared(house)
        await house.signed_in(await house.staff("eux", of=house.theirs.organisation))
        await house.guest.get("/compte")
        read = {"text": FACTS in (await house.guest.post(f"{path}/registre.txt")).text}
        read["page"] = FACTS in (await house.guest.get(path)).text
        read["list"] = path in (await house.guest.get("/incidents")).text
        read["clock"] = "Incident en cours" in (await house.guest.get("/compte")).text
        await house.guest.get("/incidents/nouveau")
        closed = await house.guest.post(path + "/ecritures", nature="closed", texte="Rien à voir.")
        read["write"] = closed.status == 303
        return unanimous({one: gained(got) for one, got in read.items()})


def _out_of_reach(sabotage: Sabotage) -> None:
    for room, name in ((incident_notices, "_CONCERNED"), (incidents, "_LIFT")):
        sabotage.rewrite(room, name, "practice_id = ANY(:reach)", "cast(:reach AS uuid[]) IS NOT NULL")


WITHIN_REACH = Defence("what is done for a practice is done by who watches over it", "P5", _out_of_reach)


@attack(stopped_by=WITHIN_REACH)
async def test_who_declared_an_incident_acts_for_a_practice_that_was_taken_from_them(
    ground: Ground, clock: DrivenClock
) -> Outcome:
    async with supervised(ground.app, ground.sealer, clock) as house:
        room, who = house.console.room, await house.staff("moitie", Role.OPERATOR)
        some = await room.portfolios.create(who.organisation, "Les siens", BY)
        await room.portfolios.add(some, house.practice, BY)
        await room.administration.grant(who, Role.SUPERVISOR, some, BY)
        path = await declared(house, by=who)
        call = await house.ours.call(house.practice)
        assert (await house.guest.post(path + "/gels", reference=str(call))).status == 303
        lift = re.search(rf'action="({path}/gels/[0-9a-f-]+/levee)"', (await house.guest.get(path)).text)
        assert lift
        assert await room.portfolios.remove(some, house.practice, BY)
        assert lift[1] not in (await house.guest.get(path)).text, "it is offered no more; their page was left open"
        await house.guest.post(lift[1])
        told = {"le": "2026-11-26T09:45", "moyen": "telephone"}
        await house.guest.post(f"{path}/cabinets/{house.practice}/informe", **told)
        same = {"avis": "Rien de grave.", "etape": "remettre", f"cabinet-{house.practice.hex}": "1"}
        await house.guest.post(f"{path}/avis", **same)
        taken = (await house.guest.post(f"{path}/cabinets/{house.practice}/avis")).text
        await house.guest.post(f"{path}/cabinets/{house.practice}/remise", avis="Rien de grave.", apres="")
        async with house.console.database.house() as connection:
            done = (await connection.execute(text(_DONE))).one()
        got = {**done._mapping, "taken": FACTS in taken}
        return unanimous({what: gained(count) for what, count in got.items()})


_DONE = """
    SELECT (SELECT count(*) FROM call_hold WHERE lifted_at IS NOT NULL) AS lifted,
        (SELECT count(*) FROM incident_practice WHERE informed_at IS NOT NULL) AS told,
        (SELECT count(*) FROM incident_notice) AS written
"""


# --- one person who plays two


async def _request(house: Supervised, by: UUID) -> UUID:
    release, call = uuid4(), await house.ours.call(house.practice)
    await house.ours.run(
        "INSERT INTO lock_release (id, practice_id, call_id, asked_by, asked_at) "
        "VALUES (:id, :practice, :call, :by, :now)",
        id=release,
        practice=house.practice,
        call=call,
        by=by,
        now=house.console.clock.now(),
    )
    return release


async def _confirmed(house: Supervised, release: UUID, practices: list[UUID], by: UUID) -> bool:
    now = house.console.clock.now()
    try:
        async with house.console.database.house() as connection:
            return await releases.confirm(connection, release, practices, by, now) is not None
    except IntegrityError:
        return False


def _by_oneself(sabotage: Sabotage) -> None:
    sabotage.rewrite(releases, "_CONFIRM", " AND asked_by <> :by", "")


def _without_constraint(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE lock_release DROP CONSTRAINT ck_lock_release_two_persons")


ANOTHER_PERSON = Defence("the statement wants another person", "OB-03", _by_oneself)
IN_THE_SCHEMA = Defence("the schema wants two persons", "OB-03", _without_constraint)


@attack(stopped_by=(ANOTHER_PERSON, IN_THE_SCHEMA))
async def test_one_person_lifts_a_lock_alone(ground: Ground, clock: DrivenClock) -> Outcome:
    async with supervised(ground.app, ground.sealer, clock) as house:
        alone = (await house.staff("seul")).id
        return gained(await _confirmed(house, await _request(house, alone), [house.practice], alone))


def _of_any_practice(sabotage: Sabotage) -> None:
    sabotage.rewrite(releases, "_CONFIRM", "AND practice_id = ANY(:practices) ", "")


OWN_LOCKS = Defence("a lock is lifted by who supervises the practice", "P5", _of_any_practice)


@attack(stopped_by=OWN_LOCKS)
async def test_a_lock_is_lifted_by_a_supervisor_of_another_organisation(ground: Ground, clock: DrivenClock) -> Outcome:
    async with supervised(ground.app, ground.sealer, clock) as house:
        ours, theirs = await house.staff("nous"), await house.staff("eux", of=house.theirs.organisation)
        return gained(await _confirmed(house, await _request(house, ours.id), [house.foreign], theirs.id))


def _for_ever(sabotage: Sabotage) -> None:
    sabotage.rewrite(releases, "_CONFIRM", " AND asked_at > :after", "")


def _long_after(sabotage: Sabotage) -> None:
    sabotage.sql("ALTER TABLE lock_release DROP CONSTRAINT ck_lock_release_confirmed_soon")


IN_TIME = Defence("the statement wants it soon", "OB-03", _for_ever)
SOON_IN_THE_SCHEMA = Defence("the schema wants it soon", "OB-03", _long_after)


@attack(stopped_by=(IN_TIME, SOON_IN_THE_SCHEMA))
async def test_a_request_that_was_forgotten_is_confirmed_an_hour_later(ground: Ground, clock: DrivenClock) -> Outcome:
    async with supervised(ground.app, ground.sealer, clock) as house:
        one, other = await house.staff("premier"), await house.staff("second")
        release = await _request(house, one.id)
        clock.advance(3600)
        return gained(await _confirmed(house, release, [house.practice], other.id))


# --- what a page may be made to do


@attack(stopped_by=ESCAPED)
async def test_a_reason_a_register_or_a_name_brings_markup_into_the_pages_of_supervisors() -> Outcome:
    boards, register = BoardsDouble(), IncidentsDouble()
    boards.stands(
        rows=(Row(MARKUP, MORNING.rows[0].queue, MORNING.rows[0].counts),), people=(Person(MARKUP, Doing.LUNCH),)
    )
    register.register = replace(
        REGISTER, declared_by=MARKUP, entries=(Written(EntryKind.NOTE, NOW, MARKUP, MARKUP, None),)
    )
    locks = LocksDouble((replace(REQUEST, practice=MARKUP, by=MARKUP),), reason=MARKUP)
    async with open_desk(supervision=Supervision(boards, register, locks)) as desk:
        await desk.signed_in(roles=frozenset({"supervisor"}), confirmed=True)
        paths = ("/en-direct", "/en-direct/etat", f"/incidents/{INCIDENT}", "/blocages")
        pages = {path: (await desk.guest.get(path)).text for path in paths}
        typed = {"nature": MARKUP, "connu": f'"{MARKUP}', "facts": f"</textarea>{MARKUP}", "autres": f'">{MARKUP}'}
        pages["typed again"] = (await desk.guest.post("/incidents/nouveau", **typed)).text
        pages["why"] = (await desk.guest.post(f"/blocages/{RELEASE}/motif")).text
        return unanimous({where: gained(MARKUP in text) for where, text in pages.items()})


OWN_PAGES = replaced("forms of our own pages", "ASVS 3.5.1", guard, "check_source", lambda *_: None)
PROOF = replaced("a proof in each form", "ASVS 3.5.1", FormProofs, "check", lambda *_: None)


@attack(stopped_by=(OWN_PAGES, PROOF))
async def test_another_sites_page_declares_closes_and_confirms_in_the_name_of_whoever_reads_it() -> Outcome:
    locks = LocksDouble()
    async with open_desk(supervision=Supervision(BoardsDouble(), IncidentsDouble(), locks)) as desk:
        await desk.signed_in(roles=frozenset({"supervisor"}), confirmed=True)
        one = f"/incidents/{INCIDENT}"
        tries = {
            "/incidents/nouveau": {"nature": "loss", "connu": "2026-11-26T09:30", "facts": "x"},
            f"{one}/ecritures": {"nature": "closed", "texte": "x"},
            f"{one}/cabinets/{PRACTICE}/informe": {"le": "2026-11-26T09:30", "moyen": "email"},
            f"{one}/cabinets/{PRACTICE}/remise": {"avis": "x", "apres": ""},
            f"{one}/cabinets/{PRACTICE}/avis": {},
            f"{one}/registre.txt": {},
            f"{one}/gels": {"reference": str(CALL)},
            "/blocages": {"reference": str(CALL), "texte": "x"},
            f"/blocages/{RELEASE}/motif": {},
            f"/blocages/{RELEASE}/confirmation": {},
        }
        statuses = {path: (await desk.guest.send(path, fields, of=EVIL)).status for path, fields in tries.items()}
        return unanimous({path: gained(status in {200, 303}) for path, status in statuses.items()})
