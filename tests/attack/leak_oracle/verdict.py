"""What may leave by which way out, and what may not.

A canary may be heard by a caller if a record of the ledger, committed before, grants it: its category, at the level
that the policy asks for, about this patient, this appointment and this call. A code's message may carry the number on
file that the challenge is about, as its recipient. Everything else is a finding.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from callcenter.disclosure.policy import Policy
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Channel, Level
from tests.attack.leak_oracle.canaries import Canary, Value
from tests.attack.leak_oracle.folding import fold
from tests.attack.leak_oracle.ledger import Account, Grant, Ledger
from tests.attack.leak_oracle.people import Population
from tests.attack.leak_oracle.search import Searcher


class Sink(StrEnum):
    """The ways by which bytes leave callcenter."""

    ANSWER = "answer"  # documents for the carrier, and headers: what <Say> says reaches the carrier as text
    AUDIO = "audio text"  # what our own voice is given to say
    SOUND = "sound file"  # what is in the file beside the sound
    SMS_TO = "SMS recipient"
    SMS_BODY = "SMS body"
    MAIL = "mail"
    CALL_TO = "line that is rung"
    REST = "REST request"
    URL = "URL"
    LOG = "log"
    DATABASE_LOG = "database's log"
    METRICS = "metrics"
    JOB = "job"
    HEALTH = "health page"
    ROUTING = "routing tables"  # in house scope, and what figures are made from
    NOTICE = "notice to other workers"  # whoever is in the database may listen
    PAGE = "page of staff"  # whoever passes by sees it; what is shown of a patient there will be on record first
    STREAM = "stream of events"
    BROWSER = "what a browser keeps"  # whoever uses it next reads it: storage, addresses, titles, notifications
    PASS = "access token"  # the carrier reads it
    LEDGER = "ledger"  # it leaves with every export and every copy: references, no values (LG-01)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something left that should not have.

    Arguments:
        canary: what, or ``None`` if it is no canary's matter.
        why: which rule is broken.
        around: some of the text.
    """

    sink: Sink
    canary: Canary | None
    why: str
    call: UUID | None
    around: str

    def __str__(self) -> str:
        return f"{self.sink.value}: {self.canary or 'words'}: {self.why} (call {self.call}) …{self.around}…"


def _pushes(grant: Grant | None, canary: Canary) -> bool:
    """Whether ``grant`` lets a text tell ``canary``: when an appointment is, of this patient, and no more."""
    return (
        grant is not None
        and canary.told_as == "appointment.starts_at"
        and canary.subject == grant.subject
        and f"{canary.told_as}:{canary.appointment}" in grant.references
        and {"D02", "D03"} <= grant.categories
    )


