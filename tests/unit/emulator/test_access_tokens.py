"""Access tokens: those that Twilio's SDK makes are taken, and each thing that may be wrong with one has its code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VideoGrant, VoiceGrant

from callcenter.emulator.access_tokens import AccessTokens, Grant, TokenError
from tests.unit.emulator.bench import ACCOUNT

KEY, SECRET = "SK" + "1" * 32, "un secret de trente-deux octets !"
APPLICATION = "AP" + "2" * 32
NOW = datetime(2026, 11, 26, 10, tzinfo=UTC)
SECOND = int(NOW.timestamp())
HEADER = {"alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1"}
CLAIMS: dict[str, Any] = {
    "jti": f"{KEY}-{SECOND}",
    "iss": KEY,
    "sub": ACCOUNT,
    "nbf": SECOND,
    "exp": SECOND + 600,
    "grants": {"identity": "op_7", "voice": {"outgoing": {"application_sid": APPLICATION}}},
}


def verify(token: str) -> Grant:
    return AccessTokens(ACCOUNT, {KEY: SECRET}, lambda: NOW).verify(token)


def made(secret: str = SECRET, header: dict[str, Any] | None = None, **claims: object) -> str:
    """A token that differs in some claims from one that is right; None takes one out."""
    body = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(body, secret, algorithm="HS256", headers=HEADER if header is None else header)


def test_a_token_of_the_sdk_is_taken() -> None:
    voice = VoiceGrant(
        incoming_allow=True, outgoing_application_sid=APPLICATION, outgoing_application_params={"site": "lyon"}
    )
    token = AccessToken(ACCOUNT, KEY, SECRET, [voice, VideoGrant("salle")], identity="op_7", nbf=SECOND,
                        valid_until=SECOND + 600).to_jwt()  # fmt: skip
    until = NOW + timedelta(seconds=600)
    assert verify(token) == Grant("op_7", until, True, APPLICATION, (("site", "lyon"),))


def test_what_is_not_granted_is_not_allowed() -> None:
    grants = {"identity": "op_7", "voice": {}}
    assert verify(made(grants=grants)) == Grant("op_7", NOW + timedelta(seconds=600))
    grants = {"identity": "op_7", "voice": {"incoming": {"allow": "true"}}}  # a text is no yes
    assert verify(made(grants=grants)).rings is False


def test_a_day_is_the_longest_and_a_second_before_the_end_is_in_time() -> None:
    assert verify(made(exp=SECOND + 86_400)).identity == "op_7"
    assert verify(made(exp=SECOND + 1, nbf=SECOND - 86_399)).identity == "op_7"
    assert verify(made(nbf=None)).identity == "op_7"


WRONG = {
    "empty": ("", 20101),
    "two parts": ("a.b", 20101),
    "no base64": ("a?.b.c", 20101),
    "no JSON": ("YWJj.YWJj.YWJj", 20101),
    "a list": ("W10.W10.W10", 20101),
    "far too deep": (".".join(["W1tb" * 900] * 3), 20101),
    "too long": (made(jti="x" * 9000), 20101),
    "a stray bit in its signature": (made()[:-1] + ("B" if made()[-1] == "A" else chr(ord(made()[-1]) + 1)), 20101),
    "no algorithm": (jwt.encode(CLAIMS, None, algorithm="none", headers=HEADER | {"alg": "none"}), 20102),
    "another algorithm": (jwt.encode(CLAIMS, SECRET * 2, algorithm="HS512", headers=HEADER | {"alg": "HS512"}), 20102),
    "no content type": (made(header={}), 20102),
    "another account": (made(sub="AC" + "0" * 32), 20103),
    "no account": (made(sub=None), 20103),
    "an unknown key": (made(iss="SK" + "0" * 32), 20103),
    "a key that is no text": (
        # written by hand: the library refuses to write such an issuer
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImN0eSI6InR3aWxpby1mcGE7dj0xIn0.eyJpc3MiOltdfQ.AAAA",
        20103,
    ),
    "another secret": (made("un autre secret de trente-deux octets"), 20107),
    "ended": (made(exp=SECOND), 20104),
    "no end": (made(exp=None), 20104),
    "an end that is no number": (made(exp=True), 20104),
    "an end beyond all dates": (made(exp=1 << 60), 20104),
    "not begun": (made(nbf=SECOND + 1), 20105),
    "begun at no time": (made(nbf=-1), 20105),
    "longer than a day": (made(exp=SECOND + 86_401), 20157),
    "longer than a day, most of it past": (made(exp=SECOND + 1, nbf=SECOND - 86_400), 20157),
    "longer than a day, without a beginning": (made(exp=SECOND + 86_401, nbf=None), 20157),
    "no grants": (made(grants=None), 20106),
    "no identity": (made(grants={"voice": {}}), 20106),
    "an identity with a colon": (made(grants={"identity": "client:op", "voice": {}}), 20106),
    "no voice": (made(grants={"identity": "op_7", "video": {}}), 20106),
    "an application that is no text": (
        made(grants={"identity": "op_7", "voice": {"outgoing": {"application_sid": 7}}}),
        20106,
    ),
    "parameters that are no texts": (
        made(grants={"identity": "op_7", "voice": {"outgoing": {"params": {"a": 7}}}}),
        20106,
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_has_the_carriers_code(case: str) -> None:
    token, code = WRONG[case]
    with pytest.raises(TokenError) as refused:
        verify(token)
    assert refused.value.code == code
    assert SECRET not in str(refused.value)
