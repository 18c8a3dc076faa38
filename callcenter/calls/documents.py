"""From a flow's reply to a document for the carrier. Words about a patient become audio under a token, or the carrier's
voice where the practice chose that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from callcenter.calls import rows
from callcenter.calls.session import Playback
from callcenter.calls.values import Continue, Dial, Document, Element, End, Gather, PlayAudio, Record, SayText, Wait
from callcenter.disclosure.exits import Spoken, words_of
from callcenter.flow.conversation import (
    HangUp,
    Line,
    PutThrough,
    Question,
    Queueing,
    Recording,
    Reply,
    Then,
    Utterance,
)
from callcenter.flow.language import Pace
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import Random, new_id, new_token
from callcenter.store.database import Transaction
from callcenter.store.sealed import Place, Sealer


def token_hash(token: str) -> bytes:
    """Under what a token is kept: whoever reads the table cannot fetch the audio."""
    return sha256(token.encode()).digest()


def audio_place(practice: UUID, audio: UUID) -> Place:
    """Where the words of an audio are sealed for."""
    return Place(practice, "audio", "words", audio)


def follow(then: Then, pace: Pace) -> Gather | Record | Dial | Wait | End:
    """What follows the words of a document, for the carrier, at the caller's pace."""
    match then:
        case Question(lines, max_keys, seconds):
            return Gather(tuple(SayText(line.text, line.language, pace) for line in lines), max_keys, seconds)
        case Recording(lines, seconds):
            return Record(tuple(SayText(line.text, line.language, pace) for line in lines), seconds)
        case PutThrough(lines, line, shown):
            return Dial(tuple(SayText(words.text, words.language, pace) for words in lines), line, shown)
        case Queueing(lines, queue, expected):
            return Wait(tuple(SayText(words.text, words.language, pace) for words in lines), queue, expected)
        case HangUp():
            return End()


@dataclass(slots=True)
class DocumentWriter:
    """Makes one document in one transaction.

    Arguments:
        local_voice: words about a patient are synthesised by us; otherwise the carrier's voice says them.
        pace: at which the caller is spoken to.
        playbacks: what the document lets be heard, filled while writing.
    """

    tx: Transaction
    call: UUID
    sealer: Sealer
    random: Random
    now: datetime
    local_voice: bool
    pace: Pace = Pace.NORMAL
    playbacks: list[Playback] = field(default_factory=list)

    async def write(self, reply: Reply, number: int) -> Document:
        """The document numbered ``number`` for ``reply``; audio rows are written, the ledger must be flushed before.

        What is said about a patient stands in a document of its own, which then goes on by itself: that the carrier
        asks for the next one shows that the words were heard to their end.
        """
        before = tuple([await self._element(utterance) for utterance in reply.before])
        then = Continue() if self.playbacks else follow(reply.then, self.pace)
        return Document(self.call, number, before, then)

    async def _element(self, utterance: Utterance) -> Element:
        match utterance:
            case Line(text=text, language=language):
                return SayText(text, language, self.pace)
            case Spoken():
                return await self._spoken(utterance)
        raise CallcenterError("a reply holds something that is neither public words nor the gate's")

    async def _spoken(self, spoken: Spoken) -> Element:
        if not self.local_voice:
            self.playbacks.append(Playback(spoken.record, None))
            return SayText(words_of(spoken), spoken.language, self.pace)
        token, audio = new_token(self.random), new_id(self.random)
        words = self.sealer.seal_text(words_of(spoken), audio_place(self.tx.practice, audio))
        values = {
            "id": audio,
            "practice": self.tx.practice,
            "call": self.call,
            "token_hash": token_hash(token),
            "record": spoken.record,
            "words": words,
            "language": spoken.language,
            "pace": self.pace.value,
            "now": self.now,
        }
        await self.tx.connection.execute(rows.KEEP_AUDIO, values)
        self.playbacks.append(Playback(spoken.record, audio))
        return PlayAudio(token)
