"""The documents of last resort: the emergency line always, a person where there is one, a loop never."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from callcenter.telephony import fallback
from callcenter.telephony.callers import Line, line_ending
from callcenter.telephony.fallback import (
    NoLastResort,
    RefusedRescue,
    RescueEntry,
    RescueFault,
    StaticAnswers,
    document_of_last_resort,
)
from callcenter.telephony.twiml import CarrierVoices
from tests.unit.telephony.doubles import CALLED, CALLER, RESCUE, alerts_and_metrics, document


def static(*entries: RescueEntry) -> StaticAnswers:
    answers = StaticAnswers(CarrierVoices(), alerts_and_metrics()[0])
    answers.refresh(entries)
    return answers


def verbs(body: bytes) -> list[str]:
    return [verb.tag for verb in document(body)]


def heard(body: bytes) -> str:
    return " ".join(say.text or "" for say in document(body).iter("Say"))


def test_the_rescue_line_is_dialled_with_our_own_number_as_caller() -> None:
    body = static(RescueEntry(CALLED, RESCUE)).answer(Line(CALLED, (CALLER,)))
    assert verbs(body) == ["Say", "Say", "Dial", "Say", "Hangup"]
    dial = document(body).find("Dial")
    assert dial is not None
    assert (dial.get("callerId"), dial.findtext("Number"), dial.get("action")) == (CALLED, RESCUE, None)
    assert "composez le 15 ou le 112" in heard(body)
    assert heard(body).endswith("Au revoir.")


@pytest.mark.parametrize(
    "line",
    [
        Line(None),
        Line("+33199000000", (CALLER,)),
        Line("+33261910001", (CALLER,)),
        Line(CALLED, (RESCUE,)),
        Line(CALLED, (CALLER, RESCUE)),
        Line(CALLED, (CALLER, "0472000000")),
    ],
)
def test_unknown_numbers_and_loops_get_the_emergency_line_and_a_goodbye(line: Line) -> None:
    body = static(RescueEntry(CALLED, RESCUE), RescueEntry("+33261910001", None)).answer(line)
    assert verbs(body) == ["Say", "Say", "Hangup"]
    assert "composez le 15 ou le 112" in heard(body)
    assert heard(body).endswith("Au revoir.")


def test_a_number_that_we_serve_is_never_a_rescue_line() -> None:
    alerts, metrics = alerts_and_metrics()
    answers = StaticAnswers(CarrierVoices(), alerts)
    entries = [
        RescueEntry(CALLED, "+33261910001"),
        RescueEntry("+33261910001", RESCUE),
        RescueEntry("+33261910002", "0472000000"),
        RescueEntry("+33261910003", "+33261910003"),
    ]
    with capture_logs() as logs:
        refused = answers.refresh(entries)
    assert refused == (
        RefusedRescue(CALLED, RescueFault.SERVED),
        RefusedRescue("+33261910002", RescueFault.NOT_E164),
        RefusedRescue("+33261910003", RescueFault.SERVED),
    )
    dialling = [entry.called for entry in entries if "Dial" in verbs(answers.answer(Line(entry.called)))]
    assert dialling == ["+33261910001"]
    assert [(log["event"], log["fault"]) for log in logs] == [
        ("alert", "served"),
        ("alert", "not_e164"),
        ("alert", "served"),
    ]
    assert metrics.registry.get_sample_value("callcenter_alerts_total", {"kind": "rescue_refused"}) == 3


def test_a_refresh_forgets_what_is_no_longer_there() -> None:
    answers = static(RescueEntry(CALLED, RESCUE))
    answers.refresh([RescueEntry(CALLED, "+33472000001")])
    assert b"+33472000001" in answers.answer(Line(CALLED))
    answers.refresh([])
    assert "Dial" not in verbs(answers.answer(Line(CALLED)))


def test_a_refresh_of_many_practices_reads_each_number_few_times_and_makes_no_document_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = [RescueEntry(f"+3335301{number:04}", f"+3353649{number:04}") for number in range(50)]
    answers = static(*entries)
    before = [answers.answer(Line(entry.called)) for entry in entries]
    read = []
    monkeypatch.setattr(fallback, "line_ending", lambda number: read.append(number) or line_ending(number))
    answers.refresh(entries)
    assert len(read) <= 3 * len(entries)  # not each of them against each other: 1,000 held every call up for seconds
    monkeypatch.undo()
    assert all(answers.answer(Line(entry.called)) is made for entry, made in zip(entries, before, strict=True))


def test_the_document_for_another_host_is_the_one_that_we_would_answer_with() -> None:
    entries = [RescueEntry(CALLED, RESCUE), RescueEntry("+33261910001", None)]
    for called in (CALLED, "+33261910001"):
        ours = static(*entries).answer(Line(called))
        assert document_of_last_resort(called, entries, CarrierVoices()) == ours


@pytest.mark.parametrize(
    ("called", "says"),
    [("+33261910009", "no practice answers at"), (CALLED, "cannot be dialled \\(served\\)")],
)
def test_p7_no_document_is_printed_that_would_dial_a_line_forwarded_to_us(called: str, says: str) -> None:
    entries = [RescueEntry(CALLED, "+33261910001"), RescueEntry("+33261910001", None)]
    with pytest.raises(NoLastResort, match=says):
        document_of_last_resort(called, entries, CarrierVoices())
