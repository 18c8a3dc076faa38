"""Positive control: the oracle finds every field, in every rendering, in every way out; its silence means something."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from types import MappingProxyType
from urllib.parse import urlencode
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest

from callcenter.audit.ledger import canonical
from callcenter.calls.codes import code_message
from callcenter.calls.values import Document, End, SayText
from callcenter.notices.wording import urgent_notice
from callcenter.practice.tables import appointment, contact, patient, practitioner
from callcenter.speech.french import renderings as product_renderings
from callcenter.speech.voices import wav
from callcenter.telephony.twiml import CarrierVoices, render
from callcenter.telephony.urls import Urls
from tests.attack.leak_oracle.canaries import Canary
from tests.attack.leak_oracle.invention import invent
from tests.attack.leak_oracle.people import NO_CANARY
from tests.attack.leak_oracle.renderings import renderings, writings
from tests.attack.leak_oracle.search import Searcher
from tests.attack.leak_oracle.shift import told_by
from tests.attack.leak_oracle.verdict import Sink
from tests.texts import CODE_TEXT

POPULATION = invent()
CANARIES = tuple(POPULATION.canaries())
FIELDS = sorted({canary.field for canary in CANARIES})

_BASE64, _HEXADECIMAL = re.compile("[A-Za-z0-9+/_-]{8,}=*"), re.compile("[0-9a-fA-F]+")
_CALL = UUID("4ee11ef1-ebb3-41a4-934b-c86e039bf637")
_STEP = "http://127.0.0.1:8080/voice/calls/4ee11ef1-ebb3-41a4-934b-c86e039bf637/1/next"


def _answer(text: str) -> str:
    document = Document(_CALL, 1, (SayText(f"Bonjour. {text}."),), End())
    return render(document, Urls.below("http://127.0.0.1:8080"), CarrierVoices()).decode()


def _metrics(text: str) -> str:
    registry = CollectorRegistry()
    Counter("callcenter_edge_requests", "Requests", ("route",), registry=registry).labels(route=text).inc()
    return generate_latest(registry).decode()


def _sound(text: str) -> str:
    said = text.encode()
    return (wav(bytes(16)) + b"LIST" + len(said).to_bytes(4, "little") + said).decode(errors="replace")


def _mail(text: str) -> str:
    notice = urgent_notice("Maison de santé du Port", "port")
    return f"garde@port.example\n{notice.subject}\n{notice.body} {text}"


#: What leaves by each way out, with a text in it, in the form that the way out gives to texts.
CARRIERS: Mapping[Sink, Callable[[str], str]] = MappingProxyType(
    {
        Sink.ANSWER: _answer,
        Sink.AUDIO: lambda text: f"Votre prochain rendez-vous : {text}.",
        Sink.SOUND: _sound,
        Sink.SMS_TO: str,
        Sink.CALL_TO: str,
        Sink.SMS_BODY: lambda text: f"{code_message(CODE_TEXT, '123456', 10)} {text}",
        Sink.MAIL: _mail,
        Sink.REST: lambda text: f"POST https://api.example/Messages.json\n\n{urlencode({'StatusCallback': text})}",
        Sink.URL: lambda text: f"POST {_STEP}?{urlencode({'n': text})}",
        Sink.LOG: lambda text: json.dumps({"event": "request", "route": text, "level": "info"}, ensure_ascii=False),
        Sink.DATABASE_LOG: lambda text: f"[4211] LOG:  duration: 612.301 ms  statement: SELECT '{text}'",
        Sink.METRICS: _metrics,
        Sink.JOB: lambda text: f"messages send_code {json.dumps({'challenge': text})}",
        Sink.HEALTH: lambda text: json.dumps({"ready": False, "failed": [text]}),
        Sink.LEDGER: lambda text: canonical({"event": "disclosure", "refs": [text]}).decode(),
        Sink.ROUTING: lambda text: json.dumps({"kind": "left", "detail": text}),
        Sink.NOTICE: lambda text: told_by(f"call:{text}"),
        Sink.PAGE: lambda text: f"<h2>En ligne pour <span>{html.escape(text)}</span></h2>",
        Sink.STREAM: lambda text: f"event: look\ndata: {text}\n\n",
        Sink.BROWSER: lambda text: json.dumps({"local": {"sonnerie": text}}, ensure_ascii=False),
        Sink.PASS: lambda text: json.dumps({"grants": {"identity": text}}, ensure_ascii=False),
    }
)


def _of_field(field: str) -> list[Canary]:
    """One canary for each kind of value that the field has."""
    return list({type(canary.value): canary for canary in CANARIES if canary.field == field}.values())


@cache
def _rendered(canary: Canary) -> tuple[Searcher, list[tuple[str, str]]]:
    """What looks for a canary, and all that it is to find."""
    return Searcher([canary]), list(renderings(canary.value))


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("sink", Sink)
def test_a_planted_value_is_found_in_every_rendering(sink: Sink, field: str) -> None:
    missed = []
    for canary in _of_field(field):
        searcher, rendered = _rendered(canary)
        missed += [f"{how}: {text}" for how, text in rendered if not searcher.hits(CARRIERS[sink](text))]
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize("field", FIELDS)
def test_every_rendering_that_the_product_knows_of_is_found(field: str) -> None:
    missed = []
    for canary in _of_field(field):
        searcher = Searcher([canary])
        value = canary.value.time() if isinstance(canary.value, datetime) else canary.value
        missed += [text for text in product_renderings(value) if not searcher.hits(f"« {text} »")]
    # The product looks for base64 in fragments, which say nothing by themselves; here the whole is decoded.
    assert not [text for text in missed if not _BASE64.fullmatch(text) or _HEXADECIMAL.fullmatch(text)]


def test_every_column_about_patients_is_a_canary_or_says_why_not() -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in (patient, contact, appointment, practitioner)
        for column in table.columns
        if column.name != "practice_id"
    }
    of_patients = {field for field in FIELDS if not field.startswith(("caller.", "staff_credential."))}
    assert columns == of_patients | NO_CANARY.keys()


def test_no_canary_is_taken_for_another() -> None:
    searcher = Searcher(CANARIES)
    for canary in CANARIES:
        for text in writings(canary.value).values():
            confused = [hit for hit in searcher.hits(text) if not _one_person_s(hit.canary, canary)]
            assert not confused, text


def _one_person_s(found: Canary, written: Canary) -> bool:
    """Whether both are of one person: the writing of a time names its day too."""
    return (found.owner, found.field) == (written.owner, written.field)
