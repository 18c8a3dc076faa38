"""« Extrait du registre des communications »: who was told about somebody, for them to read (RGPD 15, LG-08).

Each line has its record. No line holds a value of the file, a number, or anything of another person: the ledger has
none, and what it has of other people's (why a file withheld something may say that somebody else is called alike, or
shares a telephone) is told in two words for all reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from callcenter.audit.about import NO_MOMENT, About, Reach, Told, leaves_of, moment_of
from callcenter.audit.ledger import EventKind
from callcenter.reports import register_words as words
from callcenter.reports.extract_tables import Asks, IdentityCheck
from callcenter.reports.register_words import Section
from callcenter.reports.values import Outcome
from callcenter.reports.withheld import outcome_of

#: Lines of one extract, which is made while its request is held; whoever has more on record asks for a shorter period.
MOST_LINES = 500
#: Records that are read for them: what is kept from others takes no line away.
MOST_RECORDS = 4 * MOST_LINES

#: A file withholds by these what a minor may have asked to keep from whoever holds parental authority (SP-01): the
#: practice, which alone knows, says whether they are given to them; until then they are held back.
MINORS_REASONS = frozenset({"minor"})
#: Signs of an identifier.
_IDENTIFIER = 36
#: The minor has asked for it: never given to anybody else.
SECRET_REASON = "secret_mineur"  # noqa: S105 - the name of a rule


@dataclass(frozen=True, slots=True)
class Named:
    """Whose extract it is, as whoever asks has shown it and as it is on file; must not be logged."""

    name: str = field(repr=False)
    first_name: str = field(repr=False)
    birth_date: date = field(repr=False)


@dataclass(frozen=True, slots=True)
class OfCall:
    """A call in which something was on record about them.

    Arguments:
        number: in this extract, from 1.
        ended: ``None`` while it goes on, or where nobody knows.
    """

    id: UUID
    number: int
    started: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is on record.

    Arguments:
        record: of the ledger.
        title: what was done, in words.
        what: of which kind the information is, in words a patient understands; empty where none was told.
        codes: the same as the disclosure policy names it.
        whom: to whom, or to whom not.
        by: by what it was told, or by whom.
        name: whose that is; only where the practice has chosen that.
        means: by which the person was verified.
        heard: how far it was heard, where that is known of it.
        given: how often it was given to be heard.
        why: for what purpose, or why not.
        call: number of the call.
        intact: the record is the one that was written there.
        minors: a minor may have asked to keep it from others (``MINORS_REASONS``).
    """

    record: UUID
    at: datetime
    section: Section
    title: str
    what: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    whom: str = ""
    by: str = ""
    name: str = ""
    means: tuple[str, ...] = ()
    heard: str = ""
    given: int = 0
    why: str = ""
    call: int | None = None
    intact: bool = True
    minors: bool = False


