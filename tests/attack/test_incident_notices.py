"""What practices are told of incidents: another practice's practitioner, words that are markup, others' forms."""

from __future__ import annotations

from dataclasses import replace

from callcenter.console import guard
from callcenter.console import incident_notices as pages
from callcenter.console.forms import FormProofs
from callcenter.kernel.clock import DrivenClock
from callcenter.practice.called import practice_names
from callcenter.staff import incident_notices, rights
from callcenter.staff.values import Role
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, replaced, unanimous
from tests.attack.escaping import ESCAPED
from tests.attack.ground import Ground
from tests.integration.incidents import declared, practitioner, remitted
from tests.integration.supervising import supervised
from tests.unit.console.doubles import open_desk
from tests.unit.console.incidents import GIVEN, INCIDENT, NOTICE, PRACTICE, TOLD
from tests.unit.console.workplaces import NOW

MARKUP = "<img src=x onerror=alert(1)>"
EVIL = "https://evil.example"
WORDS = "Une date dite à un tiers. Contact : dpo@example.fr."


def _anybodys(sabotage: Sabotage) -> None:
    for name in ("_MINE", "_ONE_OF_MINE", "_UNREAD"):
        sabotage.rewrite(incident_notices, name, "n.practice_id = ANY(:mine)", "cast(:mine AS uuid[]) IS NOT NULL")


OWN_NOTICES = Defence("what a practice is told is read by its own practitioners", "P5", _anybodys)


@attack(stopped_by=OWN_NOTICES)
async def test_p5_a_practitioner_of_another_practice_reads_and_confirms_what_one_was_told(
    ground: Ground, clock: DrivenClock
) -> Outcome:
    async with supervised(ground.app, ground.sealer, clock) as house:
        other = await house.ours.practice()
        await house.signed_in(await house.staff("nous"))
        incident = await declared(house, house.practice)
        notice = await remitted(house, incident, house.practice, WORDS)
        tried = {}
        for login, practice, of in (
            ("voisin", other, house.ours.organisation),
            ("ailleurs", house.foreign, house.theirs.organisation),
        ):
            await house.signed_in(await practitioner(house, login, practice, of=of))
            own = f"/avis/{house.practice}/{incident}"
            tried[f"{login}: told"] = "concerne votre cabinet" in (await house.guest.get("/compte")).words
            tried[f"{login}: list"] = own in (await house.guest.get("/avis")).text
            tried[f"{login}: page"] = WORDS in (await house.guest.get(own)).words
            tried[f"{login}: confirmed"] = (await house.guest.post(own + "/lecture", avis=notice)).status == 303
        return unanimous({what: gained(got) for what, got in tried.items()})


def _any_role(sabotage: Sabotage) -> None:
    sabotage.rewrite(rights, "_PRACTICES", "r.role = :role", "true")


FOR_PRACTITIONERS = Defence("what a practice is told is for its practitioners", "LG-05", _any_role)


@attack(stopped_by=FOR_PRACTITIONERS)
async def test_an_operator_confirms_for_the_practice_that_it_was_told(ground: Ground, clock: DrivenClock) -> Outcome:
    async with supervised(ground.app, ground.sealer, clock) as house:
        await house.signed_in(await house.staff("nous"))
        incident = await declared(house, house.practice)
        notice = await remitted(house, incident, house.practice, WORDS)
        await house.signed_in(await house.staff("operatrice", Role.OPERATOR))
        await house.guest.get("/compte")
        confirmed = await house.guest.post(f"/avis/{house.practice}/{incident}/lecture", avis=notice)
        return gained(confirmed.status == 303)


@attack(stopped_by=ESCAPED)
async def test_a_notice_brings_markup_into_the_pages_of_a_practice_and_of_staff() -> Outcome:
    async with open_desk() as desk:
        desk.notices.notices = (replace(GIVEN, by=MARKUP, words=f"</textarea>{MARKUP}"),)
        desk.notices.told = replace(TOLD, organisation=MARKUP)
        page = f"/incidents/{INCIDENT}/cabinets/{PRACTICE}"
        await desk.signed_in(roles=frozenset({"supervisor", "practitioner"}))
        pages = {path: (await desk.guest.get(path)).text for path in (page, f"/avis/{PRACTICE}/{INCIDENT}")}
        typed = {"le": f'">{MARKUP}', "moyen": f'">{MARKUP}', "precisions": f'">{MARKUP}'}
        pages["typed again"] = (await desk.guest.post(page + "/informe", **typed)).text
        desk.notices.last = NOTICE
        stale = await desk.guest.post(page + "/remise", avis=f"</textarea>{MARKUP}", apres="")
        pages["stale"] = stale.text
        return unanimous({where: gained(MARKUP in text) for where, text in pages.items()})


UNNAMED = replaced("words for several name none of them", "P5", pages, "plain_name", lambda _: "-")


@attack(stopped_by=UNNAMED)
async def test_p5_words_for_several_practices_tell_each_of_another(ground: Ground, clock: DrivenClock) -> Outcome:
    async with supervised(ground.app, ground.sealer, clock) as house:
        other = await house.ours.practice()
        await house.signed_in(await house.staff("nous"))
        incident = await declared(house, house.practice, other)
        async with house.console.database.house() as connection:
            name = (await practice_names(connection, [other], clock.now()))[other]
        same = {f"cabinet-{one.hex}": "1" for one in (house.practice, other)}
        words = f"Une date a été dite à un tiers, patient de {name.upper()}."
        given = await house.guest.post(f"/incidents/{incident}/avis", avis=words, etape="remettre", **same)
        return gained(given.status == 200)


OWN_PAGES = replaced("forms of our own pages", "ASVS 3.5.1", guard, "check_source", lambda *_: None)
PROOF = replaced("a proof in each form", "ASVS 3.5.1", FormProofs, "check", lambda *_: None)


@attack(stopped_by=(OWN_PAGES, PROOF))
async def test_another_sites_page_confirms_in_the_name_of_a_practitioner() -> Outcome:
    async with open_desk() as desk:
        assert desk.notices.now == NOW
        await desk.signed_in(roles=frozenset({"practitioner"}))
        path = f"/avis/{PRACTICE}/{INCIDENT}/lecture"
        return gained((await desk.guest.send(path, {"avis": str(NOTICE)}, of=EVIL)).status == 303)
