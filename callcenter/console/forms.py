"""Forms: how they are read, and the proof in each that it is one of ours and was made for this session (ASVS 3.5.1)."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping

from aiohttp import hdrs, web

from callcenter.console.troubles import Trouble, Turned
from callcenter.store.sealed import NO_PRACTICE, Sealer

#: Bytes of a form. The longest text that one offers is what a practice is told of an incident, 8,000 characters, each
#: of up to 9 bytes in this encoding, as « ’ » and « € » are.
LARGEST_FORM = 80 * 1024
#: Seconds in which a form must have arrived whole.
READ_SECONDS = 10.0

FORM = "application/x-www-form-urlencoded"
PROOF = "preuve"

Fields = Mapping[str, str]

#: What reading a form raises that whoever sends it can bring about, by going away in the middle too: nobody of ours is
#: called for that.
BROKEN = (ValueError, OSError, web.HTTPException, web.PayloadAccessError, web.RequestPayloadError)


class FormProofs:
    """Makes and checks the proof that each form carries: an HMAC of what it is bound to, so that nothing is stored.

    Arguments:
        sealer: knows the installation's key, so that every process makes the same proofs.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def proof(self, binding: str) -> str:
        """The proof of a form.

        Arguments:
            binding: the session's token; before there is one, the seed in the cookie for forms.
        """
        return self._sealer.blind_index(NO_PRACTICE, "console.form", binding).hex()

    def check(self, binding: str | None, fields: Fields) -> None:
        """Let a form in.

        Raises:
            Turned: it bears no proof, or that of another session.
        """
        shown = fields.get(PROOF, "")
        if binding is None or not hmac.compare_digest(self.proof(binding).encode(), shown.encode()):
            raise Turned(Trouble.STALE_FORM)


async def read_form(request: web.Request, *, seconds: float = READ_SECONDS) -> Fields:
    """The fields of a form; of a field that is there twice, the first.

    Arguments:
        seconds: in which it must have arrived.

    Raises:
        Turned: it is no form, too large, too slow, or cannot be read.
    """
    encodings = request.headers.getall(hdrs.CONTENT_ENCODING, ["identity"])
    if request.content_type != FORM or encodings != ["identity"] or (request.charset or "utf-8").lower() != "utf-8":
        raise Turned(Trouble.CONTENT_TYPE)
    if (request.content_length or 0) > LARGEST_FORM:
        raise Turned(Trouble.TOO_LARGE)
    try:
        async with asyncio.timeout(seconds):
            posted = await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise Turned(Trouble.TOO_LARGE) from None
    except TimeoutError:
        raise Turned(Trouble.SLOW) from None
    except BROKEN:
        raise Turned(Trouble.UNREADABLE) from None
    return {name: value for name in posted if isinstance(value := posted.getone(name), str)}