@dataclass(frozen=True, slots=True)
class Practice:
    """Whose register it is.

    Arguments:
        organisation: who answers its telephone for it.
        zone: in which its times are told.
    """

    name: str
    address: str
    organisation: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Arguments:
        id: by which the ledger names the extract.
        first, last: the days, as the practice counts them, both included.
    """

    id: UUID
    asks: Asks
    check: IdentityCheck
    named: Named
    first: date
    last: date
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Extract:
    """The extract, ready to be written.

    Arguments:
        lines: in the order in which they were written to the ledger.
        reach: how far the ledger reaches.
        missing: records that are there no more, of the streams of which something is here; ``taken``: those of them
            that no erasure on record names.
        whole: every line of the period is here; else the latest.
        staff_named: the practice has chosen to name them.
        digest: SHA-256 over the leaves of the lines' records, in order.
    """

    request: Request
    practice: Practice
    made_at: datetime
    lines: tuple[Line, ...]
    calls: tuple[OfCall, ...]
    reach: Reach
    missing: int
    whole: bool
    staff_named: bool
    digest: str
    taken: int = 0

    @property
    def seen_at(self) -> datetime:
        """Until when it shows what was written, whoever reads it at ``made_at``: a clock elsewhere may be ahead."""
        return max([self.made_at, *(line.at for line in self.lines)])

    def of(self, section: Section) -> tuple[Line, ...]:
        """The lines of one part."""
        return tuple(line for line in self.lines if line.section is section)


@dataclass(frozen=True, slots=True)
class Material:
    """Of what an extract is made.

    Arguments:
        about: what the ledger holds about the person.
        calls: when each has begun and ended.
        names: of staff, by identifier; empty where they are not named.
        held_back: lines that the practice does not give to somebody else than the patient.
    """

    about: About
    reach: Reach
    calls: Mapping[UUID, tuple[datetime, datetime | None]]
    names: Mapping[str, str] = field(default_factory=dict)
    held_back: frozenset[UUID] = frozenset()
    staff_named: bool = False


def compose(request: Request, practice: Practice, made_at: datetime, material: Material) -> Extract:
    """Make the extract.

    What is kept from somebody who is not the patient leaves no gap: nothing counts it, and no digest covers it.
    """
    about = material.about
    whole = given_to(request.asks, about.records, material.held_back)
    kept = whole[-MOST_LINES:]
    streams = {told.stream for told in kept}
    calls = _numbered(kept, material.calls)
    numbers = {call.id: call.number for call in calls}
    reader = words.READERS[request.asks is Asks.PATIENT]
    return Extract(
        request=request,
        practice=practice,
        made_at=made_at,
        lines=tuple(_line(told, reader, numbers, material.names) for told in kept),
        calls=calls,
        reach=material.reach,
        missing=sum(gone for stream, gone in about.missing.items() if stream in streams),
        taken=sum(gone for stream, gone in about.taken.items() if stream in streams),
        whole=about.whole and len(kept) == len(whole),
        staff_named=material.staff_named,
        digest=sha256(leaves_of(kept)).hexdigest(),
    )


def given_to(asks: Asks, records: Sequence[Told], held_back: frozenset[UUID]) -> list[Told]:
    """What is given to whoever asks: to the patient everything, whatever is to be held back.

    With a record that is kept from somebody else goes whatever hangs together with it, by its call or by what both
    name (a code, an appointment): a code that was sent would tell of the call that is not told (SP-01).
    """
    if asks is Asks.PATIENT:
        return list(records)
    kept = list(records)
    secret = [told for told in kept if is_secret(told) or told.one.record.id in held_back]
    while secret:
        known = set().union(*(_ties(told) for told in secret))
        gone = {told.one.record.id for told in secret}
        kept = [told for told in kept if told.one.record.id not in gone]
        secret = [told for told in kept if _ties(told) & known]
    return kept


def is_secret(told: Told) -> bool:
    """Whether the minor has asked to keep it: nobody else is given it, whoever decides."""
    return told.one.record.body.get("reason") == SECRET_REASON


def _ties(told: Told) -> set[str]:
    """By what a record hangs together with others: its call, and the rows that it names.

    What names no row, such as whose agenda it was, ties nothing together.
    """
    refs = told.one.record.body.get("refs")
    named = {ref.rpartition(":")[2] for ref in refs or () if isinstance(ref, str)}
    return {one for one in named if len(one) == _IDENTIFIER} | ({str(told.call)} if told.call else set())


def _numbered(kept: Sequence[Told], known: Mapping[UUID, tuple[datetime, datetime | None]]) -> tuple[OfCall, ...]:
    seen = dict.fromkeys(told.call for told in kept if told.call in known)
    ordered = sorted((call for call in seen if call is not None), key=lambda call: (known[call][0], call))
    return tuple(OfCall(call, number, *known[call]) for number, call in enumerate(ordered, 1))


def _line(told: Told, reader: words.Reader, numbers: Mapping[UUID, int], names: Mapping[str, str]) -> Line:
    body = told.one.record.body
    event, actor = str(body.get("event", "")), _actor(body)
    common: dict[str, Any] = {
        "record": told.one.record.id,
        "at": moment_of(body.get("ts")) or NO_MOMENT,
        "by": words.by_whom(actor[0]),
        "name": names.get(actor[1], ""),
        "call": None if told.call is None else numbers.get(told.call),
        "intact": told.one.holds,
    }
    if event == EventKind.DISCLOSURE.value:
        return Line(**common, **_of_disclosure(told, reader))
    section, title = words.event(event, reader)
    means = words.factors(body.get("factors"))
    purpose = words.purpose(body.get("purpose")) if section is Section.LOOKS else ""
    return Line(**common, section=section, title=title, means=means, why=purpose)


def _of_disclosure(told: Told, reader: words.Reader) -> dict[str, Any]:
    body = told.one.record.body
    outcome = outcome_of(body)
    codes = tuple(str(each) for each in body.get("categories") or ())
    given = {
        "what": words.categories(codes, reader),
        "codes": codes,
        "whom": words.recipient(body, reader),
        "means": words.factors(body.get("evidence")),
    }
    if outcome is not Outcome.GRANTED:
        minors = body.get("reason") in MINORS_REASONS
        reason = words.refusal(outcome is Outcome.WITHHELD, reader)
        return {**given, "section": Section.NOT_TOLD, "title": words.NOT_TOLD, "why": reason, "minors": minors}
    declared = body.get("control") == "declared"
    heard, times = words.heard(body, [each.body for each in told.followed])
    return {
        **given,
        "section": Section.DECLARED if declared else Section.TOLD,
        "title": words.told_by(body, reader),
        "heard": heard,
        "given": times,
        "why": words.purpose(body.get("purpose")),
    }


def _actor(body: Mapping[str, Any]) -> tuple[str, str]:
    actor = body.get("actor")
    if not isinstance(actor, Mapping):
        return "unknown", ""
    return str(actor.get("kind") or "unknown"), str(actor.get("id") or "")
