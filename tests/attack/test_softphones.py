"""Softphones that are not one's own, at the carrier in a box: what somebody tries who has half of a token, or another's
page open beside. The operator's own page is attacked elsewhere; here it is what stands behind every one of them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace

import aiohttp
import jwt

from callcenter.emulator import access_tokens, sockets, softphones
from callcenter.emulator.access_tokens import AccessTokens
from callcenter.emulator.browser import guard
from callcenter.emulator.patchboard import Patchboard
from callcenter.emulator.softphones import Softphone as House
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.unit.emulator.bench import ACCOUNT, CALLER, PRACTICE, Bench, bench, twiml
from tests.unit.emulator.softphone import DESK, KEY, SDP, SECRET, Softphone, connected, softphone, token

OTHER_SECRET = "un autre secret de trente-deux octets"
ROOM = twiml('<Dial><Conference waitUrl="">salle</Conference></Dial>')
PAGES = {
    "/desk": ROOM,
    "/voice": twiml("<Dial><Client>op_8</Client></Dial>"),
    "/voice-33465710002": ROOM,
}


@asynccontextmanager
async def house() -> AsyncIterator[Bench]:
    served = (PRACTICE, "+33465710002")
    pages = {**PAGES, "/voice-33465710001": PAGES["/voice"]}
    async with bench(pages, api_keys={KEY: SECRET}, applications={DESK: "/desk"}, served=served) as desk:
        yield desk


async def opens(desk: Bench, given: str) -> Outcome:
    """Whether a softphone opens with this token."""
    async with connected(desk) as phone:
        await phone.say("open", token=given)
        message = json.loads((await phone.socket.receive()).data)
        return gained(message["type"] == "opened")


def signed(header: dict[str, str], secret: str | None = SECRET, **claims: object) -> str:
    """A token with this header."""
    now = int(time.time())
    body = {"iss": KEY, "sub": ACCOUNT, "nbf": now - 1, "exp": now + 600, "grants": {"identity": "op_7", "voice": {}}}
    header = {"typ": "JWT", "cty": access_tokens.CONTENT, **header}
    return jwt.encode(body | claims, secret, algorithm=header["alg"], headers=header)


def _any_signature(sabotage: Sabotage) -> None:
    sabotage.replace(access_tokens, "_check_signature", lambda *_: None)


def _any_header(sabotage: Sabotage) -> None:
    sabotage.replace(access_tokens, "_check_header", lambda *_: None)


def _any_account(sabotage: Sabotage) -> None:
    sabotage.replace(AccessTokens, "_secret", lambda *_: SECRET)


def _any_time(sabotage: Sabotage) -> None:
    def life(tokens: AccessTokens, payload: dict[str, float]) -> object:
        return access_tokens.datetime.fromtimestamp(payload["exp"], access_tokens.UTC)

    sabotage.replace(AccessTokens, "_life", life)


def _any_grant(sabotage: Sabotage) -> None:
    sabotage.replace(access_tokens, "_voice", lambda _: {})


SIGNATURE = Defence("the token's signature", "a softphone is who the application says", _any_signature)
HEADER = Defence("one algorithm", "a token is signed in one way", _any_header)
ISSUER = Defence("the token's account", "a key signs for its own account", _any_account)
LIFE = Defence("the token's life", "a token ends", _any_time)
VOICE = Defence("the voice grant", "a token of something else calls nobody", _any_grant)


@attack(stopped_by=SIGNATURE)
async def test_a_softphones_token_is_forged() -> Outcome:
    async with house() as desk:
        right = token()
        head, body, signature = right.split(".")
        other = token("op_8").split(".")
        forgeries = {
            "by another secret": token(secret=OTHER_SECRET),
            "with another's words": f"{head}.{other[1]}.{signature}",
            "without a signature": f"{head}.{body}.",
            "with half of one": f"{head}.{body}.{signature[:20]}",
        }
        return unanimous({name: await opens(desk, forged) for name, forged in forgeries.items()})


@attack(stopped_by=(HEADER, SIGNATURE))
async def test_a_softphones_token_says_that_it_needs_no_signature() -> Outcome:
    async with house() as desk:
        forgeries = {
            "none": signed({"alg": "none"}, None),
            "None": signed({"alg": "none"}, None).replace(
                signed({"alg": "none"}, None).split(".")[0],
                access_tokens.base64.urlsafe_b64encode(b'{"alg":"None","cty":"twilio-fpa;v=1"}').rstrip(b"=").decode(),
            ),
            "another one": signed({"alg": "HS512"}, OTHER_SECRET * 2),
        }
        return unanimous({name: await opens(desk, forged) for name, forged in forgeries.items()})


@attack(stopped_by=ISSUER)
async def test_a_softphones_token_is_of_another_account() -> Outcome:
    async with house() as desk:
        tokens = {
            "its account": token(account="AC" + "9" * 32),
            "its key": signed({"alg": "HS256"}, iss="SK" + "9" * 32),
            "no account": signed({"alg": "HS256"}, sub=""),
        }
        return unanimous({name: await opens(desk, given) for name, given in tokens.items()})


@attack(stopped_by=LIFE)
async def test_a_softphones_token_is_used_before_or_after_its_time_or_for_ever() -> Outcome:
    async with house() as desk:
        now = int(time.time())
        tokens = {
            "after": token(seconds=-1),
            "before": token(nbf=now + 3600, seconds=7200),
            "for ever": token(seconds=10 * 365 * 86_400),
        }
        return unanimous({name: await opens(desk, given) for name, given in tokens.items()})


@attack(stopped_by=VOICE)
async def test_a_token_of_another_product_opens_a_softphone() -> Outcome:
    async with house() as desk:
        return await opens(desk, signed({"alg": "HS256"}, grants={"identity": "op_7", "video": {"room": "salle"}}))


def _any_parameter(sabotage: Sabotage) -> None:
    sabotage.replace(softphones, "trouble_with", lambda _: None)


PARAMETERS = Defence("the names of parameters", "a page fills in none of the carrier's fields", _any_parameter)


@attack(stopped_by=PARAMETERS)
async def test_a_page_writes_who_calls_into_the_parameters_of_its_call() -> Outcome:
    async with house() as desk, softphone(desk) as phone:
        await phone.say("connect", parameters={"From": "client:op_8", "Caller": "client:op_8"}, request=1)
        await phone.say("connect", request=2)
        await phone.told("calling")
        while not desk.application.requests:
            await phone.told("call")
        return gained(any(asked["From"] == "client:op_8" for asked in desk.application.asked("/desk")))


def _any_identity(sabotage: Sabotage) -> None:
    sabotage.replace(softphones, "_check_same", lambda *_: None)


SAME = Defence("a line's identity", "a line is one softphone's from its beginning to its end", _any_identity)


@attack(stopped_by=SAME)
async def test_an_open_line_becomes_another_softphones() -> Outcome:
    async with house() as desk, softphone(desk) as phone:
        sid = await phone.call()
        await phone.say("token", token=token("op_8", incoming=True))
        await desk.client.start(CALLER, PRACTICE, "live")
        await phone.say("hang_up", call=sid)
        await phone.told("call", state="over")
        return gained((await desk.get("/clients"))["clients"])


def _any_ring(sabotage: Sabotage) -> None:
    sabotage.replace(House, "_rung", lambda phone: phone._house.switchboard.ringing())


RINGS = Defence("whose ring it is", "a call is answered by whom it rings", _any_ring)


@attack(stopped_by=RINGS)
async def test_a_softphone_answers_what_rings_for_another() -> Outcome:
    async with (
        house() as desk,
        softphone(desk, incoming=True) as thief,
        softphone(desk, identity="op_8", incoming=True) as phone,
    ):
        await desk.client.start(CALLER, PRACTICE, "live")
        leg = (await phone.told("ringing"))["call"]
        await thief.say("answer", call=leg, request=3)
        await thief.say("hang_up", call="CA" + "0" * 32, request=4)
        await thief.told("error", request=4)
        return gained((await desk.get(f"/calls/{leg}"))["status"] == "in-progress")


def _anybodys_leg(sabotage: Sabotage) -> None:
    def own(phone: House, sid: str) -> object:
        return SimpleNamespace(call=phone._house.switchboard.calls[sid])

    sabotage.replace(House, "_own", own)


def _anybodys_carriage(sabotage: Sabotage) -> None:
    sabotage.replace(Patchboard, "_own", lambda board, _, sid: board._carried[sid])


def _any_link(sabotage: Sabotage) -> None:
    sabotage.replace(Patchboard, "_link", lambda board, _, number: board._links[number])


LEG = Defence("whose leg it is", "a page acts on its own legs alone", _anybodys_leg)
CARRIAGE = Defence("who carries a leg", "a leg's sound is arranged by its own page", _anybodys_carriage)
LINK = Defence("whose link it is", "who is not joined with somebody sends them nothing", _any_link)


@attack(stopped_by=LEG)
async def test_a_softphone_hangs_up_another() -> Outcome:
    async with house() as desk, softphone(desk) as phone, softphone(desk, identity="op_8") as thief:
        sid = await phone.call()
        await thief.say("hang_up", call=sid)
        await thief.say("connect")
        await thief.told("calling")
        return gained((await desk.get(f"/calls/{sid}"))["activity"] == "ended")


@asynccontextmanager
async def two_who_talk(desk: Bench) -> AsyncIterator[tuple[Softphone, Softphone, str, str, int]]:
    """Two softphones in a conference: the one that offers first; their legs, and the link between these."""
    async with softphone(desk) as one, softphone(desk, identity="op_8") as other:
        legs = {await one.call(): one, await other.call(): other}
        first, second = sorted(legs)
        (link,) = await legs[first].linked(first, hears=True)
        await legs[second].linked(second, hears=True)
        yield legs[first], legs[second], first, second, link["link"]


OFFER = {"description": {"type": "offer", "sdp": SDP}}


async def reached(victim: Softphone, by: Softphone) -> Outcome:
    """Whether the victim's page was sent something by now."""
    await by.say("?", request=9)
    await by.told("error", request=9)
    await victim.say("?", request=9)
    await victim.told("error", request=9)
    return gained(any(message["type"] == "signal" for message in victim._told))


