"""Whether a webhook comes from our carrier: its signature over the configured URL and the form.

Source: Twilio, "Webhooks security": HMAC-SHA1 with the account's auth token over the URL and the sorted parameters.
The signature has no time in it; a repetition is harmless because every step answers the same question the same way.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from multidict import MultiMapping
from twilio.request_validator import RequestValidator

from callcenter.kernel.errors import ConfigurationError, Problem
from callcenter.telephony.urls import public_base


@dataclass(frozen=True, slots=True)
class Signed:
    """The carrier sent it.

    Arguments:
        token: index of the token that signed it, to see when an old one is no longer used.
    """

    token: int


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Nothing proves that the carrier sent it."""


class SignatureCheck:
    """Checks signatures against several tokens, so that a token can be changed without a refused call.

    Arguments:
        public_base_url: scheme, host, port and prefix as the carrier was given them; userinfo and fragment are not
            part of what is signed.
        tokens: auth tokens, the current one first.

    Raises:
        ConfigurationError: the URL cannot be used, or there is no token.
    """

    def __init__(self, public_base_url: str, tokens: Sequence[str]) -> None:
        if not tokens or not all(tokens):
            what = "a webhook's signature cannot be checked without the carrier's auth token"
            raise ConfigurationError([Problem("carrier.auth_tokens", 0, what, "give at least one auth token")])
        base = public_base(public_base_url)
        # The carrier is not consistent about the port (Twilio: "SMS over HTTPS: kept, voice over HTTPS: dropped").
        # Both forms are made here: the SDK's own port functions break on IPv6 hosts.
        self._bases = (base.with_port, base.without_port)
        self._validators = tuple(RequestValidator(token) for token in tokens)

    def check(self, target: str, form: MultiMapping[Any], signatures: Sequence[str]) -> Signed | Unsigned:
        """Say whether one of the tokens signed this request.

        Arguments:
            target: path and query exactly as they were received, undecoded.
            form: every field with all of its values; empty for a request without a form.
            signatures: every X-Twilio-Signature header of the request; any number but one proves nothing.
        """
        try:
            (signature,) = signatures
            received = signature.encode()
            for index, validator in enumerate(self._validators):
                for base in self._bases:
                    expected = validator.compute_signature(base + target, form)
                    if hmac.compare_digest(expected.encode(), received):
                        return Signed(index)
        except Exception:  # whatever cannot be checked is refused: this fails closed
            return Unsigned()
        return Unsigned()
