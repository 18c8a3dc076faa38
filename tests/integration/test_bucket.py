"""Heads go to an object-locked bucket: what its host is asked, and what is not taken for an anchor."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from callcenter.app.anchoring import depositories_of
from callcenter.app.ledger_holders import holders_of
from callcenter.audit.anchors import AnchorKind
from callcenter.audit.bucket import Bucket, client_of
from callcenter.audit.depositories import NotDeposited
from callcenter.kernel.clock import DrivenClock
from callcenter.settings.sections import BucketSettings, LedgerSettings
from tests.acceptance.stage import stage_settings
from tests.conftest import TODAY

NAME, KEY_ID = "heads-of-the-ledger", "AKIDEXAMPLE"
HEAD = "callcenter.house.000000000007.checkpoint"
NOTE = "callcenter/house\n7\nroot\n\n— callcenter/house signature\n"
YEARS = timedelta(days=1_095)


@dataclass(slots=True)
class Host:
    """A host of buckets, as far as S3's reference says it: PutObject, GetObject, HeadObject.

    Arguments:
        locks: whether the bucket was made with object lock.
    """

    locks: bool = True
    down: bool = False
    objects: dict[str, bytes] = field(default_factory=dict)
    locked: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        assert request.match_info["bucket"] == NAME
        assert request.headers["Authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={KEY_ID}/")
        if self.down:
            return error(403, "AccessDenied")
        self.asked.append(request.method)
        if request.method == "PUT":
            body = await request.read()
            assert request.headers["x-amz-sdk-checksum-algorithm"] == "SHA256"  # asked for where objects are locked
            assert request.headers["x-amz-checksum-sha256"] == b64encode(sha256(body).digest()).decode()
            mode = request.headers["x-amz-object-lock-mode"]
            if not self.locks:
                return error(400, "InvalidRequest", "Bucket is missing Object Lock Configuration")
            self.objects[key] = body
            self.locked[key] = mode, request.headers["x-amz-object-lock-retain-until-date"]
            return web.Response()
        if key not in self.objects:
            return error(404, "NoSuchKey")
        mode, until = self.locked.get(key, ("", ""))
        lock = {"x-amz-object-lock-mode": mode, "x-amz-object-lock-retain-until-date": until} if mode else {}
        return web.Response(body=self.objects[key], headers=lock)


def error(status: int, code: str, message: str = "no") -> web.Response:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return web.Response(text=text, status=status, content_type="application/xml")


@pytest.fixture
async def host() -> AsyncIterator[tuple[Host, str]]:
    host, application = Host(), web.Application()
    application.router.add_route("*", "/{bucket}/{key}", host.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site.name is not None
    (address,) = runner.addresses
    yield host, f"http://127.0.0.1:{address[1]}"
    await runner.cleanup()


def bucket_at(url: str, clock: DrivenClock) -> Bucket:
    return Bucket(client_of(url, "eu-west-3", KEY_ID, "secret"), NAME, url, YEARS, clock)


async def test_a_head_is_locked_where_nobody_removes_it_and_never_written_again(
    host: tuple[Host, str], clock: DrivenClock
) -> None:
    there, url = host
    bucket = bucket_at(url, clock)
    assert (bucket.kind, bucket.place, bucket.every) == (AnchorKind.FILE, f"{url}/{NAME}", timedelta(0))
    await bucket.deposit("callcenter/house", 7, NOTE)
    assert there.objects == {HEAD: NOTE.encode()}
    mode, until = there.locked[HEAD]
    assert (mode, datetime.fromisoformat(until)) == ("COMPLIANCE", TODAY + YEARS)
    await bucket.deposit("callcenter/house", 7, NOTE + "— another signature\n")
    assert there.asked == ["GET", "PUT", "HEAD", "GET", "HEAD"]
    with pytest.raises(NotDeposited, match="another head of this size"):
        await bucket.deposit("callcenter/house", 7, NOTE.replace("root", "other"))
    assert there.objects == {HEAD: NOTE.encode()}


async def test_what_is_not_locked_is_no_anchor(host: tuple[Host, str], clock: DrivenClock) -> None:
    there, url = host
    bucket = bucket_at(url, clock)
    there.locks = False
    with pytest.raises(NotDeposited, match="missing Object Lock"):
        await bucket.deposit("callcenter/house", 7, NOTE)
    there.objects[HEAD] = NOTE.encode()
    with pytest.raises(NotDeposited, match="make a bucket with object lock"):
        await bucket.deposit("callcenter/house", 7, NOTE)
    for mode, until in (("GOVERNANCE", TODAY + YEARS), ("COMPLIANCE", TODAY + timedelta(days=1))):
        there.locked[HEAD] = mode, f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        with pytest.raises(NotDeposited, match="make a bucket with object lock"):
            await bucket.deposit("callcenter/house", 7, NOTE)


async def test_a_host_that_refuses_or_is_away_is_said(host: tuple[Host, str], clock: DrivenClock) -> None:
    there, url = host
    there.down = True
    with pytest.raises(NotDeposited, match="AccessDenied"):
        await bucket_at(url, clock).deposit("callcenter/house", 7, NOTE)
    with pytest.raises(NotDeposited, match="does not answer"):
        await bucket_at("http://127.0.0.1:9", clock).deposit("callcenter/house", 7, NOTE)


def test_a_bucket_is_configured_whole() -> None:
    whole = BucketSettings(
        endpoint="https://s3.example.org/", name=NAME, key_id=KEY_ID, secret=SecretStr("never-shown"), days=365
    )
    settings = stage_settings(keys_file=None).model_copy(update={"ledger": LedgerSettings(bucket=whole)})
    (found,) = depositories_of(settings)
    assert isinstance(found, Bucket)
    assert (found.place, found.kept) == (f"https://s3.example.org/{NAME}", timedelta(days=365))
    assert "never-shown" not in f"{found!r} {settings.ledger!r}"
    assert [(one.kind, one.place) for one in holders_of(settings)] == [(found.kind, found.place)]
    with pytest.raises(ValidationError, match="names where the bucket is, and not the rest"):
        BucketSettings(endpoint="https://s3.example.org", name=NAME)
