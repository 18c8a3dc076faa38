"""The job that sends one notice: at most once, whatever happens in between.

``sending`` is committed before anything leaves. A job that finds it leaves the notice alone: what became of it nobody
knows, and a look at what is unfinished (``unfinished.py``) cries. Only what was certainly not taken is tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import text

from callcenter.calls.delivery import MessageNotTaken, Undeliverable
from callcenter.calls.outreach import number_to_show
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Unavailable
from callcenter.notices.addresses import NoticeAddress, NoticeAddresses, NoticeChannel, told_of
from callcenter.notices.ports import Alarms, Ways
from callcenter.notices.waiting import Waiting, waiting
from callcenter.notices.wording import Notice, digest, incident, urgent_notice
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)

#: The job that sends a notice.
SEND_NOTICE = "send_notice"
#: Tries after which a notice has failed, as many as the job makes.
MOST_TRIES = 5


class NoWay(Unavailable):
    """There is nothing by which this notice could leave."""


@dataclass(frozen=True, slots=True)
class _Due:
    """A notice that is ours to send.

    Arguments:
        words: ``None`` for a call, whose words the carrier asks us for.
    """

    id: UUID
    tries: int
    to: NoticeAddress
    facts: PracticeFacts
    words: Notice | None


@dataclass(frozen=True, slots=True)
class NoticeSender:
    """Sends notices.

    Arguments:
        page: the address at which messages are read, for every notice the same: it names no message.
        incidents: the one at which practices read what they are told of incidents.
    """

    database: Database
    sealer: Sealer
    clock: Clock
    ways: Ways
    alarms: Alarms
    page: str | None = None
    incidents: str | None = None

    async def send(self, practice: UUID, notice: UUID) -> None:
        """Send one notice, unless that was done, is being done, or nothing waits any more.

        Raises:
            MessageNotTaken: it has not left; to be tried again.
            DatabaseDown: the same.
        """
        async with self.database.practice(practice) as tx:
            due = await self._claim(tx, notice)
        if due is None:
            return
        try:
            refused = await self._leave(due)
        except MessageNotTaken:
            if due.tries < MOST_TRIES:
                await self._settle(practice, notice, "due")
                raise
            await self._failed(practice, notice, "failed", "not_taken")
        except NoWay:
            await self._failed(practice, notice, "failed", "no_way")
        except Unavailable as error:
            _log.warning("notice_unconfirmed", reference=str(notice), error=type(error).__name__)
            await self._failed(practice, notice, "unconfirmed", "unconfirmed")
        else:
            if refused is None:
                await self._settle(practice, notice, "sent")
            else:
                await self._failed(practice, notice, "refused", f"refused_{refused.code}")

    async def _claim(self, tx: Transaction, notice: UUID) -> _Due | None:
        """Take the notice, and see what it says now; ``None`` if there is nothing to do."""
        now = self.clock.now()
        values = {"practice": tx.practice, "notice": notice, "now": now}
        row = (await tx.connection.execute(_CLAIM, values)).one_or_none()
        if row is None:
            return None
        addresses = await NoticeAddresses(self.sealer).all(tx)
        to = next(one for one in addresses if one.id == row.address_id)  # what is sent to it goes with an address
        facts = await Directory.facts(tx.connection, tx.practice, now)
        if row.kind == "digest":
            count = counted(await waiting(tx, row.slot), to, addresses)
            needed, words = count.anything, digest(facts.name, facts.slug, count, self.page)
        elif row.kind == "incident":
            needed, words = await self._unread(tx, row.incident_notice_id), incident(facts.name, self.incidents)
        else:
            needed, words = await self._waits(tx, row.message_id), urgent_notice(facts.name, facts.slug, self.page)
        if not needed:
            await tx.connection.execute(_SETTLE, {**values, "outcome": "needless", "sent_at": None})
            return None
        return _Due(notice, row.tries, to, facts, None if row.kind == "call" else words)

    @staticmethod
    async def _waits(tx: Transaction, message: UUID) -> bool:
        """Whether a message is neither handled nor confirmed."""
        values = {"practice": tx.practice, "message": message}
        return (await tx.connection.execute(_WAITS, values)).one_or_none() is not None

    @staticmethod
    async def _unread(tx: Transaction, incident_notice: UUID) -> bool:
        """Whether nobody of the practice has said to have read what it was told."""
        values = {"practice": tx.practice, "notice": incident_notice}
        return (await tx.connection.execute(_READ, values)).first() is None

    async def _leave(self, due: _Due) -> Undeliverable | None:
        ways, to = self.ways, due.to
        if due.words is None:
            shown = number_to_show(due.facts)
            if shown is None:
                raise NoWay("the practice has no number that the person rung could be shown")
            return await ways.telephone.ring(to.address, shown, due.facts.id, reference=due.id)
        if to.channel is NoticeChannel.SMS:
            return await ways.texts.send_message(to.address, due.words.body, reference=due.id)
        if ways.mails is None:
            raise NoWay("no mail server is set")
        return await ways.mails.send_mail(to.address, due.words.subject, due.words.body, reference=due.id)

    async def _failed(self, practice: UUID, notice: UUID, outcome: str, why: str) -> None:
        self.alarms.notice_failed(practice, notice, why)
        await self._settle(practice, notice, outcome)

    async def _settle(self, practice: UUID, notice: UUID, outcome: str) -> None:
        sent_at: datetime | None = self.clock.now() if outcome == "sent" else None
        values = {"practice": practice, "notice": notice, "outcome": outcome, "sent_at": sent_at}
        try:
            async with self.database.practice(practice) as tx:
                await tx.connection.execute(_SETTLE, values)
        except Unavailable as error:  # it stays « sending », and is cried about; it must not be sent again
            _log.error("notice_not_settled", reference=str(notice), outcome=outcome, error=type(error).__name__)


def counted(groups: list[Waiting], to: NoticeAddress, addresses: tuple[NoticeAddress, ...]) -> Waiting:
    """What waits for one who is told."""
    of = [group for group in groups if to in told_of(addresses, group.practitioner)]
    return Waiting(
        to.practitioner,
        messages=sum(group.messages for group in of),
        urgent=sum(group.urgent for group in of),
        bookings=sum(group.bookings for group in of),
    )


_CLAIM = text(
    """
    UPDATE message_notice SET outcome = 'sending', tries = tries + 1, claimed_at = :now
    WHERE practice_id = :practice AND id = :notice AND outcome = 'due'
    RETURNING address_id, kind, message_id, incident_notice_id, slot, tries
    """
)

_SETTLE = text(
    "UPDATE message_notice SET outcome = :outcome, sent_at = :sent_at "
    "WHERE practice_id = :practice AND id = :notice AND outcome = 'sending'"
)

_READ = text("SELECT notice_id FROM incident_receipt WHERE practice_id = :practice AND notice_id = :notice LIMIT 1")

_WAITS = text(
    """
    SELECT m.id FROM message m LEFT JOIN escalation e ON e.practice_id = m.practice_id AND e.message_id = m.id
    WHERE m.practice_id = :practice AND m.id = :message AND m.handled_at IS NULL
      AND (e.ending IS NULL OR e.ending = 'alerted')
    """
)
