"""Our own voice: espeak-ng in one worker process, so that patient words stay on this machine (promise P8)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import structlog

from callcenter.speech.voices import VoiceUnavailable, known_language, sayable, wav
from callcenter.speech.worker_protocol import HEADER, LONGEST_PAYLOAD, Frame, OutOfStep, Request, frame, opened

_log = structlog.get_logger(__name__)

#: Slow enough for elderly callers (UX-01); espeak-ng itself would take 175.
WORDS_PER_MINUTE = 145
_SLOWEST, _FASTEST = 80, 450
_TIMEOUT = 10.0
#: How long a worker may take to end by itself, once its stdin has ended.
_PATIENCE = 2.0
#: What the worker needs to find Python and its libraries; passwords and keys of the server are not among it.
_INHERITED = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "HOME", "LANG", "TMPDIR")


class WorkerEnded(VoiceUnavailable):
    """The worker of the local voice ended in the middle of its work."""


class _Worker:
    """One worker process, which does one thing at a time."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None  # noqa: S101 -- both are asked for in start; this tells the type checker
        assert process.stdout is not None  # noqa: S101 -- as above
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout

    @classmethod
    async def start(cls, command: Sequence[str]) -> Self:
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,  # a library's complaint might quote the text
                env=environment,
                start_new_session=True,  # else Ctrl-C would end it before the server has drained
            )
        except OSError:
            raise VoiceUnavailable("the worker of the local voice cannot be started: is Python still there?") from None
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    @property
    def exit_status(self) -> int | None:
        return self._process.returncode

    async def receive(self) -> tuple[Frame, bytes]:
        """The next frame. Raises WorkerEnded if there is none, OutOfStep if it makes no sense."""
        try:
            kind, length = opened(await self._stdout.readexactly(HEADER.size))
            return kind, await self._stdout.readexactly(length)
        except asyncio.IncompleteReadError:
            raise WorkerEnded from None

    async def send(self, data: bytes) -> None:
        """Hand ``data`` over. Raises WorkerEnded if nobody takes it."""
        try:
            self._stdin.write(data)
            await self._stdin.drain()
        except ConnectionError:
            raise WorkerEnded from None

    async def end(self) -> None:
        """Let it finish, then see that it has."""
        self._stdin.close()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._gone()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        if not self.has_ended:
            with contextlib.suppress(ProcessLookupError):  # it may end by itself meanwhile
                self._process.kill()
        await self._gone()

    async def _gone(self) -> None:
        """Wait for its end. What it still writes is thrown away: asyncio sees no end behind an unread pipe."""
        while await self._stdout.read(HEADER.size + LONGEST_PAYLOAD):
            pass
        await self._process.wait()


class LocalVoice:
    """Speech made by espeak-ng on this machine. Requests wait for each other; a worker that crashed is replaced.

    Arguments:
        words_per_minute: 80 to 450.
        timeout: seconds that one request, or the worker's coming up, may take.
        command: the program that speaks the protocol, in place of our worker.

    Used as ``async with LocalVoice() as voice``, or between ``start`` and ``close``. It belongs to one event loop.
    """

    def __init__(
        self,
        words_per_minute: int = WORDS_PER_MINUTE,
        timeout: float = _TIMEOUT,
        command: Sequence[str] | None = None,
    ) -> None:
        if not _SLOWEST <= words_per_minute <= _FASTEST:
            raise VoiceUnavailable(f"the voice's rate is {_SLOWEST} to {_FASTEST} words a minute: change the setting")
        self._rate = words_per_minute
        self._timeout = timeout
        self._command = tuple(command or (sys.executable, "-m", "callcenter.speech.espeak_worker"))
        self._lock = asyncio.Lock()
        self._worker: _Worker | None = None
        self._started = False

    @property
    def process_id(self) -> int | None:
        """The worker's process, while there is one."""
        return self._worker.pid if self._worker else None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Bring the worker up. Raises VoiceUnavailable, with what to do, if it does not come."""
        async with self._lock:
            await self._ready_worker()
            self._started = True

    async def close(self) -> None:
        """End the worker, after the request that it is at. Requests that come later are refused."""
        self._started = False
        async with self._lock:
            worker, self._worker = self._worker, None
            if worker is not None:
                await worker.end()

    async def synthesise(self, text: str, language: str = "fr", speed: float = 1.0) -> bytes:
        """See :class:`callcenter.speech.voices.Voice`."""
        rate = min(max(round(self._rate * speed), _SLOWEST), _FASTEST)
        request = Request(text=sayable(text), language=known_language(language), rate=rate)
        async with self._lock:
            if not self._started:
                raise VoiceUnavailable("the local voice is not started, or closed already")
            try:
                return wav(await self._said(request))
            except WorkerEnded:
                return wav(await self._said(request))  # once: a text that ends two workers would end a third

    async def _said(self, request: Request) -> bytes:
        worker = await self._ready_worker()
        kind, payload = await self._exchange(worker, frame(Frame.SAY, request.to_bytes()))
        match kind:
            case Frame.SOUND:
                return payload
            case Frame.FAILED:
                raise VoiceUnavailable(payload.decode("utf-8", "replace"))
            case _:
                await self._give_up(worker, "out_of_step")
                raise VoiceUnavailable("the worker of the local voice answered something else than sound")

    async def _ready_worker(self) -> _Worker:
        """The worker that runs, or a new one that has said that it is ready."""
        if self._worker is not None and not self._worker.has_ended:
            return self._worker
        if self._worker is not None:
            _log.warning("voice_worker_ended", reason="found_ended", exit_status=self._worker.exit_status)
        worker = self._worker = await _Worker.start(self._command)
        try:
            kind, payload = await self._exchange(worker, b"")
        except WorkerEnded:
            raise VoiceUnavailable(
                "the worker of the local voice ended before it was ready: run "
                "`python -m callcenter.speech.espeak_worker` to see why; reinstalling espeakng-loader, numpy and soxr "
                "usually mends it"
            ) from None
        if kind is not Frame.READY:
            await self._give_up(worker, "not_ready")
            reason = payload.decode("utf-8", "replace") if kind is Frame.FAILED else "it does not speak our protocol"
            raise VoiceUnavailable(f"the local voice cannot start: {reason}")
        return worker

    async def _exchange(self, worker: _Worker, data: bytes) -> tuple[Frame, bytes]:
        """Send ``data``, and wait for the next frame. A worker that fails or is left in the middle is not kept."""
        try:
            async with asyncio.timeout(self._timeout):
                await worker.send(data)
                return await worker.receive()
        except TimeoutError:
            await self._give_up(worker, "timeout")
            raise VoiceUnavailable(f"the local voice did not answer within {self._timeout:g} seconds") from None
        except OutOfStep:
            await self._give_up(worker, "out_of_step")
            raise VoiceUnavailable("the worker of the local voice does not speak our protocol") from None
        except WorkerEnded:
            # Only waited for: to kill what has ended takes its exit status away from asyncio.
            await worker.end()
            await self._give_up(worker, "crashed")
            raise
        except asyncio.CancelledError:
            await self._give_up(worker, "cancelled")  # its answer would be taken for that of the next request
            raise

    async def _give_up(self, worker: _Worker, reason: str) -> None:
        self._worker = None
        await worker.kill()
        _log.warning("voice_worker_ended", reason=reason, exit_status=worker.exit_status)
