"""The words behind an audio URL: fetched by the carrier, after the commit, within minutes, a few times at most."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import TextClause

from callcenter.audit.ledger import Entry, EventKind, writing
from callcenter.calls import rows
from callcenter.calls.desk import IVR_ACTOR
from callcenter.calls.documents import audio_place, token_hash
from callcenter.calls.house import House
from callcenter.calls.session import Session, session_place
from callcenter.calls.values import AudioGone, AudioText, NotDelivered
from callcenter.flow.language import Pace
from callcenter.store.database import Transaction

AUDIO_LIFE = timedelta(minutes=5)
COMPLETE_FETCHES = 3
BEGUN_FETCHES = 9  # a fetch that breaks off may be tried again, but not for ever


class AudioShelf:
    """Hands out the words of one audio, for our own voice."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def audio(self, call: UUID, token: str) -> AudioText | AudioGone:
        """Take a place for a fetch. Every one after the first is recorded before anything leaves.

        Its end is to be told by :meth:`complete` or :meth:`give_back`.
        """
        house = self._house
        async with house.database.house() as connection:
            entered = (await connection.execute(rows.ENTER_BY_ID, {"id": call})).one_or_none()
            if entered is None:
                return AudioGone()
            tx = Transaction(connection, entered.practice_id)
            values = {
                "token_hash": token_hash(token),
                "call": call,
                "oldest": house.clock.now() - AUDIO_LIFE,
                "complete_bound": COMPLETE_FETCHES,
                "begun_bound": BEGUN_FETCHES,
            }
            row = (await connection.execute(rows.FETCH_AUDIO, values)).one_or_none()
            if row is None:
                return AudioGone()
            if row.fetches > 1:
                await self._note_redelivery(tx, call, row.record_id)
            words = house.sealer.open_text(row.words, audio_place(tx.practice, row.id))
        return AudioText(words, row.language, row.id, Pace(row.pace))

    async def complete(self, call: UUID, fetch: UUID) -> None:
        """The carrier has the whole audio, or lacks nothing but its last byte."""
        await self._end(call, fetch, rows.COMPLETE_AUDIO)

    async def give_back(self, call: UUID, fetch: UUID, why: NotDelivered) -> None:
        """The carrier does not have the whole audio: another fetch may take the place."""
        await self._end(call, fetch, rows.GIVE_BACK_AUDIO[why])

    async def _end(self, call: UUID, fetch: UUID, statement: TextClause) -> None:
        async with self._house.database.house() as connection:
            await connection.execute(rows.ENTER_BY_ID, {"id": call})
            await connection.execute(statement, {"id": fetch, "call": call})

    async def _note_redelivery(self, tx: Transaction, call: UUID, record: UUID) -> None:
        house = self._house
        kept = (await tx.connection.execute(rows.SESSION, {"call": call})).one()
        place = session_place(tx.practice, call)
        session = Session.from_json(house.sealer.open(kept.state, place))
        async with writing(tx, session.segment, house.clock, house.random) as pen:
            await pen.add(Entry(EventKind.REDELIVERED, IVR_ACTOR, None, {"of": str(record)}))
        state = house.sealer.seal(replace(session, segment=pen.segment).to_json(), place)
        await tx.connection.execute(rows.SAVE_STATE, {"call": call, "state": state})


class Captions:
    """Remembers the words of the audio that was fetched lately, for the telephone of the demo and of tests.

    The roof puts it in place in those two environments only; production refuses to start with it.
    """

    KEPT = 200

    def __init__(self, shelf: AudioShelf) -> None:
        self._shelf = shelf
        self._words: OrderedDict[str, str] = OrderedDict()

    async def audio(self, call: UUID, token: str) -> AudioText | AudioGone:
        """As :meth:`AudioShelf.audio`, and remember the words."""
        fetched = await self._shelf.audio(call, token)
        if isinstance(fetched, AudioText):
            self._words[token] = fetched.text
            while len(self._words) > self.KEPT:
                self._words.popitem(last=False)
        return fetched

    async def complete(self, call: UUID, fetch: UUID) -> None:
        """As :meth:`AudioShelf.complete`."""
        await self._shelf.complete(call, fetch)

    async def give_back(self, call: UUID, fetch: UUID, why: NotDelivered) -> None:
        """As :meth:`AudioShelf.give_back`."""
        await self._shelf.give_back(call, fetch, why)

    def caption(self, token: str) -> str | None:
        """The words that were fetched under ``token``."""
        return self._words.get(token)
