"""Access tokens of softphones, verified as the carrier does: whose they are, until when, and what they allow.

A token is a JWT that the application signs with the secret of an API key of the account. Nothing of it is believed
before its signature has been checked, and of its algorithms there is one.

Source: https://www.twilio.com/docs/iam/access-tokens
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from callcenter.emulator.clients import IDENTITY
from callcenter.emulator.errors import EmulatorError

CONTENT = "twilio-fpa;v=1"
ALGORITHM = "HS256"
LONGEST_LIFE = 86_400  # seconds
LONGEST = 8 * 1024  # characters: ours; a real one has a few hundred

INVALID, HEADER, ISSUER, EXPIRED, EARLY, GRANTS, SIGNATURE = 20101, 20102, 20103, 20104, 20105, 20106, 20107
TOO_LONG = 20157


class TokenError(EmulatorError):
    """A token that opens nothing.

    Arguments:
        code: the carrier's error code.
        message: what is wrong with it.
    """

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows.

    Arguments:
        identity: the name under which the softphone calls and is called.
        until: when the token ends.
        rings: whether it may be called.
        application: the TwiML application (``AP…``) that it may call, if any.
        parameters: what the application is told of its calls besides, whatever the page says.
    """

    identity: str
    until: datetime
    rings: bool = False
    application: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()


class AccessTokens:
    """Verifies tokens.

    Arguments:
        account_sid: the account that they must be of.
        api_keys: secrets of its API keys by their identifiers (``SK…``).
        now: the time by which they begin and end.
    """

    def __init__(self, account_sid: str, api_keys: Mapping[str, str], now: Callable[[], datetime]) -> None:
        self._account_sid = account_sid
        self._api_keys = dict(api_keys)
        self._now = now

    def verify(self, token: str) -> Grant:
        """What a token allows now.

        Raises:
            TokenError: with the carrier's code.
        """
        parts = token.split(".")
        if len(token) > LONGEST or not token.isascii() or len(parts) != 3:
            raise TokenError(INVALID, "Invalid Access Token")
        head, body, signature = parts
        header, payload = _object(head), _object(body)
        _check_header(header)
        _check_signature(_decoded(signature), self._secret(payload), f"{head}.{body}")
        until = self._life(payload)
        return _grant(payload.get("grants"), until)

    def _secret(self, payload: Mapping[str, Any]) -> str:
        """The secret of the API key that is said to have signed it."""
        issuer = payload.get("iss")
        secret = self._api_keys.get(issuer) if isinstance(issuer, str) else None
        if secret is None or payload.get("sub") != self._account_sid:
            raise TokenError(ISSUER, "Invalid Access Token issuer/subject: no API key of this account")
        return secret

    def _life(self, payload: Mapping[str, Any]) -> datetime:
        """When the token ends."""
        now = self._now().timestamp()
        ends, begins = _moment(payload.get("exp")), _moment(payload.get("nbf", now))
        if ends is None or ends <= now:
            raise TokenError(EXPIRED, "Access Token expired or expiration date invalid")
        if begins is None or begins > now:
            raise TokenError(EARLY, "Access Token not yet valid")
        if ends - begins > LONGEST_LIFE:  # its whole life, the stricter reading; what is left of it is the milder one
            raise TokenError(TOO_LONG, f"Expiration time exceeds {LONGEST_LIFE} seconds")
        return datetime.fromtimestamp(ends, UTC)


def _check_header(header: Mapping[str, Any]) -> None:
    if (header.get("alg"), header.get("cty")) != (ALGORITHM, CONTENT):
        raise TokenError(HEADER, f"Invalid Access Token header: alg is {ALGORITHM}, cty is {CONTENT}")


def _check_signature(signature: bytes, secret: str, signed: str) -> None:
    if not hmac.compare_digest(signature, hmac.digest(secret.encode(), signed.encode(), sha256)):
        raise TokenError(SIGNATURE, "Invalid Access Token signature: another secret than that of its API key")


def _grant(grants: object, until: datetime) -> Grant:
    """What the grants say; those of other products are none of ours.

    Raises:
        TokenError: no identity, or no voice grant that can be read.
    """
    given = grants if isinstance(grants, dict) else {}
    identity = given.get("identity")
    if not isinstance(identity, str) or IDENTITY.fullmatch(identity) is None:
        raise TokenError(GRANTS, "Invalid Access Token grants: identity has 1 to 256 characters, no space, : ? or /")
    voice = _voice(given)
    incoming, outgoing = voice.get("incoming", {}), voice.get("outgoing", {})
    if not isinstance(incoming, dict) or not isinstance(outgoing, dict):
        raise TokenError(GRANTS, "Invalid Access Token grants: incoming and outgoing are objects")
    application, parameters = outgoing.get("application_sid"), outgoing.get("params", {})
    if not isinstance(application, str | None) or not _texts(parameters):
        raise TokenError(GRANTS, "Invalid Access Token grants: application_sid is a text, params an object of texts")
    return Grant(identity, until, incoming.get("allow") is True, application, tuple(parameters.items()))


def _voice(grants: Mapping[str, Any]) -> Mapping[str, Any]:
    voice = grants.get("voice")
    if not isinstance(voice, dict):
        raise TokenError(GRANTS, "Invalid Access Token grants: there is no voice grant")
    return voice


def _texts(given: object) -> bool:
    return isinstance(given, dict) and all(isinstance(value, str) for value in given.values())


def _moment(given: object) -> float | None:
    """Seconds since 1970, None for what is no such number."""
    whole = isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < 1 << 33
    return float(given) if whole else None  # type: ignore[arg-type]  # it was just seen to be a number


def _object(part: str) -> Mapping[str, Any]:
    try:
        given = json.loads(_decoded(part))
    except (ValueError, RecursionError) as error:
        raise TokenError(INVALID, "Invalid Access Token") from error
    if not isinstance(given, dict):
        raise TokenError(INVALID, "Invalid Access Token")
    return given


def _decoded(part: str) -> bytes:
    """Base64 for URLs, strictly and without padding (RFC 7515 §2)."""
    try:
        decoded = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise TokenError(INVALID, "Invalid Access Token") from error
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise TokenError(INVALID, "Invalid Access Token")
    return decoded
