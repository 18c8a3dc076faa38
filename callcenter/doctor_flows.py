"""Whether what was published can be run by this version."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from callcenter.calls.flows import load_flows, load_one, load_release
from callcenter.calls.release import SHORT, Release
from callcenter.calls.releases import current_of, holders_of, in_use, listed, release_called
from callcenter.disclosure.policy import Policy, load_policy
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError, DataProblems, IntegrityError
from callcenter.settings import Settings
from callcenter.store.database import Database

#: Releases that are proven again, the last published first: each takes a fifth of a second.
MOST_PROVEN = 20


async def releases_fit(database: Database, settings: Settings) -> str:
    """Prove the current release, the other recent ones, and the flows that calls in progress are in.

    Raises:
        CallcenterError: this version does not run the flows that calls begin in, or are in; with what to do.
    """
    policy = load_policy(settings.flows.policy)
    async with database.house() as connection:
        current, releases = await current_of(connection), await listed(connection, policy.digest)
    if current is None:
        return "nothing is published yet: a server publishes its folder when it starts"
    refused = [one.digest for one in releases[:MOST_PROVEN] if not await _is_proven(database, one.digest, policy)]
    if current in refused:
        raise CallcenterError(
            f"the current release {current[:SHORT]} is not proven by this version against this policy: a server that "
            "starts runs its own folder, one that runs goes on with what it ran; `callcenter flows publish` a folder "
            "that is proven, or `callcenter flows use` a release of `callcenter flows versions` that is"
        )
    stuck = await _calls_not_run(database, policy)
    if stuck:
        raise CallcenterError(
            f"{stuck} of the calls in progress began in flows that this version does not prove: those callers are put "
            "through to their practice's rescue line; new calls are answered as usual"
        )
    said = [f"{current[:SHORT]} is current and proven", f"{len(releases)} retained"]
    if refused:
        said.append(f"not proven by this version, and kept as texts: {_named(refused)}")
    own = own_release(settings)
    if own is not None and own != current:
        known = any(one.digest == own for one in releases)
        said.append(of_another_folder(own) if known else f"a server that starts publishes its folder ({own[:SHORT]})")
    return "; ".join(said)


def of_another_folder(own: str) -> str:
    """What to know where calls begin in another release than that of the configured folder, ``own``."""
    return (
        f"the configured folder is another one ({own[:SHORT]}), which was published before: no start takes it up, "
        "`callcenter flows publish` does"
    )


def own_release(settings: Settings) -> str | None:
    """The release of the configured folder; ``None`` where it is none, which another finding says."""
    chosen = settings.flows
    try:
        return load_flows(chosen.folder, chosen.entry, chosen.prompts, chosen.policy).release.digest
    except DataProblems:
        return None


async def _is_proven(database: Database, digest: str, policy: Policy) -> bool:
    try:
        async with database.house() as connection:
            release = await release_called(connection, digest)
        if release is not None:
            await asyncio.to_thread(load_release, release, policy)
    except (DataProblems, IntegrityError):
        return False
    return release is not None


async def _calls_not_run(database: Database, policy: Policy) -> int:
    """Calls in progress in flows that are not proven, or that no release holds."""
    calls = await in_use(database, SystemClock().now())
    async with database.house() as connection:
        holders = {one.flow: one for one in await holders_of(connection, calls.keys())}
    stuck = sum(count for flow, count in calls.items() if flow not in holders)
    for flow, holder in holders.items():
        try:
            release = Release.kept(holder.content, holder.release)
            await asyncio.to_thread(load_one, release, holder.name, flow, policy)
        except (DataProblems, IntegrityError):
            stuck += calls[flow]
    return stuck


def _named(digests: Sequence[str]) -> str:
    return ", ".join(digest[:SHORT] for digest in digests)
