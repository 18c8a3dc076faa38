"""The private listener: alive whatever fails, ready only when every check passes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from callcenter.store.database import DatabaseDown
from callcenter.telephony.alerts import AlertKind
from callcenter.telephony.health import PrivateDependencies, failing, private_application
from callcenter.telephony.listener import EdgeRunner
from tests.unit.telephony.doubles import SECRET, alerts_and_metrics

WORDS = "mardi 1er décembre"


@asynccontextmanager
async def listener(deps: PrivateDependencies) -> AsyncIterator[str]:
    runner = EdgeRunner(private_application(deps), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def get(url: str) -> tuple[int, str]:
    async with ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def passes() -> None:
    return None


async def fails() -> None:
    raise DatabaseDown(WORDS)


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_alive_depends_on_nothing_and_ready_names_what_fails() -> None:
    deps = PrivateDependencies(CollectorRegistry(), {"database": fails, "voice": passes, "sealer": fails})
    async with listener(deps) as url:
        assert await get(f"{url}/healthz") == (200, '{"alive": true}')
        with capture_logs() as logs:
            status, body = await get(f"{url}/readyz")
        assert (status, json.loads(body)) == (503, {"ready": False, "failed": ["database", "sealer"]})
        assert {(log["check"], log["error"]) for log in logs} == {
            ("database", "DatabaseDown"),
            ("sealer", "DatabaseDown"),
        }
        assert WORDS not in str(logs) + body


async def test_ready_when_every_check_passes() -> None:
    async with listener(PrivateDependencies(CollectorRegistry(), {"database": passes})) as url:
        status, body = await get(f"{url}/readyz")
        assert (status, json.loads(body)) == (200, {"ready": True, "failed": []})


async def test_a_check_that_does_not_answer_has_failed() -> None:
    assert await failing({"database": passes, "voice": hangs}, seconds=0.02) == ("voice",)


async def test_metrics_are_those_of_the_registry_that_was_handed_in() -> None:
    alerts, metrics = alerts_and_metrics()
    alerts.report(AlertKind.VOICE_DOWN)
    async with listener(PrivateDependencies(metrics.registry, {})) as url:
        status, body = await get(f"{url}/metrics")
        assert status == 200
        assert 'callcenter_alerts_total{kind="voice_down"} 1.0' in body
        assert "python_info" not in body


async def test_captions_exist_only_where_they_are_handed_in() -> None:
    async def captions(token: str) -> str | None:
        return WORDS if token == SECRET else None

    async with listener(PrivateDependencies(CollectorRegistry(), {})) as url:
        assert (await get(f"{url}/captions/{SECRET}"))[0] == 404
    async with listener(PrivateDependencies(CollectorRegistry(), {}, captions)) as url:
        assert await get(f"{url}/captions/{SECRET}") == (200, WORDS)
        assert (await get(f"{url}/captions/{'cd' * 32}"))[0] == 404
