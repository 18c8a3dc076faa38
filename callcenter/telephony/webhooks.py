"""Signed forms as values: parsed strictly once, here, and trusted afterwards."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from multidict import MultiMapping

from callcenter.calls.strays import ListedRecording
from callcenter.calls.values import (
    AtAWait,
    CallStatus,
    Incoming,
    Reached,
    RecordingReady,
    Slot,
    StatusChanged,
    StepAnswered,
)
from callcenter.flow.conversation import Dequeued, Dialled, Keyed, Rang, Recorded
from callcenter.telephony.callers import Line, e164
from callcenter.telephony.ports import MessageStatus

_HEX = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CALL_SID = re.compile(r"CA[0-9a-f]{32}", re.ASCII)
_MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-f]{32}", re.ASCII)
_RECORDING_SID = re.compile(r"RE[0-9a-f]{32}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,5}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_DOCUMENT = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_KEYS = re.compile(r"[0-9*]*", re.ASCII)
_RING_TOKEN = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CODE = re.compile(r"[0-9]{1,6}", re.ASCII)
_SECRET_SEGMENT = re.compile(r"[0-9A-Za-z._~%-]{16,}", re.ASCII)

#: Seconds of a recording that are noted at most.
LONGEST_DURATION = 3600
#: More keys than any question takes.
MOST_KEYS = 64
#: What a flow is told when the keys are none that a telephone of ours sends: as many as no question takes, so every
#: question hears nonsense. Dropping the foreign ones instead could make a right answer of a wrong one.
NONSENSE = Keyed("0" * MOST_KEYS)

#: The fields in which two webhooks for one step may differ in meaning (docs/one-step.md).
_MEANINGFUL = ("Digits", "RecordingSid", "DialCallStatus", "QueueResult")

#: What the carrier says of a line that was rung.
_RANG = {
    "completed": Rang.TALKED,
    "busy": Rang.BUSY,
    "no-answer": Rang.NO_ANSWER,
    "failed": Rang.FAILED,
    "canceled": Rang.CANCELLED,
}

#: How a queue was left that is no end of the wait: the caller is with somebody, was led to them, or is gone. What they
#: meet next is not asked here.
_NO_END_OF_A_WAIT = frozenset({"bridged", "bridging-in-process", "redirected", "redirected-from-bridged", "hangup"})

_STATUSES = {status.name.lower().replace("_", "-"): status for status in CallStatus}

Form = MultiMapping[Any]


@dataclass(frozen=True, slots=True)
class Malformed:
    """The carrier signed it, yet it is not what we expect.

    Arguments:
        field: name of the first field that is missing or wrong; never its value.
    """

    field: str


@dataclass(frozen=True, slots=True)
class NothingAsked:
    """The carrier tells of something that another webhook, or nothing, follows from."""


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """What became of a message; see :meth:`callcenter.telephony.ports.MessageStatuses.message_status`."""

    sid: str
    status: MessageStatus
    error_code: int | None


class TextWord(StrEnum):
    """What a text message to us may ask."""

    STOP = "stop"
    START = "start"


_TEXT_WORDS = {
    **dict.fromkeys(
        ("STOP", "ARRET", "ARRETER", "ARRETEZ", "STOPSMS", "STOPALL", "UNSUBSCRIBE", "DESINSCRIPTION"), TextWord.STOP
    ),
    **dict.fromkeys(("START", "UNSTOP", "REPRISE"), TextWord.START),
}

#: What people write beside such a word, as our own texts do (« STOP au 01… »), and which changes nothing.
_BESIDE_IT = frozenset({"AU", "SMS", "SVP", "MERCI", "RAPPEL", "RAPPELS"})


@dataclass(frozen=True, slots=True)
class TextReceived:
    """A text message to one of our numbers.

    Arguments:
        message: the carrier's identifier of it, without its two letters.
        sender: E.164, or ``None`` where it is no telephone number.
        word: what it asks, or ``None`` for any other text, which is not kept.
    """

    message: UUID
    sender: str | None
    word: TextWord | None


@dataclass(frozen=True, slots=True)
class NoticeCallAsked:
    """A call that we make.

    Arguments:
        asked: how often its question was asked, from 1.
        keyed: what was typed, or ``None`` before anything was.
    """

    practice: UUID
    notice: UUID
    asked: int
    keyed: str | None


@dataclass(frozen=True, slots=True)
class FallbackAsked:
    """The carrier could not fetch or execute a document.

    Arguments:
        error_code: the carrier's code, or empty.
        path: path of the URL that failed, its identifiers and secrets replaced by ``*``, or empty.
    """

    error_code: str
    path: str


def _one(form: Form, name: str) -> str | None:
    """The value of a field that stands once, or ``None``."""
    values = form.getall(name, [])
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def read_field(form: Form, name: str) -> str | None:
    """The value of a field that stands once, or ``None``."""
    return _one(form, name)


def read_leg(form: Form) -> str | None:
    """The carrier's identifier of the leg that a form is about, or ``None``."""
    sid = _one(form, "CallSid") or ""
    return sid if is_leg(sid) else None


