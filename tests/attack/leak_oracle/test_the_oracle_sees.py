"""Positive control: a value planted in the product is found in whatever way out it takes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
import structlog
from twilio.http.async_http_client import AsyncTwilioHttpClient

from callcenter.audit.ledger import Entry, Writing
from callcenter.calls import codes, documents, verifier
from callcenter.calls.steps import Steps
from callcenter.disclosure.exits import words_of
from callcenter.notices import sending
from callcenter.notices.wording import Notice
from callcenter.practice.voice_messages import Sound, VoiceMessages
from callcenter.speech import local
from callcenter.speech.voices import wav
from callcenter.store.database import Transaction
from callcenter.telephony import admission, health, responses, twiml, webhooks
from callcenter.telephony.rest import TwilioCarrier
from callcenter.telephony.urls import Urls
from tests.attack.leak_oracle.canaries import Canary
from tests.attack.leak_oracle.post import take_a_message
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.test_the_oracle_at_work import PLANTS as PLANTS_AT_WORK
from tests.attack.leak_oracle.test_the_oracle_waits import PLANTS as PLANTS_OF_A_WAIT
from tests.attack.leak_oracle.verdict import Sink
from tests.browser.test_the_oracle_browses import PLANTS as PLANTS_IN_A_BROWSER

#: One way out is a log of a library.
ROWS_LOGGED = True

Patch = pytest.MonkeyPatch


async def test_an_honest_house_is_not_accused(house: Premises, telephone: Telephone) -> None:
    await telephone.hear(house.population.people["several"])
    await house.at_the_end()
    assert not house.judge.findings
    assert house.judge.heard["appointment.starts_at"] == 2  # day and time
    assert house.judge.heard["practitioner.name"] == 1


def in_the_log_of_who_seals_it(patch: Patch) -> None:
    keep = VoiceMessages.keep

    async def and_say_what(self: VoiceMessages, tx: Transaction, voice: Any, sound: Sound, now: Any) -> bool:
        structlog.get_logger("callcenter").info("kept", begins=sound.content[:120].decode(errors="replace"))
        return await keep(self, tx, voice, sound, now)

    patch.setattr(VoiceMessages, "keep", and_say_what)


async def test_what_a_caller_says_after_the_tone_is_found_where_it_has_no_business(
    house: Premises, telephone: Telephone, monkeypatch: Patch
) -> None:
    stranger = house.population.strangers[0]
    words, person = f"Bonjour, {stranger.spoken}, rappelez-moi.", house.population.people["several"]
    await telephone.leave_message(words, person)
    await house.at_the_end()
    assert not house.judge.findings
    in_the_log_of_who_seals_it(monkeypatch)
    await telephone.leave_message(words, person)
    await house.at_the_end()
    assert house.judge.found() == {(Sink.LOG, "caller.spoken")}


# --- a value planted in each way out


def in_a_document(patch: Patch, canary: Canary) -> None:
    parts = twiml.sayable_parts
    patch.setattr(twiml, "sayable_parts", lambda text: (*parts(text), str(canary.value)))


def in_a_header(patch: Patch, canary: Canary) -> None:
    patch.setattr(responses, "SERVER", f"callcenter {canary.value}")


def in_words_for_our_voice(patch: Patch, canary: Canary) -> None:
    patch.setattr(documents, "words_of", lambda spoken: f"{words_of(spoken)} {canary.value}")


def in_a_sound_file(patch: Patch, canary: Canary) -> None:
    patch.setattr(local, "wav", lambda pcm: wav(pcm) + b"LIST\x00" + str(canary.value).encode())


def in_the_recipient(patch: Patch, canary: Canary) -> None:
    async def to_somebody_else(messenger: Any, to: object, body: str, *, reference: Any) -> Any:
        return await messenger.send_message(str(canary.value), body, reference=reference)

    patch.setattr(codes, "deliver", to_somebody_else)


def in_a_message(patch: Patch, canary: Canary) -> None:
    message = codes.code_message
    patch.setattr(codes, "code_message", lambda *given: f"{message(*given)} {canary.value}")


def in_a_request_to_the_carrier(patch: Patch, canary: Canary) -> None:
    request = AsyncTwilioHttpClient.request

    async def with_a_header(self: Any, *arguments: Any, headers: Any = None, **others: Any) -> Any:
        return await request(self, *arguments, headers={**headers, "X-Patient": str(canary.value)}, **others)

    patch.setattr(AsyncTwilioHttpClient, "request", with_a_header)


def in_a_url(patch: Patch, canary: Canary) -> None:
    step = Urls.step
    patch.setattr(Urls, "step", lambda *arguments: f"{step(*arguments)}?patient={quote(str(canary.value))}")


def in_the_log(patch: Patch, _: Canary) -> None:
    read = webhooks.read_incoming

    def and_say_who_rings(form: Any) -> Any:
        structlog.get_logger("callcenter").debug("incoming", caller=form["From"])
        return read(form)

    patch.setattr(webhooks, "read_incoming", and_say_who_rings)


def in_a_librarys_log(patch: Patch, canary: Canary) -> None:
    read = webhooks.read_incoming

    def and_name_a_logger(form: Any) -> Any:
        logging.getLogger(f"patients.{canary.value}").info("rings")
        return read(form)

    patch.setattr(webhooks, "read_incoming", and_name_a_logger)


def in_a_metric(patch: Patch, canary: Canary) -> None:
    patch.setattr(admission, "_route", lambda request: f"{request.path} {canary.value}")


def in_a_job(patch: Patch, canary: Canary) -> None:
    defer = verifier.defer

    async def and_the_claim(connection: Any, task: str, **arguments: Any) -> None:
        await defer(connection, task, **arguments, claim=canary.value)

    patch.setattr(verifier, "defer", and_the_claim)


def in_a_health_page(patch: Patch, canary: Canary) -> None:
    async def failing(checks: Any) -> tuple[str, ...]:
        return (f"somebody rings: {canary.value}",)

    patch.setattr(health, "failing", failing)


def in_a_record(patch: Patch, canary: Canary) -> None:
    add = Writing.add

    async def and_the_value(self: Writing, entry: Entry) -> Any:
        return await add(
            self, Entry(entry.kind, entry.actor, entry.subject, {**entry.content, "of": str(canary.value)})
        )

    patch.setattr(Writing, "add", and_the_value)


def in_the_databases_log(patch: Patch, canary: Canary) -> None:
    load = Steps._load

    async def and_raise(self: Steps, tx: Transaction, *arguments: Any) -> Any:
        await tx.connection.exec_driver_sql(f"DO $$ BEGIN RAISE LOG 'on file: %', '{canary.value}'; END $$")
        return await load(self, tx, *arguments)

    patch.setattr(Steps, "_load", and_raise)


def in_a_line_that_is_rung(patch: Patch, canary: Canary) -> None:
    send = TwilioCarrier.send_message

    async def and_ring(carrier: TwilioCarrier, to: str, body: str, *, reference: UUID) -> Any:
        url = f"http://127.0.0.1/voice/reached/{'0' * 64}"
        await carrier.ring(str(canary.value), "+33199000001", url, reference=reference)
        return await send(carrier, to, body, reference=reference)

    patch.setattr(TwilioCarrier, "send_message", and_ring)


def in_a_mail(patch: Patch, canary: Canary) -> None:
    notice = sending.urgent_notice

    def and_say_whom(practice: str, slug: str, page: str | None) -> Notice:
        words = notice(practice, slug, page)
        return Notice(words.subject, f"{words.body} {canary.value}")

    patch.setattr(sending, "urgent_notice", and_say_whom)


#: By way out: how a value gets there, and which one; each another, since some of them stay until the end.
PLANTS: list[tuple[Sink, Callable[[Patch, Canary], None], str, str]] = [
    (Sink.ANSWER, in_a_document, "single", "patient.birth_name"),
    (Sink.ANSWER, in_a_header, "single", "contact.phone"),
    (Sink.AUDIO, in_words_for_our_voice, "several", "patient.used_name"),
    (Sink.SOUND, in_a_sound_file, "several", "patient.birth_date"),
    (Sink.SMS_TO, in_the_recipient, "nothing", "contact.phone"),
    (Sink.SMS_BODY, in_a_message, "several", "patient.first_name"),
    (Sink.CALL_TO, in_a_line_that_is_rung, "couple_one", "contact.phone"),
    (Sink.MAIL, in_a_mail, "single", "patient.first_name"),
    (Sink.REST, in_a_request_to_the_carrier, "several", "patient.birth_place_code"),
    (Sink.URL, in_a_url, "several", "appointment.place"),
    (Sink.LOG, in_the_log, "several", "contact.phone"),
    (Sink.LOG, in_a_librarys_log, "stranger_two", "caller.number"),
    (Sink.METRICS, in_a_metric, "stranger_one", "caller.number"),
    (Sink.JOB, in_a_job, "minor", "patient.birth_date"),
    (Sink.HEALTH, in_a_health_page, "fictive", "patient.birth_name"),
    (Sink.DATABASE_LOG, in_the_databases_log, "couple_two", "patient.birth_date"),
    (Sink.LEDGER, in_a_record, "landline", "patient.birth_name"),
]


@pytest.mark.parametrize(("sink", "plant", "owner", "field"), PLANTS, ids=[plant.__name__ for _, plant, _, _ in PLANTS])
async def test_a_value_planted_in_the_product_is_found(
    house: Premises, telephone: Telephone, monkeypatch: Patch, sink: Sink, plant: Any, owner: str, field: str
) -> None:
    canary = next(one for one in house.population.canaries() if (one.owner, one.field) == (owner, field))
    plant(monkeypatch, canary)
    await telephone.hear(house.population.people["several"])
    if sink is Sink.MAIL:
        await take_a_message(house)
    await house.at_the_end()
    assert (sink, canary) in {(finding.sink, finding.canary) for finding in house.judge.findings}


def test_there_is_a_plant_for_every_way_out() -> None:
    every = (*PLANTS, *PLANTS_OF_A_WAIT, *PLANTS_AT_WORK, *PLANTS_IN_A_BROWSER)
    assert {sink for sink, *_ in every} == set(Sink)
