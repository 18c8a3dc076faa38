"""The step ``take_message`` by voice, and for a renewal or a certificate: bounded, and nothing is lost on the way."""

from __future__ import annotations

from uuid import UUID

import pytest

from callcenter.flow.conversation import LONGEST_MESSAGE, Keyed, Recorded, Recording
from callcenter.flow.engine import LAST_AFTER, FlowStuck
from callcenter.flow.language import Channel, End, Flow, MessageKind, TakeMessage
from callcenter.flow.message_taking import VOICE_MESSAGES
from callcenter.flow.ports import Addressee, CallbackRequest
from tests.unit.flow.doubles import Call

THIS = "+33639980001"
DOCTORS = tuple(Addressee(UUID(int=at), f"Dr Médecin {at}") for at in range(1, 11))


async def ringing(
    kind: MessageKind, *, voice: bool = True, number: str | None = THIS, doctors: tuple[Addressee, ...] = ()
) -> Call:
    message = TakeMessage("message", 0, kind, "taken", "abandoned")
    named = {step.name: step for step in (message, End("taken", 0, "taken"), End("abandoned", 0, "abandoned"))}
    flow = Flow("essai", Channel.VOICE, "essai.yaml", "message", "message", named, "00")
    call = Call(flow, number=number, public={VOICE_MESSAGES: voice})
    call.messages.practitioners = doctors
    await call.ring()
    return call


async def test_a_message_is_spoken_and_kept_with_the_number_that_called() -> None:
    call = await ringing(MessageKind.VOICE)
    asked = call.replies[-1].then
    assert isinstance(asked, Recording)
    assert (call.heard(), asked.seconds) == (["message.voice"], LONGEST_MESSAGE)
    await call.speak("RE7", 30)
    assert (call.heard(), call.ended) == (["callback.taken", "taken"], True)
    assert call.messages.inbox == [CallbackRequest("unspecified", THIS, MessageKind.VOICE)]
    assert call.messages.voices == [(UUID(int=1), Recorded("RE7", 30))]


async def test_a_message_without_a_number_is_kept_too() -> None:
    call = await ringing(MessageKind.VOICE, number=None)
    await call.speak()
    assert call.messages.inbox == [CallbackRequest("unspecified", None, MessageKind.VOICE)]


async def test_p7_silence_is_asked_once_more_and_then_keys_lead_on() -> None:
    call = await ringing(MessageKind.VOICE)
    await call.press("")
    assert call.heard() == ["message.voice_again"]
    await call.press("")
    assert call.heard() == ["message.nothing_heard", "callback.reason"]
    await call.press("3", "1#")
    assert call.messages.inbox == [CallbackRequest("administrative", THIS)]
    assert call.messages.voices == []


async def test_where_voice_is_off_nothing_is_recorded() -> None:
    for kind, first in ((MessageKind.VOICE, "callback.reason"), (MessageKind.RENEWAL, "callback.number_or_this")):
        call = await ringing(kind, voice=False)
        assert call.heard() == [first]
        await call.press(*(["1"] if kind is MessageKind.VOICE else []), "1#")
        assert call.ended
        assert not any(isinstance(reply.then, Recording) for reply in call.replies)


@pytest.mark.parametrize(
    ("kind", "reason"), [(MessageKind.RENEWAL, "prescription"), (MessageKind.CERTIFICATE, "certificate")]
)
@pytest.mark.parametrize(("key", "whom"), [("2", UUID(int=2)), ("8", UUID(int=8)), ("9", None)])
async def test_a_request_is_for_whom_the_caller_chooses(
    kind: MessageKind, reason: str, key: str, whom: UUID | None
) -> None:
    call = await ringing(kind, doctors=DOCTORS)
    assert call.heard() == ["request.practitioner"]
    await call.press(key)
    assert call.heard() == ["callback.number_or_this"]
    await call.press("1#")
    assert call.messages.inbox == [CallbackRequest(reason, THIS, kind, whom)]  # before anything is spoken
    assert call.heard() == ["request.spoken"]
    await call.speak()
    assert call.messages.voices[0][0] == UUID(int=1)
    assert call.heard() == ["callback.taken", "taken"]


async def test_what_may_be_added_by_voice_is_asked_for_once() -> None:
    call = await ringing(MessageKind.RENEWAL)
    await call.press("1#", "")
    assert (call.heard(), call.messages.voices) == (["callback.taken", "taken"], [])


async def test_one_practitioner_is_not_asked_for_and_nobody_answers_for_all() -> None:
    call = await ringing(MessageKind.RENEWAL, doctors=DOCTORS[:1])
    await call.press("1#")
    call_of_all = await ringing(MessageKind.RENEWAL, doctors=DOCTORS)
    await call_of_all.press("", "7#", "1#")
    assert [call.messages.inbox[0].practitioner for call in (call, call_of_all)] == [UUID(int=1), UUID(int=7)]


async def test_p7_zero_leads_to_a_person_and_silence_to_a_request_for_the_practice() -> None:
    call = await ringing(MessageKind.RENEWAL, doctors=DOCTORS)
    await call.press("0")
    assert (call.heard(), call.visited) == (["abandoned"], [("message", "abandoned")])
    silent = await ringing(MessageKind.RENEWAL, doctors=DOCTORS)
    await silent.press("", "*", "", "")
    assert silent.heard() == ["callback.number_or_this"]
    await silent.press("1#")
    assert silent.messages.inbox[0].practitioner is None


async def test_what_was_spoken_counts_even_when_the_time_is_over() -> None:
    call = await ringing(MessageKind.VOICE)
    call.now += LAST_AFTER
    await call.speak()
    assert len(call.messages.voices) == 1


async def test_nothing_spoken_is_taken_where_nothing_was_asked_for() -> None:
    call = await ringing(MessageKind.CALLBACK)
    with pytest.raises(FlowStuck):
        await call.speak()
    assert await call.send(Keyed("1"))
