"""The pages of staff, from another site's page, from a neighbour's name, and with what a browser would never send."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter import demo_staff
from callcenter.console import addresses, application, forms, guard, headers, visits
from callcenter.console.forms import FormProofs
from callcenter.console.ports import Stage
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import ConfigurationError
from callcenter.kernel.randomness import SystemRandom
from callcenter.settings import Environment
from callcenter.staff import sessions as rows
from callcenter.staff.sessions import Sessions
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, replaced, unanimous
from tests.attack.escaping import ESCAPED
from tests.attack.ground import Ground
from tests.attack.scene import house_settings
from tests.integration.consoles import PASSWORD as OWN_PASSWORD
from tests.integration.consoles import opened_console, secret_on
from tests.unit.console.doubles import ALICE, PASSWORD, StaffDouble, open_desk
from tests.unit.console.guest import Answer

EVIL = "https://evil.example"


# --- forms of other pages

OWN_PAGES = replaced("forms of our own pages", "ASVS 3.5.1", guard, "check_source", lambda *_: None)
PROOF = replaced("a proof in each form", "ASVS 3.5.1", FormProofs, "check", lambda *_: None)
BOUND = replaced("a proof for one session", "ASVS 3.5.1", FormProofs, "proof", lambda *_: "the same for everybody")
KEYED = replaced(
    "a proof that needs our key",
    "ASVS 3.5.1",
    FormProofs,
    "proof",
    lambda _, binding: sha256(binding.encode()).hexdigest(),
)


@attack(stopped_by=(OWN_PAGES, PROOF))
async def test_another_sites_page_sends_a_form_in_the_name_of_whoever_reads_it() -> Outcome:
    """As if the browser sent the session's cookie along, which ``SameSite`` forbids it."""
    async with open_desk() as desk:
        other = desk.staff.new(stage=Stage.FULL)
        await desk.signed_in()
        await desk.guest.send("/compte/sessions/fin", {}, of=EVIL)
        return gained(other not in desk.staff.sessions)


@attack(stopped_by=(OWN_PAGES, PROOF))
async def test_somebody_is_signed_in_under_the_attackers_account() -> Outcome:
    """What they write down from then on, the attacker reads."""
    async with open_desk() as desk:
        await desk.guest.send("/connexion", {"login": ALICE.login, "password": PASSWORD}, of=EVIL)
        return gained(desk.guest.cookies.get("__Host-callcenter"))


@attack(stopped_by=BOUND)
async def test_a_form_bears_the_proof_of_another_session() -> Outcome:
    """The attacker works here too, and has put a form of theirs where it counts as ours."""
    async with open_desk() as desk:
        await desk.signed_in()
        of_the_attacker = (await desk.guest.get("/")).proof
        await desk.signed_in()
        other = desk.staff.new(stage=Stage.FULL)
        await desk.guest.send("/compte/sessions/fin", {"preuve": of_the_attacker})
        return gained(other not in desk.staff.sessions)


@attack(stopped_by=KEYED)
async def test_a_cookie_is_made_up_together_with_its_proof() -> Outcome:
    async with open_desk() as desk:
        seed = "a" * 64
        desk.guest.cookies["__Host-callcenter-formulaire"] = seed
        made_up = {"preuve": sha256(seed.encode()).hexdigest(), "login": ALICE.login, "password": PASSWORD}
        await desk.guest.send("/connexion", made_up)
        return gained(desk.guest.cookies.get("__Host-callcenter"))


# --- names and addresses

OWN_HOST = replaced("one Host, which is ours", "ASVS 4.1.3", guard, "check_head", lambda *_: None)


@attack(stopped_by=OWN_HOST)
async def test_a_page_is_read_under_a_name_of_the_attackers() -> Outcome:
    """Their name is given our address, after their page has been loaded under it (DNS rebinding)."""
    async with open_desk() as desk:
        tries = {
            "Host": await desk.guest.get("/connexion", {"Host": "evil.example"}),
            "port": await desk.guest.get("/connexion", {"Host": "localhost:1"}),
            "suffix": await desk.guest.get("/connexion", {"Host": desk.guest.origin[7:] + ".evil.example"}),
        }
        return unanimous({name: gained(page.status == 200) for name, page in tries.items()})


OWN_RETURN = replaced("pages of ours to come back to", "CWE-601", visits, "safe_return", lambda asked: asked or "/")


