"""All that a caller without proof is answered, to be compared: it may not depend on who is on file (P6)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from callcenter.flow.state import Phase
from tests.attack.leak_oracle.folding import without_identifiers
from tests.attack.leak_oracle.people import OPEN, Person, Stranger
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.telephone import LONG_SILENCE, Telephone

#: What a caller without the right code may do at any question; a claim is what the question asks for.
ACTS = ("claim", "claim", "claim", "000000", "000000", "silence", "#", "*", "12345678", "0", "1")


def acts_without_proof(seed: int) -> list[str]:
    """What somebody does who claims to be a patient and cannot prove it."""
    return ["1", "1", "claim", "claim", *Random(seed).choices(ACTS, k=12)]


async def answers(
    house: Premises, telephone: Telephone, who: Person | Stranger, acts: Sequence[str], *, withheld: bool
) -> list[object]:
    """All that somebody is answered who does ``acts``, and what the ledger says of it, without identifiers."""
    number = who.phones[0] if isinstance(who, Person) else who.number
    claims = {Phase.BIRTH_DATE: f"{who.birth_date:%d%m%Y}", Phase.TELEPHONE: f"0{number[-9:]}"}
    house.clock.set(OPEN)
    await telephone.ring("anonymous" if withheld else number, next(iter(house.population.practices["port"].numbers)))
    for act in acts:
        if (await telephone.state()).activity == "ended":
            break
        phase = house.observer.state.phase if house.observer.state else Phase.NONE
        keys = claims.get(phase, "9") if act == "claim" else act
        await (telephone.wait(LONG_SILENCE) if act == "silence" else telephone.press(keys))
    await telephone.state()  # what was asked last has been answered
    await telephone.ended()
    begun = await telephone.call()
    assert begun is not None
    events = await house.ledger.events(*begun)
    exchanges = [exchange for exchange in house.emulator.tape if exchange.call_sid == telephone.sid]
    await telephone.judged()
    documents = [without_identifiers(exchange.text) for exchange in exchanges if exchange.kind == "webhook"]
    return [*documents, *events]
