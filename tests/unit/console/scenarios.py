"""The flows that run, as the pages' tests have them: one, and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from callcenter.console.flows_ports import GuardedStep, NoSuchScenario, Scenario
from callcenter.kernel.levels import Channel

DIGEST = "5" * 64
SCENARIO = Scenario(DIGEST, "accueil", Channel.VOICE, True, "2026-11-3", 76, 2)
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="3000" height="1500" viewBox="0 0 3000 1500" role="img" '
    'aria-labelledby="titre"><title id="titre">Scénario</title><rect width="3000" height="1500" fill="#ffffff"/></svg>'
)
GUARDED = (
    GuardedStep(
        "read",
        "« Votre rendez-vous\N{NO-BREAK SPACE}: ‹date et heure› »",
        (("D02", "existence d'un rendez-vous"), ("D03", "date et heure du rendez-vous")),
        ("level>=2", "bound:appointment"),
        ("level>=2", "bound:appointment", "possession"),
    ),
    GuardedStep("slot_move", "Propose d’autres créneaux.", (), ("bound:slot", "made:up"), ("bound:slot",)),
)


@dataclass(slots=True)
class ScenariosDouble:
    """Implements ``console.flows_ports.Scenarios``.

    Arguments:
        theirs: whoever asks may see the flows.
    """

    theirs: bool = True
    shown: Scenario = SCENARIO
    guarded: Sequence[GuardedStep] = GUARDED
    picture_shown: str = PICTURE

    async def running(self, token: str) -> Sequence[Scenario]:
        self._entitled()
        return [self.shown]

    async def one(self, token: str, digest: str) -> tuple[Scenario, Sequence[GuardedStep]]:
        self._entitled(digest)
        return self.shown, self.guarded

    async def picture(self, token: str, digest: str) -> str:
        self._entitled(digest)
        return self.picture_shown

    def _entitled(self, digest: str = DIGEST) -> None:
        if not self.theirs or digest != DIGEST:
            raise NoSuchScenario
