"""An object-locked bucket (S3) as a holder of heads: until their time is over, nobody can change or remove them.

Whoever owns the database may own the key of the bucket too; under a lock of mode *compliance* even the account that
owns the bucket removes nothing. The locking is asked for with each head, and looked up afterwards: a bucket that keeps
nothing would be an anchor in name only.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from callcenter.audit.anchors import AnchorKind
from callcenter.audit.depositories import AnotherHead, NotDeposited, name_of, says_the_same
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import ConfigurationError, Problem

#: Seconds for one request; nobody waits for it but a job.
TIMEOUT = 20
#: Bytes of what is read back; a head has some hundred.
MOST = 100_000
MODE = "COMPLIANCE"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket whose objects are locked. A head is an object of its own, which is never written again.

    Arguments:
        client: of S3, made by :func:`client_of`; used in threads.
        name: of the bucket.
        endpoint: where it is, as it stands in exports.
        kept: how long a head stays locked, counted by ``clock``.
    """

    client: Any = field(repr=False)
    name: str
    endpoint: str
    kept: timedelta
    clock: Clock = field(repr=False)

    @property
    def kind(self) -> AnchorKind:
        return AnchorKind.FILE

    @property
    def place(self) -> str:
        return place_of(self.endpoint, self.name)

    @property
    def every(self) -> timedelta:
        return timedelta(0)

    async def deposit(self, origin: str, size: int, note: str) -> None:
        """See :class:`callcenter.audit.depositories.Depository`."""
        await asyncio.to_thread(self._put, name_of(origin, size), note.encode())

    def _put(self, key: str, note: bytes) -> None:
        # Here and below: an extra, which nobody else needs to have.
        from botocore.exceptions import BotoCoreError, ClientError

        until = self.clock.now() + self.kept
        try:
            there = self._there(key)
            if there is None:
                self.client.put_object(
                    Bucket=self.name, Key=key, Body=note, ContentType="text/plain; charset=utf-8",
                    ChecksumAlgorithm="SHA256", ChecksumSHA256=b64encode(sha256(note).digest()).decode(),
                    ObjectLockMode=MODE, ObjectLockRetainUntilDate=until,
                )  # fmt: skip
            elif not says_the_same(there, note):
                raise AnotherHead(f"{self.place}/{key} holds another head of this size: keep both, and ask why")
            self._check_locked(key)
        except ClientError as error:
            raise NotDeposited(f"{self.place} has not taken {key}: {error}") from error
        except BotoCoreError as error:
            raise NotDeposited(f"{self.place} does not answer: {error}") from error

    def _there(self, key: str) -> bytes | None:
        """What an earlier try has put there, whose word was lost."""
        from botocore.exceptions import ClientError

        try:
            found = self.client.get_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
                return None
            raise
        with found["Body"] as body:
            there: bytes = body.read(MOST)
        return there

    def _check_locked(self, key: str) -> None:
        """That nobody can remove it: from now on for half of the time at least, if it was put there long ago."""
        found = self.client.head_object(Bucket=self.name, Key=key)
        until: datetime | None = found.get("ObjectLockRetainUntilDate")
        if found.get("ObjectLockMode") != MODE or until is None or until < self.clock.now() + self.kept / 2:
            raise NotDeposited(
                f"{self.place} holds {key}, and has not locked it ({MODE.lower()}): make a bucket with object lock, "
                "which is set when it is made"
            )


def place_of(endpoint: str, name: str) -> str:
    """Where heads are, as it stands in exports."""
    return f"{endpoint.rstrip('/')}/{name}"


def client_of(endpoint: str, region: str, key_id: str, secret: str) -> Any:
    """A client of S3 at ``endpoint``.

    Raises:
        ConfigurationError: the library that speaks S3 is not installed.
    """
    try:
        import botocore.config
        import botocore.session
    except ImportError as error:
        what = "the bucket for heads of the ledger needs the library botocore"
        raise ConfigurationError([Problem("ledger.bucket", 0, what, "pip install 'callcenter[s3]'")]) from error
    limits = {"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT, "retries": {"max_attempts": 2}}
    config = botocore.config.Config(
        **limits,
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        max_pool_connections=1,
        request_checksum_calculation="when_required",  # ours is given; not every host knows of those that follow a body
    )
    return botocore.session.Session().create_client(
        "s3", region_name=region, endpoint_url=endpoint, config=config,
        aws_access_key_id=key_id, aws_secret_access_key=secret,
    )  # fmt: skip
