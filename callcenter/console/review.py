"""Supervisors' review: what was told, refused and proved at the practices that one answers for, and each call again.

Whatever is searched by is posted: an address holds a call's identifier and nothing else. Pages name colleagues and
references; of patients they show nothing, and of a patient who was looked up no more than was typed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from aiohttp import hdrs, web

from callcenter.calls.call_references import LONGEST, short_reference
from callcenter.console import paths
from callcenter.console.dates import ZONE
from callcenter.console.incident import address_from_call
from callcenter.console.paths import with_return
from callcenter.console.review_ports import (
    Asked,
    CallReview,
    LookUp,
    LookUpProblem,
    Match,
    Purpose,
    ReviewDesk,
    Reviews,
    Unreferred,
    Unsealed,
    Untrained,
)
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.typed import LONGEST_REASON, SHORTEST_REASON, birth_date
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.kernel.labels import Category
from callcenter.reports import words
from callcenter.reports.spreadsheet import title
from callcenter.reports.values import LONGEST_PERIOD, Criteria, Kind, Outcome

PRACTICE, KIND, FIRST, LAST = "cabinet", "nature", "du", "au"
CATEGORY, OUTCOME, PERSON, CALL = "categorie", "issue", "personne", "appel"
PATIENT, AFTER = "patient", "apres"
#: A part of a practice's name, by which those of many are found.
NAMED, LONGEST_NAME = "nom", 80
BORN, LETTERS, PURPOSE, REASON = "naissance", "lettres", "finalite", "motif"

#: What a form opens with.
_DAYS = timedelta(days=6)
_UNTRAINED, _UNTRAINED_NOTES = Problem(LookUpProblem.UNTRAINED.value), Problem("untrained_notes")
_UNSEALED = Problem("unsealed")


@dataclass(frozen=True, slots=True)
class _Unfit(Exception):
    """A form says something that cannot be looked for."""

    problem: Problem


class ReviewPages:
    """The pages below ``/suivi``."""

    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.REVIEW, For.STAFF, self._first),
            Door("POST", paths.REVIEW, For.STAFF, self._search, paths.REVIEW),
            Door("POST", paths.REVIEW_PATIENT, For.STAFF, self._look_up, paths.REVIEW),
            Door("POST", paths.REVIEW_EXPORT, For.STAFF, self._export, paths.REVIEW),
            Door("GET", paths.REVIEW_CALL, For.STAFF, self._call),
            Door("POST", paths.REVIEW_CALL_NOTES, For.STAFF, self._notes, paths.REVIEW),
            Door("POST", paths.REVIEW_CALL_PAPER, For.STAFF, self._paper, paths.REVIEW),
        ]

    async def _first(self, visit: Visit) -> web.StreamResponse:
        desk = await self._reviews.desk(visit.own_token)
        return self._shown(visit, desk, {})

    async def _search(self, visit: Visit) -> web.StreamResponse:
        desk, fields, problems = await self._begun(visit)
        try:
            asked = _asked(fields, desk, problems)
        except _Unfit as unfit:
            return self._shown(visit, desk, fields, (unfit.problem,))
        try:
            results = await self._reviews.search(visit.own_token, asked)
        except (Untrained, Unsealed, Unreferred) as error:
            return self._shown(visit, desk, fields, (_why_not(error),))
        return self._shown(visit, desk, fields, results=results, asked=asked)

    async def _look_up(self, visit: Visit) -> web.StreamResponse:
        desk, fields, problems = await self._begun(visit)
        try:
            wanted = _wanted(fields, desk, problems)
        except _Unfit as unfit:
            return self._shown(visit, desk, fields, (unfit.problem,))
        try:
            found = await self._reviews.look_up(visit.own_token, wanted)
        except (Unsealed, Unreferred) as error:
            return self._shown(visit, desk, fields, (_why_not(error),))
        if isinstance(found, LookUpProblem):
            return self._shown(visit, desk, fields, (Problem(found.value),))
        matches = [_masked(match, wanted.letters) for match in found.matches]
        return self._shown(visit, desk, fields, matches=matches, more=found.more)

    async def _export(self, visit: Visit) -> web.StreamResponse:
        desk, fields, problems = await self._begun(visit)
        try:
            asked = replace(_asked(fields, desk, problems), after="")
        except _Unfit as unfit:
            return self._shown(visit, desk, fields, (unfit.problem,))
        try:
            made = await self._reviews.export(visit.own_token, asked)
        except (Untrained, Unsealed, Unreferred) as error:
            return self._shown(visit, desk, fields, (_why_not(error),))
        return _file(made, "text/csv", "suivi.csv", charset="utf-8")

    async def _begun(self, visit: Visit) -> tuple[ReviewDesk, Mapping[str, str], list[Problem]]:
        """What one may choose from, and what was sent, with its practice: that of the call that was named where none
        is chosen, and else the one whose name has what was typed. With what is wrong if there is none such."""
        fields, token, problems = visit.fields, visit.own_token, []
        typed, reference = " ".join(fields.get(NAMED, "").split())[:LONGEST_NAME], _reference(fields)
        chosen = _maybe_id(fields.get(PRACTICE, ""))
        if reference and not typed and not fields.get(PRACTICE):
            try:
                chosen = await self._reviews.practice_of(token, reference)
            except Unreferred as error:
                problems = [Problem(f"{error.why.value}_call_of_all", CALL)]
        desk = await self._reviews.desk(token, typed, chosen)
        if desk.many and typed and chosen not in {one.id for one in desk.practices}:
            chosen = desk.practices[0].id if desk.found == 1 else None
            if chosen is None:
                problems = [Problem("named_several", PRACTICE) if desk.found else Problem("named_none", NAMED)]
            return desk, {**fields, PRACTICE: str(chosen or "")}, problems
        if desk.many and chosen is None and not problems:
            problems = [Problem("named", NAMED)]
        return desk, fields if chosen is None else {**fields, PRACTICE: str(chosen)}, problems

    async def _call(self, visit: Visit) -> web.StreamResponse:
        return self._gone_through(visit, await self._reviews.call(visit.own_token, visit.path_id("call")))

    async def _notes(self, visit: Visit) -> web.StreamResponse:
        token, call = visit.own_token, visit.path_id("call")
        try:
            return self._gone_through(visit, await self._reviews.notes(token, call))
        except Untrained:
            return self._gone_through(visit, await self._reviews.call(token, call), (_UNTRAINED_NOTES,))

    def _gone_through(self, visit: Visit, review: CallReview, problems: tuple[Problem, ...] = ()) -> web.Response:
        call = review.timeline.call
        return visit.show(
            "review_call.html",
            problems,
            review=review,
            timeline=review.timeline,
            paper=paths.REVIEW_CALL_PAPER.format(call=call),
            notes=paths.REVIEW_CALL_NOTES.format(call=call),
            incident=address_from_call(call, review.timeline.practice),
            **_WORDS,
        )

    async def _paper(self, visit: Visit) -> web.StreamResponse:
        call = visit.path_id("call")
        made = await self._reviews.paper(visit.own_token, call)
        return _file(made, "application/pdf", f"appel-{call}.pdf")

    def _shown(
        self, visit: Visit, desk: ReviewDesk, fields: Mapping[str, str], problems: tuple[Problem, ...] = (), **more: Any
    ) -> web.Response:
        """The page with its form as it was sent."""
        given = {"results": None, "matches": None, "more": False, "asked": None, **more}
        values = {**_first_values(desk), **{name: fields[name] for name in _KEPT if name in fields}}
        chosen = next((one.name for one in desk.practices if str(one.id) == values[PRACTICE]), None)
        confirm = with_return(paths.CONFIRM, paths.REVIEW)
        week = {name: {**_first_values(desk), PRACTICE: values[PRACTICE], **asks} for name, asks in CONTROLS.items()}
        shown: dict[str, Any] = {"desk": desk, "values": values, "chosen": chosen, "names": _NAMES, "confirm": confirm}
        return visit.show("review.html", problems, **shown, **given, week=week, **_WORDS)


#: What is gone through each week (LG-06), and by which search; it is over the last seven days.
CONTROLS: Mapping[str, Mapping[str, str]] = {
    "failed": {KIND: Kind.VERIFICATIONS.value, OUTCOME: Outcome.FAILED.value},
    "refused": {KIND: Kind.REFUSALS.value},
    "staff": {KIND: Kind.STAFF.value},
}

#: What is shown again of a form that was sent. A birth date, a name and a reason are not.
_KEPT = (PRACTICE, NAMED, KIND, FIRST, LAST, CATEGORY, OUTCOME, PERSON, CALL, PATIENT)
_NAMES = {
    **{
        "practice": PRACTICE,
        "named": NAMED,
        "kind": KIND,
        "first": FIRST,
        "last": LAST,
        "category": CATEGORY,
        "outcome": OUTCOME,
    },
    **{"person": PERSON, "call": CALL, "patient": PATIENT, "after": AFTER},
    **{"born": BORN, "letters": LETTERS, "purpose": PURPOSE, "reason": REASON},
}


def clock(at: datetime) -> str:
    """« 10:05:07 », in Paris."""
    return at.astimezone(ZONE).strftime("%H:%M:%S")


def offset(after: timedelta) -> str:
    """« +1:05 » since the call began."""
    seconds = int(after.total_seconds())
    hours, minutes = divmod(seconds // 60, 60)
    return f"+{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"+{minutes}:{seconds % 60:02}"


_WORDS: dict[str, Any] = {
    "short_reference": short_reference,
    "longest_reference": LONGEST,
    "Kind": Kind,
    "Outcome": Outcome,
    "Purpose": Purpose,
    "outcome_words": words.OUTCOMES,
    "area_words": words.AREAS,
    "who_words": words.WHO,
    "fact_word": words.fact,
    "plain": words.plain,
    "title_of": title,
    "clock": clock,
    "offset": offset,
    "longest_days": LONGEST_PERIOD.days,
    "longest_name": LONGEST_NAME,
}


def _first_values(desk: ReviewDesk) -> dict[str, str]:
    values = {
        KIND: Kind.CALLS.value,
        FIRST: (desk.today - _DAYS).isoformat(),
        LAST: desk.today.isoformat(),
        **dict.fromkeys((NAMED, CATEGORY, OUTCOME, PERSON, CALL, PATIENT), ""),
    }
    return {**values, PRACTICE: str(desk.practices[0].id) if len(desk.practices) == 1 and not desk.many else ""}


def _asked(fields: Mapping[str, str], desk: ReviewDesk, problems: Sequence[Problem]) -> Asked:
    return Asked(_criteria(fields, desk, problems), fields.get(PATIENT, ""), fields.get(AFTER, ""), _reference(fields))


def _reference(fields: Mapping[str, str]) -> str:
    return fields.get(CALL, "").strip()[:LONGEST]


def _why_not(error: Untrained | Unsealed | Unreferred) -> Problem:
    match error:
        case Untrained():
            return _UNTRAINED
        case Unsealed():
            return _UNSEALED
        case Unreferred():
            return Problem(f"{error.why.value}_call", CALL)


def _criteria(fields: Mapping[str, str], desk: ReviewDesk, problems: Sequence[Problem]) -> Criteria:
    """What is looked for.

    Arguments:
        problems: why it is clear of no practice.

    Raises:
        _Unfit: something is missing, or is not what its field holds.
        Turned: something that no form of ours sends.
    """
    if problems:
        raise _Unfit(problems[0])
    practice = _id(fields.get(PRACTICE, ""), PRACTICE, "practice")
    if practice is None:
        raise _Unfit(Problem("practice", PRACTICE))
    first, last = _day(fields, FIRST), _day(fields, LAST)
    if first > last or last - first >= LONGEST_PERIOD or last > desk.today:
        raise _Unfit(Problem("period", FIRST))
    kind, category, outcome = fields.get(KIND, ""), fields.get(CATEGORY, ""), fields.get(OUTCOME, "")
    if kind not in set(Kind) or category not in {"", *Category} or outcome not in {"", *Outcome}:
        raise Turned(Trouble.UNREADABLE)
    return Criteria(
        practice=practice,
        kind=Kind(kind),
        first=first,
        last=last,
        category=Category(category) if category else None,
        outcome=Outcome(outcome) if outcome else None,
        staff=_id(fields.get(PERSON, ""), PERSON, "person"),
    )


def _wanted(fields: Mapping[str, str], desk: ReviewDesk, problems: Sequence[Problem]) -> LookUp:
    """Whom is looked for, and why: ID-05, a birth date first, and three letters at most."""
    criteria = _criteria(fields, desk, problems)
    born = birth_date(fields.get(BORN, ""), desk.today)
    if born is None:
        raise _Unfit(Problem("born", BORN))
    letters = fields.get(LETTERS, "").strip()
    if len(letters) > 3 or not all(letter.isalpha() for letter in letters):
        raise _Unfit(Problem("letters", LETTERS))
    purpose, reason = fields.get(PURPOSE, ""), " ".join(fields.get(REASON, "").split())
    if purpose not in set(Purpose):
        raise _Unfit(Problem("purpose", PURPOSE))
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise _Unfit(Problem("reason", REASON))
    return LookUp(criteria, born, letters, Purpose(purpose), reason, _reference(fields))


def _day(fields: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(fields.get(name, ""))
    except ValueError:
        raise _Unfit(Problem("period", name)) from None


def _maybe_id(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def _id(written: str, field: str, word: str) -> UUID | None:
    if not written:
        return None
    try:
        return UUID(written)
    except ValueError:
        raise _Unfit(Problem(word, field)) from None


def _masked(match: Match, letters: str) -> dict[str, object]:
    """Somebody who was found: what was typed of their name, and nothing that was not."""
    return {"key": match.key, "name": f"{letters.upper()}***", "records": match.records}


def _file(body: bytes, kind: str, name: str, charset: str | None = None) -> web.Response:
    disposition = f'attachment; filename="{name}"'
    headers = {hdrs.CONTENT_DISPOSITION: disposition}
    return web.Response(body=body, content_type=kind, charset=charset, headers=headers)
