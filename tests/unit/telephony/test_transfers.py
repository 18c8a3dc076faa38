"""Calls that were sent to a rescue line and come back meanwhile."""

from __future__ import annotations

import pytest

from callcenter.telephony.callers import Line
from callcenter.telephony.transfers import REMEMBERED_SECONDS, WITHHELD_AT_ONCE, Transfers
from tests.unit.telephony.doubles import CALLED, CALLER


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_p7_a_call_that_comes_back_is_not_sent_away_again() -> None:
    transfers = Transfers(Seconds())
    assert transfers.may_go(Line(CALLED, (CALLER,), "CA1"))
    assert transfers.may_go(Line(CALLED, (CALLER,), "CA1")), "the same webhook again gets the same answer"
    assert not transfers.may_go(Line(CALLED, (CALLER,), "CA2"))
    assert transfers.may_go(Line("+33261910001", (CALLER,), "CA3")), "another practice"
    assert transfers.may_go(Line(CALLED, ("+33639980002",), "CA4")), "another caller"


def test_a_caller_who_has_hung_up_or_waited_is_sent_again() -> None:
    seconds = Seconds()
    transfers = Transfers(seconds)
    assert transfers.may_go(Line(CALLED, (CALLER,), "CA1"))
    transfers.ended("CA1")
    assert transfers.may_go(Line(CALLED, (CALLER,), "CA2"))
    seconds.now += REMEMBERED_SECONDS
    assert transfers.may_go(Line(CALLED, (CALLER,), "CA3"))


@pytest.mark.parametrize("origins", [(), ("anonymous",), ("+266696687",), ("Restricted", "+33465710091")])
def test_p7_withheld_callers_are_sent_a_few_at_a_time(origins: tuple[str, ...]) -> None:
    transfers = Transfers(Seconds())
    sent = [transfers.may_go(Line(CALLED, origins, f"CA{n}")) for n in range(WITHHELD_AT_ONCE + 2)]
    assert sent == [True] * WITHHELD_AT_ONCE + [False] * 2
