"""Calls as the edge sees them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from callcenter.calls.audio import AudioShelf, Captions
from callcenter.calls.endings import Endings
from callcenter.calls.steps import Steps
from callcenter.calls.values import (
    Answer,
    AudioGone,
    AudioText,
    Incoming,
    NotDelivered,
    Reached,
    RecordingReady,
    Render,
    StatusChanged,
    StepAnswered,
)


@dataclass(frozen=True, slots=True)
class CallService:
    """Everything that the edge asks of calls. Implements ``telephony.ports.Calls``."""

    steps: Steps
    endings: Endings
    shelf: AudioShelf | Captions

    async def step(self, event: Incoming | Reached | StepAnswered, render: Render) -> Answer:
        return await self.steps.step(event, render)

    async def status(self, event: StatusChanged) -> None:
        await self.endings.status(event)

    async def recording(self, event: RecordingReady, render: Render) -> None:
        await self.steps.recording(event, render)

    async def audio(self, call: UUID, token: str) -> AudioText | AudioGone:
        return await self.shelf.audio(call, token)

    async def audio_complete(self, call: UUID, fetch: UUID) -> None:
        await self.shelf.complete(call, fetch)

    async def audio_given_back(self, call: UUID, fetch: UUID, why: NotDelivered) -> None:
        await self.shelf.give_back(call, fetch, why)