@attack(stopped_by=(LEG, CARRIAGE))
async def test_a_softphone_arranges_sound_for_anothers_leg() -> Outcome:
    async with (
        house() as desk,
        two_who_talk(desk) as (_, second, leg, _sid, link),
        softphone(desk, identity="op_9") as thief,
    ):
        await thief.say("signal", call=leg, link=link, **OFFER)
        return await reached(second, thief)


@attack(stopped_by=CARRIAGE)
async def test_a_telephones_page_arranges_sound_for_a_leg_that_it_does_not_carry() -> Outcome:
    async with (
        house() as desk,
        two_who_talk(desk) as (_, second, leg, _sid, link),
        connected(desk, "/emulator/sound", origin=None) as thief,
    ):
        await thief.say("signal", call=leg, link=link, **OFFER)
        return await reached(second, thief)


@attack(stopped_by=LINK)
async def test_a_softphone_sends_something_over_a_link_that_is_not_its_own() -> Outcome:
    async with (
        house() as desk,
        two_who_talk(desk) as (first, _second, *_, link),
        connected(desk, "/emulator/sound", origin=None) as thief,
    ):
        caller = await desk.client.start(CALLER, "+33465710009", "live")  # somebody in no conference
        await thief.say("carry", call=caller, first=True)
        answer = {"description": {"type": "answer", "sdp": SDP}}
        await thief.say("signal", call=caller, link=link, **answer)
        return await reached(first, thief)


