"""Releases in the database: retained for ever, because records name their flows; the last publication is the current.

Nothing here decides what is run: who reads a release proves it (``calls.shelf``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.flows import Flows
from callcenter.calls.release import Release
from callcenter.calls.values import LONGEST_CALL
from callcenter.flow.proof import Proven
from callcenter.flow.prover import prover_version
from callcenter.store.database import Database, Transaction

#: Asked by every server now and then, whatever else goes on.
CURRENT = "SELECT release FROM flow_publication ORDER BY number DESC LIMIT 1"
#: Releases that are listed, and practices that are asked for their calls.
MOST_LISTED, MOST_PRACTICES = 100, 5_000


@dataclass(frozen=True, slots=True)
class Retained:
    """A release as it is listed.

    Arguments:
        flows: names of its flows, by digest.
        published_at, published_by: its last publication; ``None`` of one that never was.
        proven: every one of its flows has a proof on file by the prover and the policy that were asked about.
    """

    digest: str
    flows: Mapping[str, str]
    published_at: datetime | None
    published_by: str | None
    proven: bool


async def one_after_the_other(connection: AsyncConnection) -> None:
    """Wait until nobody else publishes; until the transaction ends nobody does."""
    await connection.execute(_LOCK)


async def is_retained(connection: AsyncConnection, digest: str) -> bool:
    """Whether there is such a release."""
    return bool((await connection.execute(_IS_RETAINED, {"release": digest})).scalar_one())


async def retain(connection: AsyncConnection, flows: Flows, by: str, now: datetime) -> None:
    """Keep the texts of a release, and which flows it holds; what is there already stays as it is."""
    release = flows.release
    values = {"digest": release.digest, "content": release.content, "at": now, "by": by}
    await connection.execute(_RETAIN, values)
    held = [{"release": release.digest, "digest": one.digest, "name": one.name} for one in flows.by_digest.values()]
    await connection.execute(_HOLDS, held)


async def note_proofs(connection: AsyncConnection, proofs: Iterable[Proven], policy: str, now: datetime) -> None:
    """Put on file that this version's prover has proven these flows.

    Arguments:
        policy: digest of the policy.
    """
    rows = [
        {
            "flow": one.digest,
            "prover": prover_version(),
            "policy": policy,
            "summary": json.dumps([asdict(step) for step in one.summary], ensure_ascii=False, default=str),
            "at": now,
        }
        for one in proofs
    ]
    if rows:
        await connection.execute(_PROVE, rows)


async def make_current(connection: AsyncConnection, digest: str, by: str, now: datetime) -> None:
    """From the commit on, calls begin in this release."""
    await connection.execute(_PUBLISH, {"release": digest, "at": now, "by": by})


async def current_of(connection: AsyncConnection) -> str | None:
    """Digest of the release in which calls begin; ``None`` before anything was published."""
    current: str | None = (await connection.execute(text(CURRENT))).scalar_one_or_none()
    return current


async def begin_with(connection: AsyncConnection, start: str) -> Sequence[str]:
    """Digests of releases that begin with ``start``; two at most."""
    found: Sequence[str] = (await connection.execute(_BEGIN_WITH, {"start": start.lower()})).scalars().all()
    return found


async def release_called(connection: AsyncConnection, digest: str) -> Release | None:
    """The texts of a release.

    Raises:
        IntegrityError: they are not those that were published.
    """
    row = (await connection.execute(_RELEASE, {"release": digest})).one_or_none()
    return None if row is None else Release.kept(row.content, digest)


@dataclass(frozen=True, slots=True)
class Holder:
    """The last published release that holds a flow.

    Arguments:
        flow: the flow's digest.
        name: the flow's.
        release: digest.
        content: the release's, as it stands in the database.
    """

    flow: str
    name: str
    release: str
    content: str


async def holders_of(connection: AsyncConnection, flows: Collection[str]) -> Sequence[Holder]:
    """Of each of these flows, the release that held it last; of one that none holds, nothing."""
    rows = (await connection.execute(_HOLDERS, {"flows": sorted(flows)})).all()
    return [Holder(row.flow, row.name, row.release, row.content) for row in rows]


async def listed(connection: AsyncConnection, policy: str) -> Sequence[Retained]:
    """The releases, the last published first.

    Arguments:
        policy: digest of the policy against which proofs are looked for.
    """
    values = {"prover": prover_version(), "policy": policy, "most": MOST_LISTED}
    rows = (await connection.execute(_LISTED, values)).all()
    return [
        Retained(
            row.digest,
            dict(zip(row.flows, row.names, strict=True)),
            row.published_at,
            row.published_by,
            row.unproven == 0,
        )
        for row in rows
    ]


async def in_use(database: Database, now: datetime) -> Mapping[str, int]:
    """Calls in progress, by the digest of the flow in which each is."""
    counted: Counter[str] = Counter()
    since = now - LONGEST_CALL
    async with database.house() as connection:
        values = {"since": since, "most": MOST_PRACTICES}
        practices: Sequence[UUID] = (await connection.execute(_CALLED, values)).scalars().all()
    for practice in practices:
        async with database.practice(practice) as tx:
            counted.update(await calls_by_flow(tx, since))
    return counted


async def calls_by_flow(tx: Transaction, since: datetime) -> Mapping[str, int]:
    """The same, of one practice; calls that have begun after ``since``."""
    rows = await tx.connection.execute(_IN_USE, {"practice": tx.practice, "since": since})
    return {row.flow: row.calls for row in rows}


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('flow_publication', 0))")
_IS_RETAINED = text("SELECT EXISTS (SELECT FROM flow_release WHERE digest = :release)")
_RETAIN = text(
    "INSERT INTO flow_release (digest, content, retained_at, retained_by) VALUES (:digest, :content, :at, :by) "
    "ON CONFLICT DO NOTHING"
)
_HOLDS = text(
    "INSERT INTO flow_version (release, digest, name) VALUES (:release, :digest, :name) ON CONFLICT DO NOTHING"
)
_PROVE = text(
    "INSERT INTO flow_proof (flow, prover, policy, summary, proven_at) "
    "VALUES (:flow, :prover, :policy, :summary, :at) ON CONFLICT DO NOTHING"
)
_PUBLISH = text('INSERT INTO flow_publication (release, at, "by") VALUES (:release, :at, :by)')
_BEGIN_WITH = text("SELECT digest FROM flow_release WHERE starts_with(digest, :start) LIMIT 2")
_RELEASE = text("SELECT content FROM flow_release WHERE digest = :release")
_HOLDERS = text(
    """
    SELECT DISTINCT ON (v.digest) v.digest AS flow, v.name, r.digest AS release, r.content
    FROM flow_version v JOIN flow_release r ON r.digest = v.release
    LEFT JOIN LATERAL (SELECT max(number) AS number FROM flow_publication p WHERE p.release = r.digest) p ON true
    WHERE v.digest = ANY (cast(:flows AS text[]))
    ORDER BY v.digest, p.number DESC NULLS LAST, r.digest
    """
)
_LISTED = text(
    """
    SELECT r.digest, p.at AS published_at, p."by" AS published_by, v.flows, v.names, v.unproven
    FROM flow_release r
    LEFT JOIN LATERAL (
        SELECT number, at, "by" FROM flow_publication WHERE release = r.digest ORDER BY number DESC LIMIT 1
    ) p ON true
    JOIN LATERAL (
        SELECT array_agg(digest ORDER BY name) AS flows, array_agg(name ORDER BY name) AS names,
            count(*) FILTER (WHERE NOT EXISTS (
                SELECT FROM flow_proof f WHERE f.flow = digest AND f.prover = :prover AND f.policy = :policy
            )) AS unproven
        FROM flow_version WHERE release = r.digest
    ) v ON v.flows IS NOT NULL
    ORDER BY p.number DESC NULLS LAST, r.retained_at DESC LIMIT :most
    """
)
_CALLED = text(
    "SELECT DISTINCT practice_id FROM call WHERE ended_at IS NULL AND started_at > :since "
    "ORDER BY practice_id LIMIT :most"
)
_IN_USE = text(
    """
    SELECT t.flow, count(*) AS calls
    FROM call c JOIN LATERAL (
        SELECT flow FROM call_trace WHERE practice_id = :practice AND call_id = c.id ORDER BY document DESC LIMIT 1
    ) t ON true
    WHERE c.practice_id = :practice AND c.ended_at IS NULL AND c.started_at > :since
    GROUP BY t.flow
    """
)
