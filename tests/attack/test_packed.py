"""The length of a page on its way tells what stands in it: whoever can have a word put into it guesses the rest."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from callcenter.console import visits
from callcenter.console.rendering import page
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.unit.console.doubles import Desk, open_desk

#: Signs of the proof that are guessed at once; one after the other, they are found sign by sign (BREACH, 2013).
SIGNS = 24


def _pages_are_packed(sabotage: Sabotage) -> None:
    def packed(request: web.Request, *given: Any, **how: Any) -> web.Response:
        response = page(request, *given, **how)
        response.enable_compression()
        return response

    sabotage.replace(visits, "page", packed)


UNPACKED = Defence("pages that are not packed", "ASVS 3.5.1", _pages_are_packed)


@attack(stopped_by=UNPACKED)
async def test_the_length_of_a_page_tells_the_proof_of_its_forms() -> Outcome:
    """A link of the attacker's opens a page with a guess in it; on the network they see how long its answer is."""
    async with open_desk() as desk:
        await desk.signed_in()
        proof = (await desk.guest.get("/compte")).proof
        wrong = "".join(f"{15 - int(sign, 16):x}" for sign in proof[:SIGNS])
        return gained(await length(desk, proof[:SIGNS]) < await length(desk, wrong))


async def length(desk: Desk, guess: str) -> int:
    """How long the page is on its way that has the guess in it."""
    answer = await desk.guest.get(f"/confirmation?suite=/{guess}", {"Accept-Encoding": "gzip, deflate"})
    assert f'value="/{guess}"' in answer.text
    return int(answer.headers["Content-Length"])
