"""Publishing flows: at start, by command, and taking over what somebody else has published, while calls go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.background import in_background, keep_going
from callcenter.calls.flows import FlowRefused, Flows, NoSuchFlow, load_release
from callcenter.calls.release import SHORT
from callcenter.calls.releases import (
    begin_with,
    current_of,
    in_use,
    is_retained,
    make_current,
    note_proofs,
    one_after_the_other,
    release_called,
    retain,
)
from callcenter.calls.shelf import Shelf
from callcenter.disclosure.policy import Policy
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import CallcenterError, IntegrityError
from callcenter.kernel.randomness import Random
from callcenter.routing.waking import About, Listener, Waking, wake
from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.store.database import Database
from callcenter.telephony.alerts import AlertKind, Alerts

_log = structlog.get_logger(__name__)

#: Of the house's log, in which all publications are one chain.
FLOWS_STREAM = UUID("f10a5000-0000-4000-8000-000000000000")
#: How long after a publication, in seconds, somebody looks who was not told of it.
LOOKS_AGAIN = 30.0


class NoSuchRelease(CallcenterError):
    """No release has a digest that begins so: `callcenter flows versions` lists them."""


class ManyReleases(CallcenterError):
    """Several releases have a digest that begins so: give more of its characters."""


@dataclass(frozen=True, slots=True)
class Publishing:
    """Makes releases current.

    Arguments:
        clock, random: of records.
    """

    database: Database
    clock: Clock
    random: Random

    async def publish(self, flows: Flows, actor: Actor) -> bool:
        """Retain a release that was proven, and let calls begin in it; false if they do already."""
        async with self.database.house() as connection:
            await one_after_the_other(connection)
            await self._keep(flows, actor, connection)
            return await self._current(flows, actor, connection)

    async def use(self, digest: str, policy: Policy, actor: Actor) -> bool:
        """Let calls begin in a release that is retained, once it is proven again; false if they do already.

        Raises:
            NoSuchRelease: there is none.
            DataProblems: this version does not prove it.
            IntegrityError: its texts are not those that were published.
        """
        async with self.database.house() as connection:
            release = await release_called(connection, digest)
        if release is None:
            raise NoSuchRelease
        return await self.publish(load_release(release, policy), actor)

    async def at_start(self, flows: Flows) -> None:
        """Publish the release of a server's own folder, if it was never published here: so an upgrade brings its flows.

        Another that was published since stands.
        """
        actor, digest = Actor.command("serve"), flows.release.digest
        async with self.database.house() as connection:
            await one_after_the_other(connection)
            new = not await is_retained(connection, digest)
            await self._keep(flows, actor, connection)
            if new or await current_of(connection) is None:
                await self._current(flows, actor, connection)

    async def _keep(self, flows: Flows, actor: Actor, connection: AsyncConnection) -> None:
        now = self.clock.now()
        await retain(connection, flows, actor.id, now)
        await note_proofs(connection, flows.proofs.values(), flows.policy.digest, now)

    async def _current(self, flows: Flows, actor: Actor, connection: AsyncConnection) -> bool:
        digest, before = flows.release.digest, await current_of(connection)
        if before == digest:
            return False
        await make_current(connection, digest, actor.id, self.clock.now())
        log, content = HouseLog(self.clock, self.random), {"release": digest, "before": before}
        await log.note(connection, Act.FLOWS_PUBLISHED, actor, None, content, stream=FLOWS_STREAM)
        await wake(connection, Waking(About.FLOWS, FLOWS_STREAM))
        return True


async def chosen_release(database: Database, start: str) -> str:
    """The one release whose digest begins with ``start``: its digest.

    Raises:
        NoSuchRelease: none does.
        ManyReleases: several do.
    """
    async with database.house() as connection:
        found = await begin_with(connection, start) if start else []
    if not found:
        raise NoSuchRelease
    if len(found) > 1:
        raise ManyReleases
    return found[0]


async def shelf_of(publishing: Publishing, flows: Flows, alerts: Alerts) -> Shelf:
    """The flows of a server that starts.

    Arguments:
        flows: of its own folder, proven. They are run where what is current is not proven by this version.
    """
    shelf = Shelf(flows, FlowAlarm(alerts).refused)
    await publishing.at_start(flows)
    await follow(publishing.database, shelf)
    if shelf.current is not flows:
        own, current = flows.release.digest[:SHORT], shelf.current.release.digest[:SHORT]
        _log.warning("flows_of_another_release", own=own, current=current)
    await _proven_again(publishing, shelf)
    return shelf


async def follow(database: Database, shelf: Shelf) -> None:
    """Take over what is current, unless this version does not prove it."""
    async with database.house() as connection:
        digest = await current_of(connection)
        if digest is None:
            return
        shelf.sees(digest)
        if digest == shelf.current.release.digest or shelf.refuses(digest):
            return
        try:
            release = await release_called(connection, digest)
        except IntegrityError as error:
            shelf.refuse(digest, error)
            return
    if release is not None and await shelf.take(release):
        _log.info("flows_taken_over", release=digest[:SHORT])


async def _proven_again(publishing: Publishing, shelf: Shelf) -> None:
    """Prove what calls are in, and what they begin in; whatever this version does not prove is told."""
    database, now = publishing.database, publishing.clock.now()
    proofs = list(shelf.current.proofs.values())
    for digest in await in_use(database, now):
        async with database.house() as connection:
            try:
                playable = await shelf.of(connection, digest)
            except (NoSuchFlow, FlowRefused):
                continue  # it is told
        if playable.proof is not None:
            proofs.append(playable.proof)
    async with database.house() as connection:
        await note_proofs(connection, proofs, shelf.policy.digest, now)


class Looks:
    """When to look by oneself, however much other news there is."""

    def __init__(self) -> None:
        self._next = monotonic() + LOOKS_AGAIN

    @property
    def left(self) -> float:
        """Seconds until then."""
        return max(0.0, self._next - monotonic())

    def looked(self) -> None:
        """That was now."""
        self._next = monotonic() + LOOKS_AGAIN


@asynccontextmanager
async def following(address: str, database: Database, shelf: Shelf, alerts: Alerts) -> AsyncIterator[None]:
    """Take over, for as long as the body lasts, whatever is published: at once, and within ``LOOKS_AGAIN`` if the word
    of it was lost.

    Arguments:
        address: of the database, for listening.
    """
    listener, looks = Listener(address), Looks()
    with listener.subscribed() as subscription:

        async def once() -> None:
            woken = await subscription.wait(looks.left)
            published = any(one.about is About.FLOWS for one in woken)
            if published:
                shelf.news()
            if published or looks.left == 0:
                looks.looked()
                await follow(database, shelf)

        async with listener.running(), in_background(keep_going(once, alerts, AlertKind.FLOWS_STALE, seconds=0)):
            yield


@dataclass(frozen=True, slots=True)
class FlowAlarm:
    """Alerts about flows that are not run; why, in full, is in the log beside it."""

    alerts: Alerts

    def refused(self, digest: str, why: str) -> None:
        self.alerts.report(AlertKind.FLOWS_REFUSED, digest=digest[:SHORT])
        _log.error("flows_not_proven", digest=digest[:SHORT], verdict=why)
