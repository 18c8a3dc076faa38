"""The flows of this process, which change while it runs: those that calls begin in, and those that calls are still in.

Whatever is run from here was proven in this process, by this version, against the policy that stands (P9); the texts of
a release that is not in memory come from the database, by the digest that the call names. That a flow is in memory
costs a step no statement.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.flows import FlowRefused, Flows, NoSuchFlow, Playable, load_one, load_release
from callcenter.calls.release import SHORT, Release
from callcenter.calls.releases import Holder, holders_of
from callcenter.disclosure.policy import Policy
from callcenter.flow.language import Flow
from callcenter.flow.prompts import PromptBook
from callcenter.kernel.documents import Kept
from callcenter.kernel.errors import CallcenterError, DataProblems, IntegrityError

_log = structlog.get_logger(__name__)

#: Flows of earlier releases, and books of prompts for those who read about past calls, that are kept in memory.
MOST_HELD, MOST_BOOKS = 64, 16
#: Flows of one reader's question that are fetched; a call is in one or two.
MOST_ASKED = 50

#: Told of a flow or a release that is not run: its digest, and why.
Refused = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Told:
    """By which a record of a flow is told.

    Arguments:
        name: the flow's.
        book: its words, or ``None`` where this version cannot read them.
    """

    name: str
    book: PromptBook | None


def _logged(digest: str, why: str) -> None:
    _log.error("flows_not_proven", digest=digest[:SHORT], verdict=why)


class Shelf:
    """Flows by digest.

    Arguments:
        current: the release that calls begin in; it is proven.
        refused: told of each flow or release that is not run, once between two publications.
    """

    def __init__(self, current: Flows, refused: Refused = _logged) -> None:
        self._current = current
        self._held: OrderedDict[str, Playable] = OrderedDict()
        self._books: OrderedDict[str, PromptBook | None] = OrderedDict()
        self._tell = refused
        self._refused: set[str] = set()
        self._complained: set[str] = set()
        self._seen = ""
        self._loading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def current(self) -> Flows:
        """The release that calls begin in."""
        return self._current

    @property
    def policy(self) -> Policy:
        """What is proven against, and what the gate decides by: the same for as long as the process lives."""
        return self._current.policy

    @property
    def book(self) -> PromptBook:
        """The words of the current release, for what is in no flow."""
        return self._current.book

    @property
    def entry(self) -> Flow:
        """The flow that an incoming call begins in."""
        return self._current.entry

    @property
    def outgoing(self) -> Flow | None:
        """The flow that a return call begins in."""
        return self._current.outgoing

    @property
    def callback(self) -> Flow | None:
        """The flow that a call begins in to whoever waited and asked to be rung back."""
        return self._current.callback

    @property
    def operator(self) -> Flow | None:
        """The flow that an operator's script begins in."""
        return self._current.operator

    def put(self, flows: Flows) -> None:
        """From now on calls begin in ``flows``; those of the release before stay for the calls that are in them."""
        before, self._current = self._current, flows
        for flow in before.by_digest.values():
            self._hold(Playable(flow, before.book, before.proofs.get(flow.digest)))

    def in_memory(self, digest: str) -> Playable | None:
        """The flow with this digest, if it need not be fetched."""
        found = self._current.playable(digest) or self._held.get(digest)
        if digest in self._held:
            self._held.move_to_end(digest)
        return found

    async def of(self, connection: AsyncConnection, digest: str) -> Playable:
        """The flow with this digest and its words, out of any release that was ever published.

        Arguments:
            connection: used only if it is not in memory.

        Raises:
            NoSuchFlow: no release holds it.
            FlowRefused: this version does not prove it, or its texts are not those that were published.
        """
        return self.in_memory(digest) or await self._fetched(connection, digest)

    async def book_of(self, connection: AsyncConnection, digest: str) -> PromptBook:
        """The words of the flow with this digest; the current ones where it is not run."""
        try:
            return (await self.of(connection, digest)).book
        except (NoSuchFlow, FlowRefused):
            return self.book

    async def _fetched(self, connection: AsyncConnection, digest: str) -> Playable:
        # One lock a flow: who asks for another does not wait until this one is proven.
        async with self._loading.setdefault(digest, asyncio.Lock()):
            held = self.in_memory(digest)
            if held is not None:
                return held
            if digest in self._refused:
                raise FlowRefused
            refused = self._refused  # of now: what is published meanwhile may bring what this finds missing
            holders = await holders_of(connection, [digest])
            if not holders:
                self._complain(digest, NoSuchFlow())
                raise NoSuchFlow
            try:
                # In a thread: nobody on the line waits while it is read and proven.
                found = await asyncio.to_thread(_proven_of, holders[0], self.policy)
            except Exception as error:  # whatever it is, a flow that is not proven is not run
                self._refuse(digest, error, refused)
                raise FlowRefused from error
            self._hold(found)
            return found

    async def take(self, release: Release) -> bool:
        """Let calls begin in ``release``, if this version proves it; otherwise all stays as it is, and is told."""
        refused = self._refused
        try:
            flows = await asyncio.to_thread(load_release, release, self.policy)
        except Exception as error:  # whatever it is, what runs goes on
            self._refuse(release.digest, error, refused)
            return False
        self.put(flows)
        return True

    def refuses(self, digest: str) -> bool:
        """Whether the release or the flow with this digest was found not to be fit to run."""
        return digest in self._refused

    def refuse(self, digest: str, error: IntegrityError) -> None:
        """Run nothing of the release with this digest: its texts are not those that were published."""
        self._refuse(digest, error, self._refused)

    def news(self) -> None:
        """Something was published: it may hold what was missing or spoilt, so whatever was refused is tried again."""
        self._refused, self._complained = set(), set()

    def sees(self, current: str) -> None:
        """This release is current: another one than was seen before is news, even if no word of it came."""
        if current != self._seen:
            self._seen = current
            self.news()

    def _refuse(self, digest: str, error: Exception, refused: set[str]) -> None:
        # What another try would find again is kept; of anything else, as want of memory, the next one decides.
        if isinstance(error, (DataProblems, IntegrityError)):
            refused.add(digest)
        self._complain(digest, error)

    def _complain(self, digest: str, error: Exception) -> None:
        if digest not in self._complained:
            self._complained.add(digest)
            self._tell(digest, str(error) if isinstance(error, CallcenterError) else type(error).__name__)

    def _hold(self, playable: Playable) -> None:
        self._held[playable.flow.digest] = playable
        self._held.move_to_end(playable.flow.digest)
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)

    # --- for whoever reads what has happened

    async def told(self, connection: AsyncConnection, digests: Collection[str]) -> Mapping[str, Told]:
        """Names and words of flows that records name, proven or not: they are read, not run.

        What no release holds is left out.
        """
        here = {one: playable for one in digests if (playable := self.in_memory(one)) is not None}
        told = {one: Told(playable.flow.name, playable.book) for one, playable in here.items()}
        missing = sorted(set(digests) - told.keys())[:MOST_ASKED]
        for holder in await holders_of(connection, missing) if missing else ():
            told[holder.flow] = Told(holder.name, await self._book(holder))
        return told

    async def _book(self, holder: Holder) -> PromptBook | None:
        if holder.release not in self._books:
            self._books[holder.release] = await asyncio.to_thread(_book_of, holder)
            if len(self._books) > MOST_BOOKS:
                self._books.popitem(last=False)
        return self._books[holder.release]


def _proven_of(holder: Holder, policy: Policy) -> Playable:
    release = Release.kept(holder.content, holder.release)
    return load_one(release, holder.name, holder.flow, policy)


def _book_of(holder: Holder) -> PromptBook | None:
    try:
        release = Release.kept(holder.content, holder.release)
        return PromptBook.load(release.prompts, Kept(release.texts))
    except (DataProblems, IntegrityError):
        return None
