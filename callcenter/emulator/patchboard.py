"""Real sound between pages: which legs hear one another, and the way for what their pages have to arrange for it.

A leg is *carried* by the page whose microphone and loudspeaker it has. Two legs that are together, and are carried by
different pages, have a *link*: a connection between the two pages, which carries the sound itself. The emulator never
has the sound. It says who begins, passes on what the two send each other, and says at every change who may be heard:
neither on hold nor muted is. A page that does not keep to that is not believed by the other one, which is told too.

Sound does not pass through a call of ours behind a dialled number: pages hear each other where legs do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations, count
from typing import Protocol

from callcenter.emulator.calls import Call, Company
from callcenter.emulator.errors import Refusal
from callcenter.emulator.reading import Body
from callcenter.emulator.sockets import Message

LONGEST_SDP = 24 * 1024  # characters
LONGEST_CANDIDATE = 1024
MOST_LEGS = 200  # carried together


class Page(Protocol):
    """Whatever carries legs."""

    def tell(self, message: Message) -> None: ...


@dataclass(eq=False, slots=True)
class _Carried:
    """A leg that pages have.

    Arguments:
        pages: those that would carry it; the first does.
        silent: whether its own page has muted it.
        told: the links that its page was last told.
    """

    call: Call
    pages: list[Page] = field(default_factory=list)
    silent: bool = False
    told: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Link:
    """A connection between the pages of two legs; it is another one when a page is, or the legs' company.

    Arguments:
        number: names it.
        first, second: the legs; the first one's page begins.
        pages: theirs.
        company: what the legs are in together.
    """

    number: int
    first: Call
    second: Call
    pages: tuple[Page, Page]
    company: Company

    def other(self, call: Call) -> Call:
        """The other leg."""
        return self.second if call is self.first else self.first


class Patchboard:
    """Links the legs of pages."""

    def __init__(self) -> None:
        self._carried: dict[str, _Carried] = {}
        self._links: dict[int, Link] = {}
        self._hearing: dict[str, frozenset[str]] = {}  # whom each hears, by the last look
        self._numbers = count(1)

    def carry(self, page: Page, call: Call, *, first: bool = False) -> None:
        """A page has a leg: at once if nobody else has it, or if it comes ``first``, as who has dialled does.

        Raises:
            Refusal: too many are carried.
        """
        carried = self._carried.get(call.sid)
        if carried is None:
            if len(self._carried) >= MOST_LEGS:
                raise Refusal(f"{MOST_LEGS} calls have sound: end some")
            carried = self._carried[call.sid] = _Carried(call)
        before = carried.pages[0] if carried.pages else None
        if page in carried.pages:
            carried.pages.remove(page)
        carried.pages.insert(0 if first else len(carried.pages), page)
        if before is not None and before is not carried.pages[0]:
            self._tell(carried, before, [])
        self.look()

    def drop(self, page: Page, sid: str) -> None:
        """A page has a leg no more; harmless if it had not."""
        carried = self._carried.get(sid)
        if carried is not None and page in carried.pages:
            was = carried.pages[0] is page
            carried.pages.remove(page)
            if was:
                self._tell(carried, page, [])
            self.look()

    def leave(self, page: Page) -> None:
        """A page is gone."""
        for sid in [sid for sid, carried in self._carried.items() if page in carried.pages]:
            self.drop(page, sid)

    def mute(self, page: Page, sid: str, *, silent: bool) -> None:
        """A page lets nobody hear a leg that it carries, or lets it be heard again.

        Raises:
            Refusal: it carries no such leg.
        """
        self._own(page, sid).silent = silent
        self.look()

    def relay(self, page: Page, sid: str, number: int, signal: Mapping[str, object]) -> None:
        """Pass on what one page of a link sends to the other one.

        Arguments:
            page: whose message it is.
            sid: the leg that it carries.
            number: the link's.
            signal: from :func:`signal_of`.

        Raises:
            Refusal: it carries no such leg, or the leg has no such link, or it is not this one's turn to say that.
        """
        call = self._own(page, sid).call
        link = self._link(call, number)
        description = signal.get("description")
        if isinstance(description, dict) and (description["type"] == "offer") != (call is link.first):
            raise Refusal("one of the two offers, the other one answers: it was said which", 403)
        to = link.pages[1] if call is link.first else link.pages[0]
        to.tell({"type": "signal", "call": link.other(call).sid, "link": number, "signal": dict(signal)})

    def look(self) -> None:
        """Something has changed: tell the pages whose links have."""
        for sid in [sid for sid, one in self._carried.items() if one.call.over or not one.pages]:
            gone = self._carried.pop(sid)
            if gone.pages:
                self._tell(gone, gone.pages[0], [])
        self._hearing = {sid: frozenset(far.sid for far in one.call.hears) for sid, one in self._carried.items()}
        self._links = {link.number: link for link in self._found()}
        told: dict[str, list[dict[str, object]]] = {sid: [] for sid in self._carried}
        for link in self._links.values():
            for call in (link.first, link.second):
                told[call.sid].append(self._told(link, call))
        for sid, links in told.items():
            carried = self._carried[sid]
            if links != carried.told:
                self._tell(carried, carried.pages[0], links)

    def _found(self) -> Iterable[Link]:
        known = {(link.first.sid, link.second.sid): link for link in self._links.values()}
        together: dict[int, list[_Carried]] = {}
        for carried in sorted(self._carried.values(), key=lambda one: one.call.sid):
            if carried.call.company is not None:
                together.setdefault(id(carried.call.company), []).append(carried)
        for first, second in (pair for group in together.values() for pair in combinations(group, 2)):
            pages, company = (first.pages[0], second.pages[0]), first.call.company
            if pages[0] is pages[1] or company is None:  # one page needs no connection to itself
                continue
            link = known.get((first.call.sid, second.call.sid))
            if link is not None and (link.pages, link.company) == (pages, company):
                yield link  # it stays through a hold, so that nothing is lost when that ends
            elif self._heard(first.call, second.call) or self._heard(second.call, first.call):
                yield Link(next(self._numbers), first.call, second.call, pages, company)

    def _heard(self, speaker: Call, listener: Call) -> bool:
        return not self._carried[speaker.sid].silent and speaker.sid in self._hearing[listener.sid]

    def _told(self, link: Link, call: Call) -> dict[str, object]:
        other = link.other(call)
        return {
            "link": link.number,
            "with": other.sid,
            "offers": call is link.first,
            "sends": self._heard(call, other),
            "hears": self._heard(other, call),
        }

    def _tell(self, carried: _Carried, page: Page, links: list[dict[str, object]]) -> None:
        carried.told = links
        page.tell({"type": "sound", "call": carried.call.sid, "links": links})

    def _link(self, call: Call, number: int) -> Link:
        link = self._links.get(number)
        if link is None or call not in (link.first, link.second):
            raise Refusal("this call has no such link: take those that you were told last", 403)
        return link

    def _own(self, page: Page, sid: str) -> _Carried:
        carried = self._carried.get(sid)
        if carried is None or not carried.pages or carried.pages[0] is not page:
            raise Refusal("this page does not carry that call", 403)
        return carried


def signal_of(body: Body) -> Mapping[str, object]:
    """What two pages may send each other: ``{"description": {"type", "sdp"}}`` or ``{"candidate": {…}}``.

    Raises:
        Refusal: anything else.
    """
    described, found = body.nested("description"), body.nested("candidate")
    if (described is None) == (found is None):
        raise Refusal('a signal has a "description" or a "candidate"')
    if described is not None:
        signal: dict[str, object] = {
            "type": described.choice("type", ("offer", "answer"), ""),
            "sdp": described.text("sdp", "the description", longest=LONGEST_SDP),
        }
        described.finish()
        return {"description": signal}
    assert found is not None  # noqa: S101 - one of the two was just seen to be there
    return {"candidate": _candidate(found)}


def _candidate(found: Body) -> dict[str, object]:
    candidate: dict[str, object] = {"candidate": found.text("candidate", "a candidate", longest=LONGEST_CANDIDATE)}
    middle = found.optional("sdpMid", "of which part it is")
    if middle is not None:
        candidate["sdpMid"] = middle[:LONGEST_CANDIDATE]
    candidate["sdpMLineIndex"] = found.whole("sdpMLineIndex", 0, least=0, most=16)
    name = found.optional("usernameFragment", "of which session it is")
    if name is not None:
        candidate["usernameFragment"] = name[:LONGEST_CANDIDATE]
    found.finish()
    return candidate
