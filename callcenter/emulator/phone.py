"""A telephone in the terminal: what is heard is printed, what is typed is pressed."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from callcenter.emulator.client import CallState, ControlClient
from callcenter.emulator.errors import EmulatorError, Refusal, Unreachable
from callcenter.emulator.narration import heard_line, keys_line, message_line

KEYS = frozenset("0123456789*#")
HANG_UP = frozenset("rR\x04")  # Ctrl-D among them
POLL = 20.0  # seconds of one long poll
FINE, NO_EMULATOR, NOT_ANSWERED = 0, 1, 2

ENDINGS = {"busy": "Occupé.", "no-answer": "Pas de réponse.", "failed": "L'appel n'a pas abouti."}


async def interactive(
    base_url: str,
    caller: str,
    called: str,
    out: Callable[[str], None] = print,
    keys: AsyncIterator[str] | None = None,
    forwarded_from: str | None = None,
) -> int:
    """Call a number and stay on the line until somebody hangs up.

    Arguments:
        base_url: a running emulator.
        caller: the calling number, or ``anonymous``.
        called: the number to call.
        out: gets each line to show.
        keys: what is typed, one character each; the terminal if None.
        forwarded_from: the line that is dialled, where it is forwarded to ``called``.

    Returns:
        0 when the call was answered, 1 when no emulator answers, 2 when the call was not answered.
    """
    try:
        async with ControlClient(base_url) as client:
            return await _Handset(client, caller, out).call(called, keys or typed(), forwarded_from)
    except Unreachable:
        out(f"no emulator answers at {base_url}: start one first, with `callcenter demo` or `callcenter emulator`")
        return NO_EMULATOR
    except EmulatorError as error:
        out(f"the emulator refuses the call: {error}")
        return NOT_ANSWERED


class _Handset:
    """One call on one telephone."""

    def __init__(self, client: ControlClient, caller: str, out: Callable[[str], None]) -> None:
        self._client = client
        self._caller = caller
        self._out = out
        self._seen = 0

    async def call(self, called: str, keys: AsyncIterator[str], forwarded_from: str | None) -> int:
        self._seen = await self._client.last_message()
        sid = await self._client.start(self._caller, called, "live", forwarded_from)
        self._out(f"Appel du {called} depuis le {self._caller}. Chiffres, * et # : touches ; r ou Ctrl-D : raccrocher.")
        listening = asyncio.ensure_future(self._listen(sid))
        pending: set[asyncio.Future[Any]] = {
            listening, asyncio.ensure_future(self._type(sid, keys)), asyncio.ensure_future(self._receive()),
        }  # fmt: skip
        try:
            while not listening.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        await self._show_messages(0.0)  # one that came with the last words
        return self._farewell(listening.result())

    async def _listen(self, sid: str) -> CallState:
        shown: int = 0
        revision: int | None = None
        while True:
            state = await self._client.state(sid, after=revision, wait=POLL)
            for spoken in state.heard[shown:]:
                self._out(heard_line(spoken))
            shown, revision = len(state.heard), state.revision
            if state.activity == "ended":
                return state

    async def _type(self, sid: str, keys: AsyncIterator[str]) -> None:
        async for key in keys:
            if key in HANG_UP:
                break
            if key in KEYS:
                with suppress(Refusal):  # the call has just ended: the listener will say so
                    taken = await self._client.press(sid, key)
                    self._out(keys_line(key, taken=bool(taken)))
        await self._client.hang_up(sid)

    async def _receive(self) -> None:
        while True:
            await self._show_messages(POLL)

    async def _show_messages(self, wait: float) -> None:
        for message in await self._client.inbox(self._caller, after=self._seen, wait=wait):
            self._seen = message.number
            self._out(message_line(message))

    def _farewell(self, state: CallState) -> int:
        if state.status in ENDINGS:
            self._out(ENDINGS[state.status])
            return NOT_ANSWERED
        self._out("Vous avez raccroché." if state.hung_up_by == "telephone" else "L'appel est terminé.")
        return FINE


async def typed() -> AsyncIterator[str]:
    """The characters typed at the terminal, each as it is pressed; of a pipe or file, as they come. Ends with them."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[str]()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        for character in os.read(descriptor, 64).decode(errors="ignore") or "\x04":
            queue.put_nowait(character)

    with _single_keys(descriptor):
        try:
            loop.add_reader(descriptor, read)
        except PermissionError:  # a regular file or /dev/null is always ready and cannot be waited for
            read()
            queue.put_nowait("\x04")
        try:
            while (character := await queue.get()) != "\x04":
                yield character
        finally:
            loop.remove_reader(descriptor)


@contextmanager
def _single_keys(descriptor: int) -> Iterator[None]:
    """Let the terminal hand over each key at once, and give it back as it was."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