def _boundless_rate(sabotage: Sabotage) -> None:
    sabotage.replace(sockets, "BURST", 1_000_000)


def _boundless_pages(sabotage: Sabotage) -> None:
    sabotage.replace(sockets, "MOST", 1_000_000)


def _any_origin(sabotage: Sabotage) -> None:
    sabotage.replace(guard, "is_loopback", lambda _: True)


RATE = Defence("the rate of messages", "one page does not keep the others waiting", _boundless_rate)
PLACES = Defence("the number of pages", "nobody takes every place", _boundless_pages)
ORIGIN = Defence("pages of this machine", "a site on the web has no business here", _any_origin)


@attack(stopped_by=RATE)
async def test_a_page_floods_the_emulator() -> Outcome:
    async with house() as desk, softphone(desk) as phone:
        sid = await phone.call()
        try:
            for _ in range(3 * 400):
                await phone.say("keys", call=sid, digits="1")
        except ConnectionError:
            pass  # put off meanwhile
        else:
            await phone.say("hang_up", call=sid)
        await desk.closed(sid)
        entered = len((await desk.get(f"/calls/{sid}"))["entered"])
        return gained(entered > 2 * 400)


@attack(stopped_by=PLACES)
async def test_a_page_takes_every_place() -> Outcome:
    async with house() as desk, AsyncExitStack() as stack:
        taken = 0
        try:
            for _ in range(70):
                await stack.enter_async_context(connected(desk))
                taken += 1
        except aiohttp.WSServerHandshakeError:
            pass  # refused before it is a WebSocket
        return gained(taken > 64)


@attack(stopped_by=ORIGIN)
async def test_a_site_on_the_web_opens_a_softphone_with_a_token_that_it_has_seen() -> Outcome:
    async with house() as desk:
        try:
            async with connected(desk, origin="https://somewhere.example") as phone:
                await phone.say("open", token=token())
                return gained(await phone.told("opened"))
        except aiohttp.WSServerHandshakeError:
            return gained(None)
