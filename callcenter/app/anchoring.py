"""Each hour, every new head of the ledger goes to whoever is to hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import procrastinate

from callcenter.audit.anchors import Anchor, keep_anchor, last_held, latest_head, unheld_since
from callcenter.audit.bucket import Bucket, client_of
from callcenter.audit.depositories import AnotherHead, Depository, Folder, NotDeposited
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.audit.stamping import Authority, load_issuers
from callcenter.kernel.clock import Clock, SystemClock
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice.everywhere import all_practices
from callcenter.settings import Settings
from callcenter.settings.sections import BucketSettings
from callcenter.store.database import Database
from callcenter.telephony.alerts import AlertKind, Alerts

#: How long a head may be ours alone after somebody was to hold it: two hours are missed then.
LONGEST = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Deposited:
    """What a round has done.

    Arguments:
        heads: how many were deposited.
        failed: what somebody says who did not take one; who takes none at all is not asked again in this round.
    """

    heads: int
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Deposits heads.

    Arguments:
        depositories: whoever is to hold them; empty: nobody is.
    """

    database: Database
    clock: Clock
    depositories: Sequence[Depository]

    async def deposit(self) -> Deposited:
        """Give the last head of each log to everybody who does not hold it yet."""
        logs = [HOUSE_LOG, *await all_practices(self.database)]
        heads, failed = 0, []
        for depository in self.depositories:
            for log in logs:
                try:
                    heads += await self._deposit(depository, log)
                except NotDeposited as error:
                    failed.append(str(error))
                    if not isinstance(error, AnotherHead):  # which says nothing of other logs
                        break
        return Deposited(heads, tuple(failed))

    async def _deposit(self, depository: Depository, log: UUID) -> bool:
        async with self.database.practice(log) as tx:
            head = await latest_head(tx)
            held = await last_held(tx, depository.kind, depository.place)
        if head is None or (held is not None and (head[0] <= held[0] or self._is_soon(held[1], depository))):
            return False
        size, note = head
        receipt = await depository.deposit(origin_of(log), size, note)  # nobody waits for it in a transaction
        async with self.database.practice(log) as tx:
            anchor = Anchor(depository.kind, depository.place, size, note, receipt, self.clock.now())
            return await keep_anchor(tx, anchor)

    def _is_soon(self, last: datetime, depository: Depository) -> bool:
        return self.clock.now() - last < depository.every

    async def round(self, alerts: Alerts) -> None:
        """Deposit, and cry where somebody has not taken a head, or some head is ours alone for too long."""
        if not self.depositories:
            return
        done = await self.deposit()
        since = await unheld_since(self.database)
        late = since is not None and self.clock.now() - since > longest_alone(self.depositories)
        if done.failed or late:
            alerts.report(AlertKind.LEDGER_NOT_HELD, failed=str(len(done.failed)), late=str(late).lower())


def longest_alone(depositories: Sequence[Depository]) -> timedelta:
    """How long a head may be ours alone, by whoever takes them most often."""
    return min(one.every for one in depositories) + LONGEST


def depositories_of(settings: Settings) -> list[Depository]:
    """Whoever is to hold heads, as configured.

    Raises:
        ConfigurationError: those who vouch for a time stamp authority cannot be read, or what speaks to a bucket is
            not installed.
    """
    ledger, found = settings.ledger, list[Depository]()
    if ledger.anchor_folder is not None:
        found.append(Folder(ledger.anchor_folder))
    if ledger.bucket.endpoint is not None:
        found.append(_bucket(ledger.bucket, ledger.bucket.endpoint))
    if ledger.timestamp_url is not None and ledger.timestamp_issuers is not None:
        found.append(Authority(ledger.timestamp_url, load_issuers(ledger.timestamp_issuers), SystemRandom()))
    return found


def _bucket(settings: BucketSettings, endpoint: str) -> Bucket:
    client = client_of(endpoint, settings.region, settings.key_id, settings.secret.get_secret_value())
    return Bucket(client, settings.name, endpoint, timedelta(days=settings.days), SystemClock())


def register_anchoring(jobs: procrastinate.App, anchoring: Anchoring, alerts: Alerts) -> None:
    """Put the hourly depositing of heads on ``jobs``, before its worker runs."""

    @jobs.periodic(cron="37 * * * *")
    @jobs.task(name="anchor_ledger", queue="upkeep", queueing_lock="anchor_ledger")
    async def anchor_ledger(timestamp: int) -> None:
        await anchoring.round(alerts)