@attack(stopped_by=OWN_RETURN)
async def test_a_link_to_us_leads_to_the_attackers_page_after_signing_in() -> Outcome:
    led = {}
    for there in (f"{EVIL}/", "//evil.example/", "/\\evil.example", "https:evil.example"):
        async with open_desk() as desk:
            await desk.guest.get("/connexion?suite=" + there.replace("\\", "%5C"))
            await desk.guest.post("/connexion", login=ALICE.login, password=PASSWORD, suite=there)
            await desk.guest.get("/connexion/facteur?suite=" + there.replace("\\", "%5C"))
            gone = await desk.guest.post("/connexion/facteur/application", code="492039", suite=there)
            led[there] = gained(gone.location == there)
    return unanimous(led)


OUR_PROXIES = replaced("our own proxies alone say who asks", "ASVS 4.1.3", addresses, "_is_proxy", lambda *_: True)


@attack(stopped_by=OUR_PROXIES)
async def test_tries_are_spread_over_addresses_that_are_made_up() -> Outcome:
    async with open_desk() as desk:
        await desk.guest.get("/connexion")
        for number in range(3):
            forwarded = {"X-Forwarded-For": f"198.51.100.{number}"}
            await desk.guest.post("/connexion", login=ALICE.login, password="x", headers=forwarded)
        return gained(len(set(desk.staff.addresses)) > 1)


# --- what a page may be made to do


def _without(name: str, header: str, value: str | None) -> Defence:
    """The header is not sent, or says less."""

    def off(sabotage: Sabotage) -> None:
        others = {key: text for key, text in headers.HEADERS.items() if key != header}
        changed = {} if value is None else {header: value}
        sabotage.replace(headers, "HEADERS", others | changed)

    return Defence(name, "ASVS 3.4", off)


POLICY = "Content-Security-Policy"
FRAMED_BY_NOBODY = _without("framed by nobody", POLICY, headers.POLICY.replace("frame-ancestors 'none'", ""))
DENIED = _without("X-Frame-Options", "X-Frame-Options", None)


def _can_be_framed(page: Answer) -> bool:
    return "frame-ancestors" not in page.headers.get(POLICY, "") and "X-Frame-Options" not in page.headers


@attack(stopped_by=(FRAMED_BY_NOBODY, DENIED))
async def test_a_page_is_put_invisibly_over_the_attackers_buttons() -> Outcome:
    async with open_desk() as desk:
        await desk.signed_in()
        pages = {path: await desk.guest.get(path) for path in ("/", "/compte", "/nothing")}
        return unanimous({path: gained(_can_be_framed(page)) for path, page in pages.items()})


@attack(stopped_by=ESCAPED)
async def test_a_name_brings_markup_into_the_pages_of_others() -> Outcome:
    name = "<img src=x onerror=alert(1)>"
    async with open_desk() as desk:
        await desk.signed_in(name=name)
        pages = {path: await desk.guest.get(path) for path in ("/", "/compte")}
        await desk.signed_in(name=name, stage=Stage.PASSWORD)
        pages["/connexion/facteur"] = await desk.guest.get("/connexion/facteur")
        desk.guest.cookies.clear()
        await desk.guest.get("/connexion")
        pages["/connexion"] = await desk.guest.post("/connexion", login=f'"> {name}', password="")
        return unanimous({path: gained(name in page.text) for path, page in pages.items()})


# --- who comes in

DOORS = replaced("doors that ask who comes", "AU-02", visits, "_elsewhere", lambda *_: None)


@attack(stopped_by=DOORS)
async def test_a_password_without_a_second_factor_opens_the_pages() -> Outcome:
    async with open_desk() as desk:
        await desk.signed_in(stage=Stage.PASSWORD)
        pages = {path: await desk.guest.get(path) for path in ("/", "/compte")}
        return unanimous({path: gained(page.status == 200) for path, page in pages.items()})


def _any_size(sabotage: Sabotage) -> None:
    for module in (forms, application):
        sabotage.replace(module, "LARGEST_FORM", 64 * 1024 * 1024)


BOUNDED = Defence("bounded forms", "ASVS 4.3", _any_size)


@attack(stopped_by=BOUNDED)
async def test_a_form_fills_the_memory() -> Outcome:
    async with open_desk(StaffDouble()) as desk:
        await desk.guest.get("/connexion")
        page = await desk.guest.post("/connexion", login=ALICE.login, password=PASSWORD, more="x" * 900_000)
        assert page.status in (303, 413)
        return gained(desk.staff.addresses)


# --- a session that somebody else knows of


