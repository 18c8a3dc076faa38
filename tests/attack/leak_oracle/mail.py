"""Requests that no honest carrier sends: repeated, late, misdirected, forged, cut off in the middle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from urllib.parse import parse_qsl, urlencode

from yarl import URL

from callcenter.calls.audio import COMPLETE_FETCHES
from callcenter.emulator.identifiers import new_sid
from callcenter.emulator.signature import HEADER, sign
from callcenter.emulator.tape import Exchange
from tests.attack.leak_oracle.premises import Premises


class Mail:
    """Requests about one call, beside those that its carrier sends.

    Arguments:
        premises: where they go.
        sid: the carrier's identifier of the call.
    """

    def __init__(self, premises: Premises, sid: str) -> None:
        self._premises = premises
        exchanges = [exchange for exchange in premises.emulator.tape if exchange.call_sid == sid]
        self._webhooks = [exchange for exchange in exchanges if exchange.kind == "webhook"]
        self._audio = [exchange for exchange in exchanges if exchange.kind == "audio"]

    async def stray(self, chance: Random) -> None:
        """Send one of them."""
        if self._webhooks:
            await chance.choice(self._acts())(chance)

    async def everything(self, chance: Random) -> None:
        """Send one of each."""
        for act in self._acts():
            await act(chance)

    def _acts(self) -> list[Callable[[Random], Awaitable[None]]]:
        acts = [self.repeat, self.repeat_the_last, self.late, self.of_another_call, self.forged, self.fallback]
        return acts + ([self.probe, self.fetch_and_leave, self.fetch_again] if self._audio else [])

    async def repeat(self, chance: Random) -> None:
        """Any webhook of the call again, byte for byte."""
        await self._send(chance.choice(self._webhooks))

    async def repeat_the_last(self, _: Random) -> None:
        await self._send(self._webhooks[-1])

    async def late(self, chance: Random) -> None:
        """A question that was answered, answered otherwise."""
        digits = chance.choice(("1", "2", "3", "0", "*", "123456"))
        await self._send_signed(chance.choice(self._webhooks), Digits=digits)

    async def of_another_call(self, chance: Random) -> None:
        """The step of this call, asked for by another one."""
        await self._send_signed(chance.choice(self._webhooks), CallSid=new_sid("CA"))

    async def forged(self, chance: Random) -> None:
        """With a patient's number in it, and nobody's signature."""
        person = chance.choice(list(self._premises.population.people.values()))
        forged = _with(self._webhooks[-1], From=person.phones[0], Digits=f"{person.birth_date:%d%m%Y}")
        await self._send(replace(forged, request_headers={**forged.request_headers, HEADER: "bm90IHNpZ25lZA=="}))

    async def fallback(self, _: Random) -> None:
        """The carrier could not use a document."""
        last = self._webhooks[-1]
        failed = self._audio[-1].url if self._audio else last.url
        url = self._premises.running.settings.public_base_url + "/voice/fallback"
        await self._send_signed(replace(last, url=url), ErrorCode="11200", ErrorUrl=failed)

    async def fetch_again(self, chance: Random) -> None:
        """Audio, more often than a carrier should."""
        for _ in range(chance.randint(1, 4)):
            await self._fetch(chance.choice(self._audio))

    async def fetch_too_often(self) -> None:
        """The same audio, until there is none any more."""
        for _ in range(COMPLETE_FETCHES + 1):
            await self._fetch(self._audio[-1])

    async def fetch_the_last_again(self) -> None:
        await self._fetch(self._audio[-1])

    async def fetch_and_leave(self, chance: Random) -> None:
        """Audio of which only the beginning is taken."""
        async with self._premises.session.get(URL(chance.choice(self._audio).url, encoded=True)) as response:
            await response.content.read(100)
            response.close()

    async def probe(self, chance: Random) -> None:
        async with self._premises.session.head(URL(chance.choice(self._audio).url, encoded=True)):
            pass

    async def refuse_next_message(self, number: str) -> None:
        """Let the carrier refuse the next message, and quote ``number`` in what it says about it."""
        emulator = self._premises.emulator.base_url
        said = {"code": 21211, "status": 400, "message": f"Invalid 'To' Phone Number: {number}"}
        async with self._premises.session.post(f"{emulator}/emulator/messages/failures", json=said) as response:
            assert response.status == 200

    async def _fetch(self, exchange: Exchange) -> None:
        async with self._premises.session.get(URL(exchange.url, encoded=True)) as response:
            await response.read()

    async def _send_signed(self, exchange: Exchange, **fields: str) -> None:
        changed = _with(exchange, **fields)
        token = self._premises.running.settings.carrier.auth_tokens[0].get_secret_value()
        pairs = parse_qsl(changed.request_body.decode(), keep_blank_values=True)
        signature = sign(token, changed.url, pairs)
        await self._send(replace(changed, request_headers={**changed.request_headers, HEADER: signature}))

    async def _send(self, exchange: Exchange) -> None:
        async with self._premises.session.request(
            exchange.method,
            URL(exchange.url, encoded=True),
            data=exchange.request_body,
            headers=dict(exchange.request_headers),
        ) as response:
            await response.read()


def _with(exchange: Exchange, **fields: str) -> Exchange:
    form = dict(parse_qsl(exchange.request_body.decode(), keep_blank_values=True)) | fields
    return replace(exchange, request_body=urlencode(form).encode())
