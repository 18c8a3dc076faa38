"""Webhooks that the carrier did not send, or sent elsewhere, or sent before."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from callcenter.telephony.signature import SignatureCheck, Signed
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.scene import TOKEN as CURRENT_TOKEN
from tests.attack.scene import House
from tests.unit.telephony.doubles import CALL, INCOMING, TOKEN, Edge, running_edge, signed

FORM = ("Content-Type", "application/x-www-form-urlencoded")
SIGNATURE_HEADER = "X-Twilio-Signature"


async def reaches_the_calls(
    edge: Edge, signatures: list[str], target: str = "/voice/incoming", fields: Mapping[str, str] = INCOMING
) -> Outcome:
    """Whether a request with these signatures gets through to what answers calls."""
    before = len(edge.calls.steps)
    headers = [FORM, *((SIGNATURE_HEADER, signature) for signature in signatures)]
    answer = await edge.ask("POST", target, urlencode(fields).encode(), headers)
    handled = len(edge.calls.steps) > before
    assert answer.status == (200 if handled else 403)
    assert handled or answer.body == b""
    return gained(handled)


def _everything_is_signed(sabotage: Sabotage) -> None:
    sabotage.replace(SignatureCheck, "check", lambda *_: Signed(0))


SIGNATURE = Defence("the signature check", "every POST is proved to come from the carrier", _everything_is_signed)


@attack(stopped_by=SIGNATURE)
async def test_a_signature_is_forged() -> Outcome:
    async with running_edge() as edge:
        url, fields = edge.base + "/voice/incoming", list(INCOMING.items())
        right = signed(url, fields)
        forgeries = {
            "empty": "",
            "of zeroes": "A" * 27 + "=",
            "of another account": signed(url, fields, "another-account"),
            "cut short": right[:-2],
            "prolonged": right + "=",
            "in another case": right.swapcase(),
            "with a byte that is none": right[:-1] + "\xe9",
        }
        return unanimous({name: await reaches_the_calls(edge, [forged]) for name, forged in forgeries.items()})


@attack(stopped_by=SIGNATURE)
async def test_a_signature_is_missing_or_stands_twice() -> Outcome:
    async with running_edge() as edge:
        right = signed(edge.base + "/voice/incoming", list(INCOMING.items()))
        several = {"none": [], "twice": [right, right], "a wrong one first": ["x", right], "last": [right, "x"]}
        return unanimous({name: await reaches_the_calls(edge, some) for name, some in several.items()})


@attack(stopped_by=SIGNATURE)
async def test_a_signature_of_another_url_is_used_again() -> Outcome:
    async with running_edge() as edge:
        step = f"/voice/calls/{CALL}/1/next"
        proof = [signed(edge.base + "/voice/incoming", list(INCOMING.items()))]
        elsewhere = {target: await reaches_the_calls(edge, proof, target) for target in (step, "/voice/incoming?a=1")}
        host = signed("https://staging.example/voice/incoming", list(INCOMING.items()))
        return unanimous({**elsewhere, "another host's": await reaches_the_calls(edge, [host])})


@attack(stopped_by=SIGNATURE)
async def test_a_signature_of_another_body_is_used_again() -> Outcome:
    async with running_edge() as edge:
        target = f"/voice/calls/{CALL}/1/next"
        was = {**INCOMING, "Digits": "1"}
        proof = [signed(edge.base + target, list(was.items()))]
        bodies = {
            "another key": {**was, "Digits": "2"},
            "another caller": {**was, "From": "+33639980002"},
            "a field more": {**was, "FinishedOnKey": "#"},
            "a field less": INCOMING,
        }
        return unanimous({name: await reaches_the_calls(edge, proof, target, body) for name, body in bodies.items()})


def _the_old_token_is_kept(sabotage: Sabotage) -> None:
    sabotage.settings["carrier"] = {"auth_tokens": [CURRENT_TOKEN, TOKEN]}


ROTATION = Defence("a token that is taken out signs nothing", "a stolen token dies by rotation", _the_old_token_is_kept)


@attack(stopped_by=ROTATION)
async def test_a_token_from_before_the_rotation_signs(house: House) -> Outcome:
    url = f"{house.base}/voice/incoming"
    headers = {SIGNATURE_HEADER: signed(url, list(INCOMING.items()), TOKEN), FORM[0]: FORM[1]}
    answer = await house.ask("POST", url, urlencode(INCOMING).encode(), headers)
    assert answer.status in (200, 403)
    return gained(answer.status == 200)
