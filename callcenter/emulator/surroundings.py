"""What a transcript sets up around its call: lines that forward, clients that wait for calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from callcenter.emulator.client import ControlClient
from callcenter.emulator.errors import EmulatorError
from callcenter.emulator.lines import Forwarding
from callcenter.emulator.steps import Transcript


class Surroundings:
    """Set up before a call and taken off after it.

    Arguments:
        client: the emulator.
        made, before: what lines forward meanwhile, and what they forwarded before.
        clients: identities that are registered meanwhile, and were not before.
    """

    def __init__(
        self,
        client: ControlClient,
        made: Sequence[Forwarding] = (),
        before: Sequence[Forwarding] = (),
        clients: Sequence[str] = (),
    ) -> None:
        self._client = client
        self._made = made
        self._before = before
        self._clients = clients

    @classmethod
    async def make(cls, client: ControlClient, transcript: Transcript) -> Self:
        """Set up what a transcript asks for; nothing of it stays if that fails."""
        before, there = await client.forwardings(), await client.clients()
        new = [identity for identity in transcript.clients if identity not in there]
        surroundings = cls(client, transcript.forwarding, before, new)
        try:
            for forwarding in transcript.forwarding:
                await client.forward(forwarding)
            for identity in new:
                await client.register(identity)
        except EmulatorError:
            await surroundings.undo()
            raise
        return surroundings

    async def undo(self) -> None:
        """Take it all off; lines forward again what they forwarded before."""
        places = {(forwarding.line, forwarding.when) for forwarding in self._made}
        for forwarding in self._made:
            await self._client.unforward(forwarding)
        for forwarding in self._before:
            if (forwarding.line, forwarding.when) in places:
                await self._client.forward(forwarding)
        for identity in self._clients:
            await self._client.unregister(identity)
