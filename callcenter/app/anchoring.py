"""Each hour, every new head of the ledger goes to whoever is to hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import procrastinate

from callcenter.audit.anchors import Anchor, is_held, keep_anchor, latest_head, unheld_since
from callcenter.audit.depositories import Depository, Folder, NotDeposited
from callcenter.audit.logs import HOUSE_LOG, origin_of
from callcenter.kernel.clock import Clock
from callcenter.practice.everywhere import all_practices
from callcenter.settings import Settings
from callcenter.store.database import Database
from callcenter.telephony.alerts import AlertKind, Alerts

#: How long a head may be ours alone, where somebody is to hold it: two hours are missed then.
LONGEST = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Deposited:
    """What a round has done.

    Arguments:
        heads: how many were deposited.
        failed: what somebody says who did not take one; they are not asked again in this round.
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
            try:
                for log in logs:
                    heads += await self._deposit(depository, log)
            except NotDeposited as error:
                failed.append(str(error))
        return Deposited(heads, tuple(failed))

    async def _deposit(self, depository: Depository, log: UUID) -> bool:
        async with self.database.practice(log) as tx:
            head = await latest_head(tx)
            if head is None or await is_held(tx, depository.kind, depository.place, head[0]):
                return False
        size, note = head
        receipt = await depository.deposit(origin_of(log), size, note)  # nobody waits for it in a transaction
        async with self.database.practice(log) as tx:
            anchor = Anchor(depository.kind, depository.place, size, note, receipt, self.clock.now())
            return await keep_anchor(tx, anchor)

    async def round(self, alerts: Alerts) -> None:
        """Deposit, and cry where somebody has not taken a head, or some head is ours alone for too long."""
        if not self.depositories:
            return
        done = await self.deposit()
        since = await unheld_since(self.database)
        late = since is not None and self.clock.now() - since > LONGEST
        if done.failed or late:
            alerts.report(AlertKind.LEDGER_NOT_HELD, failed=str(len(done.failed)), late=str(late).lower())


def depositories_of(settings: Settings) -> list[Depository]:
    """Whoever is to hold heads, as configured."""
    folder = settings.ledger.anchor_folder
    return [] if folder is None else [Folder(folder)]


def register_anchoring(jobs: procrastinate.App, anchoring: Anchoring, alerts: Alerts) -> None:
    """Put the hourly depositing of heads on ``jobs``, before its worker runs."""

    @jobs.periodic(cron="37 * * * *")
    @jobs.task(name="anchor_ledger", queue="upkeep", queueing_lock="anchor_ledger")
    async def anchor_ledger(timestamp: int) -> None:
        await anchoring.round(alerts)
