"""What a browser is told to keep to, on every answer (ASVS 3.4).

``Referrer-Policy`` is ``same-origin``, not ``no-referrer``: under the latter a browser sends ``Origin: null`` with our
own forms (Fetch §3.2), and there would be nothing to check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from callcenter.console.origin import ConsoleOrigin

#: Nothing but our own files, no script or style in a page, and no script that makes markup of a text (Trusted Types).
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self)",
    hdrs.SERVER: "callcenter",
}
#: Nothing of a page stays on the machine of whoever looked at it (SM-09).
NOT_KEPT = "no-store"
_A_YEAR = "max-age=31536000"


@dataclass(frozen=True, slots=True)
class Sound:
    """What a page may do besides, because one speaks or listens on it.

    Arguments:
        connects: origins that it may fetch from and open sockets to.
        plays: origins that it may play sound from.
        speaks: it may use the microphone.
    """

    connects: tuple[str, ...] = ()
    plays: tuple[str, ...] = ()
    speaks: bool = True


#: Set by the page on which one speaks, by those that play what was spoken, and by no other.
SOUND: Final = web.RequestKey("sound", Sound)


def protect(response: web.StreamResponse, origin: ConsoleOrigin, sound: Sound | None = None) -> None:
    """Put the headers on an answer; one that says nothing of keeping it is not kept.

    Arguments:
        sound: what its page may do besides.
    """
    response.headers.update(HEADERS)
    if sound is not None:
        response.headers["Content-Security-Policy"] = _with_sound(HEADERS["Content-Security-Policy"], sound)
        if sound.speaks:
            permitted = HEADERS["Permissions-Policy"].replace("microphone=()", "microphone=(self)")
            response.headers["Permissions-Policy"] = permitted
    response.headers.setdefault(hdrs.CACHE_CONTROL, NOT_KEPT)
    if origin.encrypted:
        response.headers["Strict-Transport-Security"] = _A_YEAR


def _with_sound(policy: str, sound: Sound) -> str:
    more = {"connect-src": ("'self'", *sound.connects), "media-src": sound.plays}
    kept = [part for part in policy.split("; ") if part.split(" ", 1)[0] not in more]
    return "; ".join([*kept, *(f"{name} {' '.join(sources)}" for name, sources in more.items() if sources)])