def is_leg(sid: str) -> bool:
    """Whether the carrier may have given a leg that identifier."""
    return _CALL_SID.fullmatch(sid) is not None


def _fingerprint(fields: Mapping[str, str | None]) -> bytes:
    return hashlib.sha256(json.dumps(sorted(fields.items())).encode()).digest()


def read_status(word: str) -> CallStatus | None:
    """A call's status in the carrier's words (``in-progress``), or ``None`` for one that we do not know."""
    return _STATUSES.get(word)


def read_line(form: Form) -> Line:
    """What the form tells about the line; never fails, because the last answer of all depends on it."""
    origins = (_one(form, name) for name in ("From", "ForwardedFrom", "CalledVia"))
    sid = _one(form, "CallSid") or ""
    return Line(
        called=e164(_one(form, "To") or ""),
        origins=tuple(origin for origin in origins if origin),
        sid=sid if _CALL_SID.fullmatch(sid) else None,
    )


def read_incoming(form: Form) -> Incoming | Malformed:
    """A call that comes in."""
    sid, called = _one(form, "CallSid") or "", e164(_one(form, "To") or "")
    if not _CALL_SID.fullmatch(sid):
        return Malformed("CallSid")
    if called is None:
        return Malformed("To")
    caller = e164(_one(form, "From") or "")
    fingerprint = _fingerprint({"CallSid": sid, "From": caller, "To": called})
    return Incoming(sid, caller, called, fingerprint, read_line(form).origins)


def read_reached(path: Mapping[str, str], form: Form) -> Reached | Malformed:
    """A line that we ring has answered."""
    sid, shown = _one(form, "CallSid") or "", e164(_one(form, "From") or "")
    if not _CALL_SID.fullmatch(sid):
        return Malformed("CallSid")
    if shown is None:
        return Malformed("From")
    if not _RING_TOKEN.fullmatch(path["token"]):
        return Malformed("token")
    return Reached(sid, path["token"], shown, _fingerprint({"CallSid": sid, "From": shown, "token": path["token"]}))


def read_keys(digits: str, finished_on: str) -> Keyed:
    """What was typed; keys that no question can take come out as :data:`NONSENSE`."""
    keys = digits.removesuffix("#")
    if len(keys) > MOST_KEYS or not _KEYS.fullmatch(keys):
        return NONSENSE
    return Keyed(keys, hash_key=finished_on == "#" or keys != digits)


