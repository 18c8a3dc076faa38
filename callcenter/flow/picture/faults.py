"""Why a flow is refuted, and the mend, in French: a verdict's own words are for whoever writes flows."""

from __future__ import annotations

from callcenter.disclosure.policy import Policy
from callcenter.flow.facts import APPOINTMENT, CARD_FACT, EMERGENCY, PROVABLE, bound_fact, level_fact
from callcenter.flow.graph import Fact
from callcenter.flow.language import Flow, Level
from callcenter.flow.picture.guards import Guards, closed, opened
from callcenter.flow.picture.words import CHANNELS, FACTS, categories_in_french
from callcenter.flow.proof import Counterexample
from callcenter.flow.state import SLOT

_LEAD_THROUGH = "Faire passer tout chemin vers « {step} » par l’issue « {outlet} » d’une étape qui {does}."
#: By which outlet of which steps each fact comes about, but for levels.
_BROUGHT_BY: dict[Fact, tuple[str, str]] = {
    bound_fact(APPOINTMENT): ("trouvé", "cherche le rendez-vous"),
    bound_fact(SLOT): ("reconnue", "demande la référence"),
    CARD_FACT: ("prouvé", "demande la date de naissance qui va avec la référence"),
}


def fault_in_french(example: Counterexample, flow: Flow, guards: Guards, policy: Policy) -> str:
    """What is wrong with the step to which the way leads."""
    step = example.path[-1]
    if example.fact == EMERGENCY:
        return f"L’étape « {step.step} » s’adresse à l’appelant avant la consigne d’urgence."
    told = guards.guarded[step.step].told
    if example.fact is None:
        never = categories_in_french(told.intersection(closed(policy, flow.channel)), policy)
        return f"L’étape « {step.step} » communique ce qui n’est jamais dit {CHANNELS[flow.channel]} : {never}."
    level = _level_of(example.fact)
    if level is None:
        return f"L’étape « {step.step} » demande : {FACTS[example.fact]} ; on peut y arriver sans."
    names = categories_in_french(told.intersection(opened(policy, flow.channel).get(level, ())), policy)
    return (
        f"L’étape « {step.step} » communique {names}, ce qui demande le niveau {level.value} ; "
        f"on peut y arriver au niveau {step.level.value}."
    )


def mend_in_french(example: Counterexample) -> str:
    """What to do about it."""
    step = example.path[-1].step
    if example.fact is None:
        return f"Retirer cela de l’étape « {step} » : aucun niveau ne l’ouvre."
    if example.fact == EMERGENCY:
        return f"Dire la consigne d’urgence sur tout chemin vers « {step} », avant tout le reste."
    level = _level_of(example.fact)
    if level is not None:
        return _LEAD_THROUGH.format(step=step, outlet="vérifié", does=f"vérifie jusqu’au niveau {level.value}")
    outlet, does = _BROUGHT_BY[example.fact]
    return _LEAD_THROUGH.format(step=step, outlet=outlet, does=does)


def _level_of(fact: Fact) -> Level | None:
    return next((level for level in PROVABLE if level_fact(level) == fact), None)