class Judge:
    """Judges what leaves at the moment when it does.

    Arguments:
        searcher: finds canaries.
        ledger: as somebody else sees it.
        policy: which level opens what.
        telling: public words that are said on one side of a branch on a record only: they tell that there is one.
    """

    def __init__(
        self, searcher: Searcher, ledger: Ledger, policy: Policy, population: Population, telling: Iterable[str]
    ) -> None:
        self._public = [words for words in population.public_lists() if words]
        self.findings: list[Finding] = []
        self.heard: Counter[str] = Counter()
        self.departed: list[tuple[Sink, str]] = []
        self.sinks: set[Sink] = set()
        self._telling = [fold(words) for words in telling]
        self._searcher = searcher
        self._ledger = ledger
        self._policy = policy
        self._population = population
        self._said: Counter[UUID] = Counter()
        self._closed: dict[UUID, frozenset[UUID]] = {}

    async def answers(self, text: str, call: UUID | None) -> None:
        """A document leaves for the carrier."""
        account = await self._to_caller(Sink.ANSWER, self._without_public(text), call)
        spoken = fold(html.unescape(text))
        for words in self._telling:
            if words in spoken and not await self._branch_is_on_record(account, call):
                why = "a branch on a record is told, and no record that was committed before grants it (P1)"
                self._find(Sink.ANSWER, None, why, call, words)

    def _without_public(self, text: str) -> str:
        """``text`` without the lists that everybody hears whole."""
        unescaped = html.unescape(text)
        if not any(words in unescaped for words in self._public):
            return text
        for words in self._public:
            unescaped = unescaped.replace(words, "")
        return unescaped

    async def speaks(self, text: str, call: UUID | None) -> None:
        """Our voice is given words."""
        account = await self._to_caller(Sink.AUDIO, text, call)
        if account is None:
            self._find(Sink.AUDIO, None, "our voice speaks outside a call on record (P1)", call, text)
            return
        self._said[account.call] += 1
        if self._said[account.call] > sum(grant.words for grant in account.grants) + account.redelivered:
            self._find(Sink.AUDIO, None, "fetched more often than is on record (P1)", call, text)

    def leaves(self, sink: Sink, text: str, *, allowed: Collection[Value] = (), pushed: Grant | None = None) -> None:
        """Something leaves by another way.

        Arguments:
            allowed: the only values that it may hold.
            pushed: a grant by which a text tells date and time, and nothing else.
        """
        self.departed.append((sink, text))
        self.sinks.add(sink)
        for hit in self._searcher.hits(text):
            if hit.canary.value not in allowed and not _pushes(pushed, hit.canary):
                self._find(sink, hit.canary, "no patient's or caller's value may leave this way", None, hit.around)

    def betrayed(self, codes: Iterable[str], references: Iterable[str]) -> None:
        """Look for codes and references in what has departed: both are known only once they have left, a code in its
        message and a reference in the answer to whoever has booked, which alone may hold them.

        What has departed is forgotten.
        """
        secrets = (
            (Sink.SMS_BODY, Searcher(Canary("challenge.code", "somebody", code) for code in codes)),
            (Sink.ANSWER, Searcher(Canary("booking.reference", "somebody", some) for some in references)),
        )
        departed, self.departed = dict.fromkeys(self.departed), []
        for sink, text in departed:
            for its_own, searcher in secrets:
                for hit in searcher.hits(text) if sink is not its_own else ():
                    self._find(sink, hit.canary, f"it may stand in a {its_own} and nowhere else", None, hit.around)

    async def close(self, what: UUID, call: UUID) -> None:
        """From now on nothing may be told about a patient or an appointment, but what is on record of ``call`` already.

        The oracle knows this from what it did to the file, not from the gate's decisions.
        """
        account = await self._ledger.account(call)
        self._closed.setdefault(what, account.records if account else frozenset())

    async def age(self, call: UUID) -> None:
        """From now on the evidence that was given in ``call`` is worth nothing."""
        account = await self._ledger.account(call)
        for evidence in account.evidence if account else ():
            self._closed.setdefault(evidence, account.records if account else frozenset())

    def reopen(self) -> None:
        """The file is again as it was in the beginning."""
        self._closed.clear()

    def found(self) -> set[tuple[Sink, str]]:
        """What was found, as ways out and fields; the field is empty where words were no canary's."""
        return {(finding.sink, finding.canary.field if finding.canary else "") for finding in self.findings}

    def told(self) -> str:
        """What callers heard by right, as fields and how often."""
        return ", ".join(f"{field} {times}" for field, times in sorted(self.heard.items()))

    async def _to_caller(self, sink: Sink, text: str, call: UUID | None) -> Account | None:
        self.departed.append((sink, text))
        hits = self._searcher.hits(text)
        account = await self._ledger.account(call) if call and (hits or sink is Sink.AUDIO) else None
        for hit in hits:
            why = self._objection(sink, hit.canary, account)
            if why is None:
                self.heard[hit.canary.field] += 1
            else:
                self._find(sink, hit.canary, why, call, hit.around)
        return account

    async def _branch_is_on_record(self, account: Account | None, call: UUID | None) -> bool:
        if account is None and call is not None:
            account = await self._ledger.account(call)
        told = {Category.RECORD_EXISTS.value, Category.APPOINTMENT_EXISTS.value}
        return account is not None and any(told <= grant.categories for grant in account.grants)

    def _objection(self, sink: Sink, canary: Canary, account: Account | None) -> str | None:
        if canary.category is None:
            return "nobody may ever hear it"
        if account is None:
            return "there is no call on record in which it could be told (P1)"
        if sink is Sink.ANSWER and not self._population.speaks_by_carrier(account.practice):
            return "the practice's own voice says this, not the carrier's (P8)"
        if not any(self._covers(grant, canary) for grant in account.grants):
            return "no record that was committed before covers it (P1)"
        return None

    def _covers(self, grant: Grant, canary: Canary) -> bool:
        if canary.category is None or canary.subject is None or grant.subject != canary.subject:
            return False
        needed = self._policy.required(canary.category, Channel.VOICE)
        closed = [key for key in (canary.subject, canary.appointment, *grant.evidence) if key in self._closed]
        return (
            canary.category.value in grant.categories
            and isinstance(needed, Level)
            and grant.level >= needed
            and not {f"{told_as}:{canary.appointment}" for told_as in _paths(canary)}.isdisjoint(grant.references)
            and all(grant.record in self._closed[key] for key in closed)
        )

    def _find(self, sink: Sink, canary: Canary | None, why: str, call: UUID | None, around: str) -> None:
        self.findings.append(Finding(sink, canary, why, call, around))


def _paths(canary: Canary) -> tuple[str, ...]:
    """The fields under which a record may name what was told: an appointment's, or by its card, a slot's."""
    told_as = canary.told_as or ""
    return told_as, told_as.replace("appointment.", "slot.")