def read_step(path: Mapping[str, str], form: Form) -> StepAnswered | NothingAsked | Malformed:
    """A document's continuation. A form without Digits is silence, as every slot but a question's has none.

    Arguments:
        path: the route's ``call``, ``document`` and ``slot``.
        form: the signed fields.
    """
    sid = _one(form, "CallSid") or ""
    if not _CALL_SID.fullmatch(sid):
        return Malformed("CallSid")
    if not _UUID.fullmatch(path["call"]):
        return Malformed("call")
    if not _DOCUMENT.fullmatch(path["document"]):
        return Malformed("document")
    if path["slot"] not in set(Slot):
        return Malformed("slot")
    if len(form.getall("Digits", [])) > 1:
        return Malformed("Digits")
    slot = Slot(path["slot"])
    recorded = _read_recorded(form) if slot is Slot.RECORDED else None
    if isinstance(recorded, Malformed):
        return recorded
    dialled = _read_dialled(form) if slot is Slot.DIALLED else None
    if isinstance(dialled, Malformed):
        return dialled
    dequeued = _read_dequeued(form) if slot is Slot.ENQUEUED else None
    if isinstance(dequeued, NothingAsked | Malformed):
        return dequeued
    return StepAnswered(
        call=UUID(path["call"]),
        carrier_sid=sid,
        document=int(path["document"]),
        slot=slot,
        # What ended a recording is no answer: "#", or the word "hangup".
        keyed=Keyed("") if recorded else read_keys(_one(form, "Digits") or "", _one(form, "FinishedOnKey") or ""),
        fingerprint=_fingerprint({name: _one(form, name) for name in _MEANINGFUL}),
        recorded=recorded,
        dialled=dialled,
        dequeued=dequeued,
    )


def read_wait(path: Mapping[str, str], form: Form) -> AtAWait | Malformed:
    """A webhook of a wait.

    Arguments:
        path: the route's ``call`` and ``document``.
        form: the signed fields.
    """
    step = read_step({**path, "slot": Slot.NEXT.value}, form)
    if isinstance(step, StepAnswered):
        return AtAWait(step.call, step.carrier_sid, step.document)
    return step if isinstance(step, Malformed) else Malformed("slot")


def read_wait_keys(form: Form) -> str:
    """What was typed while waiting; nonsense is no key that anything answers to."""
    return read_keys(_one(form, "Digits") or "", _one(form, "FinishedOnKey") or "").keys


def _read_dequeued(form: Form) -> Dequeued | NothingAsked | Malformed:
    """Whether a wait is over. A word that is new to us ends it: whoever waits is not left without an answer."""
    result = _one(form, "QueueResult")
    if not result:
        return Malformed("QueueResult")
    return NothingAsked() if result in _NO_END_OF_A_WAIT else Dequeued(met=False)


def _read_dialled(form: Form) -> Dialled | Malformed:
    """What became of a line that was rung. A word that is new to us is no talk: the call goes on with us."""
    status = _one(form, "DialCallStatus")
    return Malformed("DialCallStatus") if not status else Dialled(_RANG.get(status, Rang.FAILED))


def _read_recorded(form: Form) -> Recorded | Malformed:
    """What was spoken. The address of the sound is not read: ours is made from the identifier alone."""
    sid, seconds = _one(form, "RecordingSid") or "", _one(form, "RecordingDuration") or "0"
    if not _RECORDING_SID.fullmatch(sid):
        return Malformed("RecordingSid")
    if not _SECONDS.fullmatch(seconds):
        return Malformed("RecordingDuration")
    return Recorded(sid, min(int(seconds), LONGEST_DURATION))


def read_recording(path: Mapping[str, str], form: Form) -> RecordingReady | Malformed:
    """What was spoken at a document has been worked on: it can be fetched, or there was nothing.

    Arguments:
        path: the route's ``call`` and ``document``.
        form: the signed fields.
    """
    status = _one(form, "RecordingStatus")
    if status not in ("completed", "absent"):
        return Malformed("RecordingStatus")
    step = read_step({**path, "slot": Slot.RECORDED.value}, form)
    return RecordingReady(step, heard=status == "completed") if isinstance(step, StepAnswered) else Malformed("slot")


def listed_recording(call_sid: object, sid: object, seconds: object, begun_at: object) -> ListedRecording | None:
    """A recording on the carrier's own list; ``None`` if it is of no call, or is described in no way that we know."""
    if not isinstance(begun_at, datetime):
        return None
    named = _CALL_SID.fullmatch(str(call_sid)) and _RECORDING_SID.fullmatch(str(sid))
    if not named or not _SECONDS.fullmatch(str(seconds)):
        return None
    return ListedRecording(str(call_sid), str(sid), min(int(str(seconds)), LONGEST_DURATION), begun_at)


