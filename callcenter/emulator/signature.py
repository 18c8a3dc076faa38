"""The signature that the carrier puts on every webhook."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

HEADER = "X-Twilio-Signature"


def sign(auth_token: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The signature of a request: HMAC-SHA1 in base64.

    Arguments:
        auth_token: the account's primary token.
        url: the signed URL, from :func:`signed_url`.
        parameters: the form fields of a POST; empty for a GET, whose parameters are in its URL.

    Source: https://www.twilio.com/docs/usage/security — fields sorted by name, equal pairs counted once.
    """
    text = url + "".join(name + value for name, value in sorted(set(parameters)))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def signed_url(url: str, *, keeps_https_port: bool = False) -> str:
    """The URL as it enters the signature: no user information, no fragment, and the port only where it is kept.

    Arguments:
        url: as configured; nothing else is normalised.
        keeps_https_port: True for messages; voice drops the port of https URLs and keeps that of http URLs.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "https" and not keeps_https_port and parts.port is not None:
        host = host.rpartition(":")[0]
    return parts._replace(netloc=host, fragment="").geturl()
