"""A caller on the stage, for tests that must do something to the house between two keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.reading import disclosures, records_of_call
from callcenter.emulator.client import CallState, ControlClient
from tests.acceptance.stage import Stage

TILLEULS, RESCUE = "+33465710001", "+33465710090"
JEANNE, BORN = "+33639980001", "14031962"


@dataclass(slots=True)
class OnTheLine:
    """A call under way."""

    stage: Stage
    client: ControlClient
    sid: str
    heard: int = 0

    async def press(self, *keys: str) -> str:
        """Press each once the call waits for it; what was heard after the last."""
        for key in keys:
            self.heard = len((await self.client.settled(self.sid)).heard)
            await self.client.press(self.sid, key)
        return await self.hears()

    async def hears(self) -> str:
        """What was heard since the last key."""
        state = await self.client.settled(self.sid)
        return " ".join(spoken.text for spoken in state.heard[self.heard :])

    async def verify(self, born: str = BORN, mobile: str = JEANNE) -> None:
        """Ask for appointments and type the code that arrives; the call then asks whether one can listen."""
        seen = await self.client.last_message()
        await self.press("1", "1", born)
        (message,) = await self.client.inbox(mobile, after=seen, wait=10)
        await self.press("".join(filter(str.isdigit, message.body))[:6])

    async def hang_up(self) -> CallState:
        """Hang up, and wait until the house knows."""
        await self.client.hang_up(self.sid)
        return await self.client.closed(self.sid)

    async def identity(self) -> tuple[UUID, UUID]:
        """Our identifiers of the call and of its practice."""
        query = text("SELECT id, practice_id FROM call WHERE carrier_sid = :sid")
        async with self.stage.running.database.house() as connection:
            row = (await connection.execute(query, {"sid": self.sid})).one()
        return row.id, row.practice_id

    async def records(self, *events: str) -> list[dict[str, Any]]:
        """The call's ledger records, those of ``events`` if any are named."""
        call, practice = await self.identity()
        async with self.stage.running.database.practice(practice) as tx:
            records = await records_of_call(tx, call)
        return [record.body for record in records if not events or record.body["event"] in events]

    async def told(self) -> list[dict[str, Any]]:
        """The call's disclosures, each with how it was heard."""
        call, practice = await self.identity()
        async with self.stage.running.database.practice(practice) as tx:
            return disclosures(await records_of_call(tx, call))

    async def change(self, statement: str) -> None:
        """Change the practice's rows while the call goes on."""
        _, practice = await self.identity()
        async with self.stage.running.database.practice(practice) as tx:
            await tx.connection.execute(text(statement))

    def sounds(self) -> list[str]:
        """The addresses of sound that the carrier asked for, oldest first."""
        return [exchange.url for exchange in self.stage.emulator.tape if exchange.kind == "audio"]


@asynccontextmanager
async def calling(stage: Stage, caller: str = JEANNE, called: str = TILLEULS) -> AsyncIterator[OnTheLine]:
    """A call that is hung up in the end."""
    async with ControlClient(stage.emulator.base_url) as client:
        line = OnTheLine(stage, client, await client.start(caller, called, "scripted"))
        await client.settled(line.sid)
        try:
            yield line
        finally:
            await line.hang_up()