def read_status_change(form: Form) -> StatusChanged | Malformed:
    """A status callback. Its number in the sequence is not needed: a status that does not lie ahead changes nothing."""
    sid, status = _one(form, "CallSid") or "", read_status(_one(form, "CallStatus") or "")
    if not _CALL_SID.fullmatch(sid):
        return Malformed("CallSid")
    if status is None:
        return Malformed("CallStatus")
    return StatusChanged(sid, status)


def read_left_room(form: Form) -> UUID | None:
    """Who has left a conference, if it is somebody who was asked into a talk: they come in under their request's name.

    Nothing else that is told of conferences is needed: the legs of caller and operator say what became of them.
    Its number in the sequence is not either: whoever has left has left.
    """
    label = _one(form, "ParticipantLabel") or ""
    if _one(form, "StatusCallbackEvent") != "participant-leave" or not _HEX.fullmatch(label):
        return None
    return UUID(label)


def read_message_status(form: Form) -> MessageChanged | Malformed:
    """A message's delivery status."""
    sid, word, code = (_one(form, name) or "" for name in ("MessageSid", "MessageStatus", "ErrorCode"))
    if not _MESSAGE_SID.fullmatch(sid):
        return Malformed("MessageSid")
    if word not in set(MessageStatus):
        return Malformed("MessageStatus")
    return MessageChanged(sid, MessageStatus(word), int(code) if _CODE.fullmatch(code) else None)


def read_text(form: Form) -> TextReceived | Malformed:
    """A text message to one of our numbers. Of its words, only STOP and START are ever kept in mind.

    Where the carrier minds them itself, it says so (``OptOutType``).
    """
    sid = _one(form, "MessageSid") or ""
    if not _MESSAGE_SID.fullmatch(sid):
        return Malformed("MessageSid")
    if "From" not in form:
        return Malformed("From")
    words = (_one(form, "OptOutType") or "", _one(form, "Body") or "")
    read = (_TEXT_WORDS.get(_plain(word)) for word in words)
    word = next((word for word in read if word is not None), None)
    return TextReceived(UUID(sid[2:]), e164(_one(form, "From") or ""), word)


def _plain(text: str) -> str:
    """A text as one plain word: « Arrêt. », « STOP » and « Stop SVP » alike, and whatever signature stands below."""
    line = next((line for line in text[:160].splitlines() if line.strip()), "")
    letters = unicodedata.normalize("NFKD", line[:40]).upper()
    words = "".join(letter for letter in letters if "A" <= letter <= "Z" or letter == " ").split()
    return " ".join(words[:1] + [word for word in words[1:] if word not in _BESIDE_IT])


def read_notice_call(path: Mapping[str, str], form: Form) -> NoticeCallAsked | Malformed:
    """A call that we make asks for its words, or brings a key."""
    if not _CALL_SID.fullmatch(_one(form, "CallSid") or ""):
        return Malformed("CallSid")
    for name in ("practice", "notice"):
        if not _UUID.fullmatch(path[name]):
            return Malformed(name)
    if not re.fullmatch(r"[1-9]", path["round"], re.ASCII):
        return Malformed("round")
    if len(form.getall("Digits", [])) > 1:
        return Malformed("Digits")
    return NoticeCallAsked(UUID(path["practice"]), UUID(path["notice"]), int(path["round"]), _one(form, "Digits"))


def read_fallback(form: Form) -> FallbackAsked:
    """Why the carrier fell back. The path may hold an audio's token: anything long enough to be one is masked."""
    code, url = _one(form, "ErrorCode") or "", _one(form, "ErrorUrl") or ""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = ""
    masked = "/".join("*" if _SECRET_SEGMENT.fullmatch(segment) else segment for segment in path.split("/"))
    return FallbackAsked(error_code=code if _CODE.fullmatch(code) else "", path=masked[:120])


def read_audio(path: Mapping[str, str]) -> tuple[UUID, str] | Malformed:
    """The call and token of an audio's address."""
    if not _UUID.fullmatch(path["call"]):
        return Malformed("call")
    if not re.fullmatch(r"[0-9A-Za-z_-]{16,128}", path["token"], re.ASCII):
        return Malformed("token")
    return UUID(path["call"]), path["token"]
