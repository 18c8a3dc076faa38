"""The addresses that the carrier is given, all below the one configured public base URL.

Never made from a request's Host or forwarding headers: they can be spoofed, and are wrong behind a TLS proxy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from callcenter.calls.values import Slot
from callcenter.kernel.errors import ConfigurationError, Problem

INCOMING = "/voice/incoming"
STEP = "/voice/calls/{call}/{document}/{slot}"
WAIT = "/voice/calls/{call}/{document}/wait"
WAIT_AGAIN = "/voice/calls/{call}/{document}/wait/again"
WAIT_KEYS = "/voice/calls/{call}/{document}/wait/keys"
ROOM = "/voice/calls/{call}/{document}/room"
MEETING = "/voice/calls/{call}/{document}/meeting"
LINE = "/voice/calls/{call}/{document}/line"
LINE_OVER = "/voice/calls/{call}/{document}/line/over"
OFFER = "/voice/offers/{offer}"
OFFER_KEYS = "/voice/offers/{offer}/keys"
OFFER_STATUS = "/voice/offers/{offer}/status"
OFFER_RUNG = "/voice/offers/{offer}/rung"
OFFER_NOBODY = "/voice/offers/{offer}/nobody"
OFFER_OVER = "/voice/offers/{offer}/over"
OWN_LEG = "/voice/operators"
OWN_LEG_STATUS = "/voice/operators/status"
OWN_LEG_OVER = "/voice/operators/over"
PARTY = "/voice/parties/{offer}"
PARTY_KEYS = "/voice/parties/{offer}/keys"
PARTY_STATUS = "/voice/parties/{offer}/status"
HOLD = "/voice/hold"
REACHED = "/voice/reached/{token}"
STATUS = "/voice/status"
FALLBACK = "/voice/fallback"
MESSAGE_STATUS = "/messages/status"
RECORDING = "/voice/recordings/{call}/{document}"
MESSAGE_INCOMING = "/messages/incoming"
NOTICE_CALL = "/voice/notices/{practice}/{notice}/{round}"
MUSIC = "/audio/wait.wav"
AUDIO = "/audio/{call}/{token}"

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class PublicBase:
    """Where the carrier reaches us, without userinfo, query and fragment.

    Arguments:
        scheme: ``http`` or ``https``.
        host: name or address as it was written, because the carrier signs that text; IPv6 in brackets.
        port: the port that is reached.
        written: the port stood in the configured text.
        prefix: path before our own routes, without a final slash; restored where a proxy strips it.
    """

    scheme: str
    host: str
    port: int
    written: bool
    prefix: str

    @property
    def with_port(self) -> str:
        """The base with its port in the text."""
        return f"{self.scheme}://{self.host}:{self.port}{self.prefix}"

    @property
    def without_port(self) -> str:
        """The base without a port in the text."""
        return f"{self.scheme}://{self.host}{self.prefix}"

    @property
    def url(self) -> str:
        """The base as it was configured."""
        return self.with_port if self.written else self.without_port

    def is_host(self, header: str) -> bool:
        """Whether a request's Host header names this base and nothing else."""
        host = self.host.lower()
        names = {f"{host}:{self.port}"}
        if self.port == _DEFAULT_PORTS[self.scheme]:
            names.add(host)
        return header.lower() in names


def public_base(url: str) -> PublicBase:
    """Read the configured public base URL.

    Arguments:
        url: ``https://host[:port][/prefix]``; userinfo, query and fragment are left out.

    Raises:
        ConfigurationError: it names no host, no usable port, or a scheme other than http and https.
    """
    try:
        parts = urlsplit(url)
        scheme, named, port = parts.scheme, bool(parts.hostname), parts.port
    except ValueError:
        named = False
    if not named or scheme not in _DEFAULT_PORTS:
        what = "the public base URL is not an absolute http or https URL"
        raise ConfigurationError([Problem("PUBLIC_BASE_URL", 0, what, "write https://HOST, as the carrier reaches it")])
    return PublicBase(
        scheme=scheme,
        host=re.sub(r":[0-9]*$", "", parts.netloc.rpartition("@")[2]),
        port=port or _DEFAULT_PORTS[scheme],
        written=port is not None,
        prefix=parts.path.rstrip("/"),
    )


