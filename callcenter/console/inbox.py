"""Messages: what waits for whoever reads them, and what operators have to do about them.

A list shows that there are messages, never what they say. To open one is to send a form, so that no link and no page
that is fetched ahead opens any; it gives a receipt, and asks for a second factor first.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from aiohttp import web

from callcenter.console import paths
from callcenter.console.headers import SOUND
from callcenter.console.headers import Sound as SoundOf
from callcenter.console.inbox_ports import (
    Act,
    Answer,
    As,
    Due,
    Envelope,
    Heard,
    Inboxes,
    Line,
    Opened,
    TakenTooMuch,
    Why,
)
from callcenter.console.paths import with_return
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.kernel.errors import Forbidden

#: Fields of forms.
ANSWER, WORDS, DUE, WHY = "reponse", "precision", "echeance", "motif"
#: Letters of what is added to an answer.
LONGEST_WORDS = 1_000
#: What has been done, as the list is told by its own address.
DONE = frozenset({"repondu", *(act.value for act in (Act.GIVE_BACK, Act.FINISH))})


class InboxPages:
    """The pages under ``/messages``."""

    def __init__(self, inboxes: Inboxes) -> None:
        self._inboxes = inboxes

    def doors(self) -> list[Door]:
        return [
            Door("GET", paths.MESSAGES, For.STAFF, self._list),
            Door("GET", paths.MESSAGES_OF, For.STAFF, self._list_of),
            Door("GET", paths.MESSAGE, For.STAFF, self._envelope),
            Door("POST", paths.MESSAGE, For.STAFF, self._open, paths.MESSAGES),
            Door("GET", paths.MESSAGE_SOUND, For.STAFF, self._sound),
            Door("POST", paths.MESSAGE_ANSWER, For.STAFF, self._answer, paths.MESSAGES),
            Door("POST", paths.MESSAGE_ACT, For.STAFF, self._act, paths.MESSAGES),
        ]

    # --- lists

    async def _list(self, visit: Visit) -> web.StreamResponse:
        return await self._listed(visit)

    async def _list_of(self, visit: Visit) -> web.StreamResponse:
        return await self._listed(visit, of_one=True)

    async def _listed(self, visit: Visit, *problems: Problem, of_one: bool = False) -> web.Response:
        chosen = visit.path_id("practice") if of_one else None
        overview = await self._inboxes.overview(visit.own_token, chosen)
        done = visit.request.query.get("fait")
        return visit.show(
            "messages.html",
            problems,
            overview=overview,
            done=done if done in DONE and not problems else None,
            **_VALUES,
        )

    # --- one message

    async def _envelope(self, visit: Visit) -> web.StreamResponse:
        return await self._unopened(visit)

    async def _unopened(self, visit: Visit, *problems: Problem) -> web.Response:
        envelope = await self._inboxes.envelope(visit.own_token, *_message(visit))
        return self._shown(visit, envelope.line, envelope, None, problems)

    async def _open(self, visit: Visit) -> web.StreamResponse:
        practice, message = _message(visit)
        if not visit.own_session.confirmed:
            return visit.go(with_return(paths.CONFIRM, paths.MESSAGE.format(practice=practice, message=message)))
        why = visit.fields.get(WHY)
        if why == "":
            return await self._unopened(visit, Problem("no_reason", WHY))
        if why is not None and why not in set(Why):
            raise Turned(Trouble.UNREADABLE)
        opened = await self._inboxes.open(visit.own_token, practice, message, None if why is None else Why(why))
        return self._shown(visit, opened.line, None, opened)

    async def _sound(self, visit: Visit) -> web.StreamResponse:
        found = await self._inboxes.sound(visit.own_token, *_message(visit))
        if isinstance(found, Heard):
            raise Turned(Trouble.FORBIDDEN)
        return web.Response(body=found.content, content_type=found.media_type)

    async def _answer(self, visit: Visit) -> web.StreamResponse:
        answer, words, due = (visit.fields.get(name, "").strip() for name in (ANSWER, WORDS, DUE))
        problems = _problems(answer, words)
        if problems:
            return await self._unopened(visit, *problems)
        if answer not in set(Answer) or due not in set(Due):
            raise Turned(Trouble.UNREADABLE)
        practice, message = _message(visit)
        try:
            done = await self._inboxes.answer(visit.own_token, practice, message, Answer(answer), words, Due(due))
        except Forbidden:  # too long ago; where it is the session that is over, the envelope is not there either
            return await self._unopened(visit, Problem("opened_long_ago"))
        if not done:
            return await self._unopened(visit, Problem("dealt_with"))
        return visit.go(f"{paths.MESSAGES}?fait=repondu")

    # --- what is to be done

    async def _act(self, visit: Visit) -> web.StreamResponse:
        act = visit.request.match_info["act"]
        if act not in set(Act):
            raise Turned(Trouble.NOT_FOUND)
        practice, message = _message(visit)
        if act == Act.TAKE:
            if not visit.own_session.confirmed:  # it shows a telephone number
                return visit.go(with_return(paths.CONFIRM, paths.MESSAGE.format(practice=practice, message=message)))
            try:
                opened = await self._inboxes.take(visit.own_token, practice, message)
            except TakenTooMuch:
                return await self._listed(visit, Problem("taken_too_much"))
            if opened is None:
                return await self._listed(visit, Problem("taken"))
            return self._shown(visit, opened.line, None, opened)
        if not await self._inboxes.leave(visit.own_token, practice, message, Act(act)):
            return await self._listed(visit, Problem("not_yours"))
        return visit.go(f"{paths.MESSAGES}?fait={act}")

    def _shown(
        self,
        visit: Visit,
        line: Line,
        envelope: Envelope | None,
        opened: Opened | None,
        problems: tuple[Problem, ...] = (),
    ) -> web.Response:
        if opened is not None and opened.voice is not None:
            visit.request[SOUND] = SoundOf(plays=("'self'",), speaks=False)
        reopen = any(problem.word == "opened_long_ago" for problem in problems)
        return visit.show(
            "message.html",
            problems,
            line=line,
            envelope=envelope,
            opened=opened,
            answers=() if reopen else opened.answers if opened else envelope.answers if envelope else (),
            reopen=reopen,
            typed=visit.fields,
            **_VALUES,
        )


def _message(visit: Visit) -> tuple[UUID, UUID]:
    """Which message the address names: its practice, and itself."""
    return visit.path_id("practice"), visit.path_id("message")


def _problems(answer: str, words: str) -> list[Problem]:
    if not answer:
        return [Problem("no_answer", ANSWER)]
    if answer == Answer.OTHER and not words:
        return [Problem("no_words", WORDS)]
    return [Problem("too_long", WORDS)] if len(words) > LONGEST_WORDS else []


_VALUES: dict[str, Any] = {
    "Act": Act,
    "Answer": Answer,
    "As": As,
    "Due": Due,
    "Why": Why,
    "answer_field": ANSWER,
    "words_field": WORDS,
    "due_field": DUE,
    "why_field": WHY,
    "longest_words": LONGEST_WORDS,
}
