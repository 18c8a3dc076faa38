"""What a supervisor's browser is given while a patient proves who they are and talks: board, wall, locks, stream."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from callcenter.app import by_board
from callcenter.console import paths, streams
from callcenter.console.cookies import SESSION
from tests.attack.leak_oracle.canaries import Canary
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.taps import headers_of
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.test_the_oracle_at_work import _OUR_OWN, canary
from tests.attack.leak_oracle.verdict import Sink

PAGES = (paths.BOARD, paths.BOARD_STATE, paths.BOARD_WALL, paths.BOARD_WALL_STATE, paths.LOCKS, paths.INCIDENTS)


async def _watched(house: Premises, telephone: Telephone) -> None:
    """A patient proves who they are, then asks for a person; whoever supervises looks at everything meanwhile."""
    person = house.population.people["several"]
    await house.shift.begins(person.practice)
    token = await house.shift.signs_in(person.practice)
    async with house.running.database.house() as connection:
        await connection.execute(_ALSO_SUPERVISES, {"staff": house.shift.on_call(person.practice)})
    headers = {"Cookie": f"{SESSION}={token}", "Origin": house.running.console}

    async def looks() -> None:
        for path in PAGES:
            async with house.session.get(house.running.console + path, headers=headers) as response:
                assert response.status == 200, path
                page = f"{headers_of(response.headers)}\n{await response.text()}"
                house.judge.leaves(Sink.PAGE, _OUR_OWN.sub("", page))

    async with house.session.get(house.running.console + paths.BOARD_NEWS, headers=headers) as stream:
        await telephone.prove(person)
        await looks()
        await telephone.press("0")
        await looks()
        leg = await telephone.taken_at(house.shift.desk(person.practice))
        assert leg is not None, "no operator was rung"
        await looks()
        await telephone.left_by(leg)
        await looks()
        came = await stream.content.readany()
        house.judge.leaves(Sink.STREAM, f"{headers_of(stream.headers)}\n{came.decode()}")
    await telephone.judged()


_ALSO_SUPERVISES = text(
    "INSERT INTO staff_role (staff_id, portfolio_id, role, organisation_id) "
    "SELECT staff_id, portfolio_id, 'supervisor', organisation_id FROM staff_role WHERE staff_id = :staff "
    "ON CONFLICT DO NOTHING"
)


async def test_p1_nothing_of_a_patient_is_on_the_pages_or_the_stream_of_a_supervisor(
    house: Premises, telephone: Telephone
) -> None:
    house.judge.sinks.clear()
    await _watched(house, telephone)
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))
    assert {Sink.PAGE, Sink.STREAM} <= house.judge.sinks


def on_the_board(patch: pytest.MonkeyPatch, planted: Canary) -> None:
    names = by_board.practice_names

    async def and_who_calls(*given: object) -> object:
        found = await names(*given)  # type: ignore[arg-type]
        return {practice: f"{name} ({planted.value})" for practice, name in found.items()}

    patch.setattr(by_board, "practice_names", and_who_calls)


def on_the_stream(patch: pytest.MonkeyPatch, planted: Canary) -> None:
    patch.setattr(streams, "LOOK", f"event: look\ndata: {planted.value}\n\n".encode())


PLANTS: list[tuple[Sink, Callable[[pytest.MonkeyPatch, Canary], None]]] = [
    (Sink.PAGE, on_the_board),
    (Sink.STREAM, on_the_stream),
]


@pytest.mark.parametrize(("sink", "plant"), PLANTS)
async def test_p1_a_value_planted_on_the_board_is_found(
    house: Premises,
    telephone: Telephone,
    monkeypatch: pytest.MonkeyPatch,
    sink: Sink,
    plant: Callable[[pytest.MonkeyPatch, Canary], None],
) -> None:
    planted = canary(house)
    plant(monkeypatch, planted)
    await _watched(house, telephone)
    assert (sink, planted) in {(finding.sink, finding.canary) for finding in house.judge.findings}