@dataclass(frozen=True, slots=True)
class Urls:
    """Absolute URLs for TwiML and REST parameters; they carry opaque identifiers only.

    Arguments:
        base: the public base URL.
    """

    base: PublicBase

    @classmethod
    def below(cls, public_base_url: str) -> Urls:
        """The URLs below ``public_base_url``; see :func:`public_base`."""
        return cls(public_base(public_base_url))

    def step(self, call: UUID, document: int, slot: Slot) -> str:
        """Where the continuation ``slot`` of a document is asked for."""
        return self.base.url + STEP.format(call=call, document=document, slot=slot.value)

    def wait(self, call: UUID, document: int) -> str:
        """Where the carrier asks what a caller hears who waits at a document."""
        return self.base.url + WAIT.format(call=call, document=document)

    def wait_again(self, call: UUID, document: int) -> str:
        """The same, once it could not be told."""
        return self.base.url + WAIT_AGAIN.format(call=call, document=document)

    def wait_keys(self, call: UUID, document: int) -> str:
        """Where a key comes to that was typed while waiting."""
        return self.base.url + WAIT_KEYS.format(call=call, document=document)

    def meeting(self, call: UUID, document: int) -> str:
        """Where a caller is led to who waited at a document, and whose call was taken."""
        return self.base.url + MEETING.format(call=call, document=document)

    def line(self, call: UUID, document: int) -> str:
        """Where a caller is led to whom an operator sends on to a line."""
        return self.base.url + LINE.format(call=call, document=document)

    def line_over(self, call: UUID, document: int) -> str:
        """Where the carrier asks what follows, once that line rings no more or is hung up."""
        return self.base.url + LINE_OVER.format(call=call, document=document)

    def room(self, call: UUID, document: int) -> str:
        """Where the carrier reports who comes into, and leaves, the conference of a caller."""
        return self.base.url + ROOM.format(call=call, document=document)

    def offer(self, offer: UUID) -> str:
        """Where the carrier asks what an operator hears whom we ring with an offer."""
        return self.base.url + OFFER.format(offer=offer)

    def offer_keys(self, offer: UUID) -> str:
        """Where a key comes to that was typed at an offer."""
        return self.base.url + OFFER_KEYS.format(offer=offer)

    def offer_status(self, offer: UUID) -> str:
        """Where the carrier reports that the operator's leg is over."""
        return self.base.url + OFFER_STATUS.format(offer=offer)

    def offer_over(self, offer: UUID) -> str:
        """Where the carrier asks what follows the talk, for the operator."""
        return self.base.url + OFFER_OVER.format(offer=offer)

    def offer_rung(self, offer: UUID) -> str:
        """Where the carrier reports that the leg of a caller is over whom we have rung back."""
        return self.base.url + OFFER_RUNG.format(offer=offer)

    def offer_nobody(self, offer: UUID) -> str:
        """Where the carrier asks what an operator hears who has waited for such a caller in vain."""
        return self.base.url + OFFER_NOBODY.format(offer=offer)

    def party(self, party: UUID) -> str:
        """Where the carrier asks what somebody hears whom we ring because they are asked into a talk."""
        return self.base.url + PARTY.format(offer=party)

    def party_keys(self, party: UUID) -> str:
        """Where a key comes to that they have typed."""
        return self.base.url + PARTY_KEYS.format(offer=party)

    def party_status(self, party: UUID) -> str:
        """Where the carrier reports that their leg is over."""
        return self.base.url + PARTY_STATUS.format(offer=party)

    @property
    def hold(self) -> str:
        """Where it is fetched what a caller hears who is on hold."""
        return self.base.url + HOLD

    @property
    def own_leg_over(self) -> str:
        """Where the carrier asks what follows the talk, for an operator who has come by the browser."""
        return self.base.url + OWN_LEG_OVER

    @property
    def music(self) -> str:
        """Where what is heard between two announcements is fetched."""
        return self.base.url + MUSIC

    def audio(self, call: UUID, token: str) -> str:
        """Where words that we synthesise are fetched."""
        return self.base.url + AUDIO.format(call=call, token=token)

    def recording(self, call: UUID, document: int) -> str:
        """Where the carrier reports that what was spoken at a document can be fetched."""
        return self.base.url + RECORDING.format(call=call, document=document)

    def notice_call(self, practice: UUID, notice: UUID, asked: int) -> str:
        """Where the words of a call that we make are asked for; ``asked``: how often its question was, from 1."""
        return self.base.url + NOTICE_CALL.format(practice=practice, notice=notice, round=asked)

    def reached(self, token: str) -> str:
        """Where the carrier comes to when a line that we ring answers."""
        return self.base.url + REACHED.format(token=token)

    @property
    def status(self) -> str:
        """Where the carrier reports how far a call that we placed has come."""
        return self.base.url + STATUS

    @property
    def message_status(self) -> str:
        """Where the carrier reports what became of a message."""
        return self.base.url + MESSAGE_STATUS
