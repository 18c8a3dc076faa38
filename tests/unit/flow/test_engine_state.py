"""The state of a call goes through JSON unchanged, and nothing else is taken for one."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.flow.state import Phase, State
from callcenter.kernel.errors import IntegrityError

COUNTS = st.integers(min_value=0, max_value=99)
STATES = st.builds(
    State,
    step=st.text(),
    phase=st.sampled_from(Phase),
    silences=COUNTS,
    nonsense=COUNTS,
    restarts=COUNTS,
    begun=st.text(),
    turns=COUNTS,
    started_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    limited=st.booleans(),
    bound=st.dictionaries(st.text(), st.uuids()),
    returns=st.lists(st.text()).map(tuple),
    typed=st.dictionaries(st.text(), st.text()),
)


@given(STATES)
def test_a_state_goes_through_json_unchanged(state: State) -> None:
    assert State.from_json(state.to_json()) == state


def altered(**fields: object) -> str:
    return json.dumps(json.loads(State("menu", Phase.KEY).to_json()) | fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        altered(version=1),
        altered(version=None),
        altered(phase="dreaming"),
        altered(turns=-1),
        altered(turns="1"),
        altered(turns=True),
        altered(limited=0),
        altered(begun=1),
        altered(started_at="2026-11-26T10:00"),
        altered(started_at=7),
        altered(step=None),
        altered(bound={"appointment": "no uuid"}),
        altered(bound=[]),
        altered(version=5, returns=[1]),
        altered(version=5, returns=None),
        altered(returns=["on_file"]),
        altered(typed={"birth_date": 1}),
        altered(surprise=1),
        State("menu").to_json()[:-1],
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        State.from_json(text)


def test_neither_a_refusal_nor_a_printed_state_shows_what_was_typed() -> None:
    state = State("verify", Phase.TELEPHONE, typed={"birth_date": "1962-03-14"})
    assert "1962" not in repr(state)
    with pytest.raises(IntegrityError) as refused:
        State.from_json(state.to_json()[:-1])
    assert "1962" not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__suppress_context__  # what was raised first holds the whole text


def test_a_call_in_no_subflow_is_written_as_before_there_were_any_and_goes_on() -> None:
    before = json.loads(State("menu", Phase.KEY).to_json())
    assert before["version"] == 4
    assert "returns" not in before
    assert State.from_json(json.dumps(before)) == State("menu", Phase.KEY)
    within = json.loads(State("menu", Phase.KEY, returns=("on_file",)).to_json())
    assert (within["version"], within["returns"]) == (5, ["on_file"])
    for other in (3, 5, 6):
        with pytest.raises(IntegrityError):
            State.from_json(json.dumps(before | {"version": other}))


def test_the_form_is_pinned() -> None:
    began = datetime(2026, 11, 26, 9, tzinfo=UTC)
    assert State("menu", Phase.KEY, silences=1, begun="14", turns=2, started_at=began).to_json() == (
        '{"away_since": null, "begun": "14", "bound": {}, "limited": false, '
        '"manner": {"language": "fr", "pace": "normal", "relay": false}, "nonsense": 0, "phase": "key", "restarts": 0, '
        '"silences": 1, "started_at": "2026-11-26T09:00:00+00:00", "step": "menu", "turns": 2, '
        '"typed": {}, "version": 4}'
    )