async def _risen_in_place(
    self: Sessions,
    connection: AsyncConnection,
    staff: UUID,
    stage: rows.Stage,
    *,
    instead_of: str | None = None,
    stepped_up: bool = False,
) -> str:
    """A session that rises under the token that it had."""
    if instead_of is None:
        return await _BEGIN(self, connection, staff, stage, stepped_up=stepped_up)
    rises = text("UPDATE staff_session SET stage = 'full', stepped_up_at = seen_at WHERE token_mark = :mark")
    await connection.execute(rises, {"mark": rows.mark_of(instead_of)})
    return instead_of


_BEGIN = Sessions.begin


def _one_token(sabotage: Sabotage) -> None:
    sabotage.sql("GRANT UPDATE (stage) ON staff_session TO callcenter_app")
    sabotage.replace(Sessions, "begin", _risen_in_place)


FRESH_TOKEN = Defence("another token at each step", "ASVS 7.2.4", _one_token)


@attack(stopped_by=FRESH_TOKEN)
async def test_a_token_is_read_before_its_owner_gives_the_second_factor(ground: Ground, clock: DrivenClock) -> Outcome:
    """At a shared machine, or planted there (session fixation)."""
    async with opened_console(ground.app, ground.sealer, clock) as console:
        await console.joined()
        await console.guest.get("/")
        await console.guest.post("/deconnexion")
        await console.guest.get("/connexion")
        half = await console.guest.post("/connexion", login="operatrice1", password=OWN_PASSWORD)
        async with console.another() as attacker:
            attacker.cookies.update(console.guest.cookies)
            await console.guest.follow(half)
            assert (await console.guest.post("/connexion/facteur/application", code=console.code())).location == "/"
            return gained((await attacker.get("/")).status == 200)


def _never_revoked(sabotage: Sabotage) -> None:
    sabotage.rewrite(rows, "_LIVE", "s.revoked_at IS NULL", "true")


ASKED_EACH_TIME = Defence("a session is looked up for each page", "AU-06", _never_revoked)


@attack(stopped_by=ASKED_EACH_TIME)
async def test_a_page_is_opened_with_a_session_that_was_ended(ground: Ground, clock: DrivenClock) -> Outcome:
    outcomes = {}
    async with opened_console(ground.app, ground.sealer, clock) as console:
        for how, path in (("signed out", "/deconnexion"), ("ended by its owner", "/compte/sessions/fin")):
            login = f"operatrice{len(outcomes)}"
            await console.joined(login)
            async with console.another() as thief:
                if path == "/deconnexion":
                    thief.cookies.update(console.guest.cookies)
                else:
                    await console.sign_in(login, guest=thief)
                assert (await thief.get("/compte")).status == 200
                await console.guest.get("/compte")
                await console.guest.post(path)
                outcomes[how] = gained((await thief.get("/compte")).status == 200)
    return unanimous(outcomes)


def _always_confirmed(sabotage: Sabotage) -> None:
    sabotage.replace(rows.StaffSession, "may_change_account", property(lambda self: self.is_full))


CONFIRMED = Defence("a factor of the last minutes", "ASVS 7.5.3", _always_confirmed)


@attack(stopped_by=CONFIRMED)
async def test_somebody_at_a_screen_that_was_left_open_makes_the_account_theirs(
    ground: Ground, clock: DrivenClock
) -> Outcome:
    async with opened_console(ground.app, ground.sealer, clock) as console:
        await console.joined()
        clock.advance(6 * 60)
        await console.guest.get("/compte")
        codes = await console.guest.post("/compte/codes-de-secours")
        await console.guest.get("/compte")
        own = await console.guest.post("/compte/application")
        return unanimous({"codes": gained("<ol" in codes.text), "application": gained(secret_on(own))})


# --- the demo's staff, elsewhere

FOR_PLAY = replaced("the demo's staff are the demo's alone", "AU-02", demo_staff, "only_for_play", lambda _: None)


@attack(stopped_by=FOR_PLAY)
async def test_the_demos_password_and_codes_open_an_installation(ground: Ground, clock: DrivenClock) -> Outcome:
    settings, opened = house_settings(ground.keys_file, {}), {}
    assert settings.environment is not Environment.DEMO
    try:
        await demo_staff.seed_staff(settings, ground.app, ground.sealer, clock, SystemRandom())
        opened["accounts"] = SUCCEEDED
    except ConfigurationError:
        opened["accounts"] = FOILED
    try:
        opened["codes"] = gained(demo_staff.code_of(settings, ground.sealer, "operatrice1", clock.now()))
    except ConfigurationError:
        opened["codes"] = FOILED
    return unanimous(opened)
