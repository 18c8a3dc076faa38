"""Sabotage: the product with one of its defences gone makes the oracle cry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import structlog

from callcenter.audit.ledger import Entry, EventKind
from callcenter.calls import codes, record, steps
from callcenter.calls.audio import AudioShelf
from callcenter.calls.codes import CodeSender
from callcenter.calls.documents import DocumentWriter
from callcenter.calls.record import CallRecord
from callcenter.calls.verifier import CallVerifier
from callcenter.disclosure.exits import words_of
from callcenter.disclosure.gate import Gate
from callcenter.flow.ports import Found, NoMoreCodes
from callcenter.flow.prompts import Prompt
from callcenter.identity.evidence import standing
from callcenter.kernel.randomness import Random
from callcenter.practice import bookings
from callcenter.store.database import Database
from tests.attack.leak_oracle.mail import Mail
from tests.attack.leak_oracle.office import AGE_OF_EVIDENCE, FLAGS
from tests.attack.leak_oracle.parity import acts_without_proof, answers
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.verdict import Sink

Patch = pytest.MonkeyPatch


async def test_p1_a_gate_that_writes_no_record_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    async def another_record(self: Gate, *_: Any) -> Any:
        return await self._writing.add(Entry(EventKind.WEBHOOK_LATE, self._actor))

    monkeypatch.setattr(Gate, "_write", another_record)
    await telephone.hear(house.population.people["several"])
    assert {(Sink.AUDIO, "appointment.starts_at"), (Sink.ANSWER, "")} <= house.judge.found()


async def test_a_reference_in_a_log_is_found(house: Premises, telephone: Telephone, monkeypatch: Patch) -> None:
    draw = bookings.draw_reference

    def drawn_and_logged(random: Random) -> str:
        reference = draw(random)
        structlog.get_logger("planted").info("booked", reference=reference)
        return reference

    monkeypatch.setattr(bookings, "draw_reference", drawn_and_logged)
    someone = house.population.strangers[0]
    await telephone.ring(someone.number, next(iter(house.population.practices["port"].numbers)))
    await telephone.press("1", "2", "1", "1", f"{someone.birth_date:%d%m%Y}", "1#")
    await telephone.state()
    await telephone.judged()
    assert house.judge.found() == {(Sink.LOG, "booking.reference")}


async def test_p1_words_given_to_the_voice_before_the_commit_are_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    spoken_element = DocumentWriter._spoken

    async def in_advance(self: DocumentWriter, spoken: Any) -> Any:
        await house.voice.synthesise(words_of(spoken))
        return await spoken_element(self, spoken)

    monkeypatch.setattr(DocumentWriter, "_spoken", in_advance)
    await telephone.hear(house.population.people["several"])
    assert (Sink.AUDIO, "appointment.starts_at") in house.judge.found()


async def test_p1_an_answer_that_leaves_before_the_commit_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    in_order = Database.house
    commits: list[asyncio.Task[None]] = []
    answered = asyncio.Event()

    async def commit_later(committing: AbstractAsyncContextManager[Any]) -> None:
        await answered.wait()
        await committing.__aexit__(None, None, None)

    async def note_the_answer() -> None:
        answered.set()

    @asynccontextmanager
    async def in_haste(self: Database) -> AsyncIterator[Any]:
        if self is not house.running.database:
            async with in_order(self) as connection:
                yield connection
            return
        committing = in_order(self)
        yield await committing.__aenter__()
        commits.append(asyncio.create_task(commit_later(committing)))

    await telephone.prove(house.population.people["dictated"])
    house.edge.before_answer = note_the_answer
    with monkeypatch.context() as patch:
        patch.setattr(Database, "house", in_haste)
        await telephone.press("1")
        await telephone.state()
        await asyncio.gather(*commits)
    await telephone.judged()
    assert house.judge.found() == {(Sink.ANSWER, "appointment.starts_at"), (Sink.ANSWER, "practitioner.name")}


async def test_p1_a_refusal_that_is_told_all_the_same_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    write = Gate._write

    async def as_refused(self: Gate, _: str, *what: Any) -> Any:
        return await write(self, "refused", *what)

    monkeypatch.setattr(Gate, "_write", as_refused)
    await telephone.hear(house.population.people["several"])
    assert (Sink.AUDIO, "appointment.starts_at") in house.judge.found()


@pytest.mark.parametrize("flag", FLAGS)
async def test_p1_a_gate_that_refuses_nothing_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch, flag: str
) -> None:
    monkeypatch.setattr(Gate, "_refusal", lambda *_: None)
    person = house.population.people["several"]
    await telephone.prove(person)
    await house.office.mark(person, flag)
    await telephone.may_not_hear(person.id)
    await telephone.press("1")
    await telephone.state()
    await telephone.judged()
    assert (Sink.AUDIO, "appointment.starts_at") in house.judge.found()


async def test_p1_a_minor_of_whom_something_is_told_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(Gate, "_refusal", lambda *_: None)
    await telephone.hear(house.population.people["minor"])
    assert (Sink.AUDIO, "appointment.starts_at") in house.judge.found()


async def test_p1_a_name_read_in_a_practice_with_a_sensitive_practitioner_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(Gate, "_granted", lambda self, inquiry, *_: inquiry.categories | inquiry.optional)
    await telephone.hear(house.population.people["veiled"])
    assert house.judge.found() == {(Sink.AUDIO, "practitioner.name")}


async def test_p1_a_branch_on_the_record_without_the_gate_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    appointment = house.population.people["several"].visits[0].entry.id

    async def just_look(self: CallRecord, *_: Any) -> Found:
        return Found(appointment)

    monkeypatch.setattr(CallRecord, "find", just_look)
    await telephone.hear(house.population.people["several"])
    assert house.judge.found() == {(Sink.ANSWER, "")}


async def test_p2_evidence_that_does_not_age_is_seen(house: Premises, telephone: Telephone, monkeypatch: Patch) -> None:
    def for_ever(desk: Any, _: Any) -> Any:
        life = timedelta(days=365)
        return standing(desk.evidence, call=desk.call, practice=desk.tx.practice, now=desk.now, life=life)

    monkeypatch.setattr(record, "standing_at", for_ever)
    await telephone.prove(house.population.people["several"])
    house.clock.advance(AGE_OF_EVIDENCE.total_seconds())
    await telephone.has_proved_too_long_ago()
    await telephone.press("1")
    await telephone.state()
    await telephone.judged()
    assert (Sink.AUDIO, "appointment.starts_at") in house.judge.found()


async def test_p8_the_carriers_voice_for_patient_words_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    def by_carrier(*arguments: Any, local_voice: bool, **how: Any) -> DocumentWriter:
        return DocumentWriter(*arguments, local_voice=False, **how)

    monkeypatch.setattr(steps, "DocumentWriter", by_carrier)
    await telephone.hear(house.population.people["several"])
    assert house.judge.found() == {(Sink.ANSWER, "appointment.starts_at"), (Sink.ANSWER, "practitioner.name")}


async def test_p1_audio_fetched_again_without_a_record_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    async def say_nothing(*_: Any) -> None:
        return None

    monkeypatch.setattr(AudioShelf, "_note_redelivery", say_nothing)
    await telephone.prove(house.population.people["several"])
    await telephone.press("1")
    await telephone.state()
    await Mail(house, telephone.sid).fetch_the_last_again()
    await telephone.judged()
    assert house.judge.found() == {(Sink.AUDIO, "")}


async def test_p1_a_code_that_leaves_without_a_record_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    async def say_nothing(*_: Any) -> None:
        return None

    monkeypatch.setattr(CodeSender, "_note", say_nothing)
    await telephone.hear(house.population.people["several"])
    assert house.judge.found() == {(Sink.SMS_TO, "contact.phone")}


async def test_a_code_in_the_log_is_seen(house: Premises, telephone: Telephone, monkeypatch: Patch) -> None:
    message = codes.code_message

    def and_log_it(words: Prompt, code: str, minutes: int) -> str:
        structlog.get_logger("callcenter").info("code_made", code=code)
        return message(words, code, minutes)

    monkeypatch.setattr(codes, "code_message", and_log_it)
    await telephone.hear(house.population.people["several"])
    assert house.judge.found() == {(Sink.LOG, "challenge.code")}


async def test_p6_a_claim_that_matches_nobody_and_is_answered_otherwise_is_seen(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    open_challenge = CallVerifier.open_challenge

    async def honest(self: CallVerifier, *claim: Any) -> Any:
        answer = await open_challenge(self, *claim)
        return answer if self._desk.challenge and self._desk.challenge.patient else NoMoreCodes()

    monkeypatch.setattr(CallVerifier, "open_challenge", honest)
    acts = acts_without_proof(seed=1)
    nobody = await answers(house, telephone, house.population.strangers[0], acts, withheld=False)
    somebody = await answers(house, telephone, house.population.people["several"], acts, withheld=False)
    assert somebody != nobody
