"""The proof's verdicts and explanations in words, for whoever writes flows: places as ``file:line``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callcenter.disclosure.policy import Policy
from callcenter.flow.causes import Cause
from callcenter.flow.explain import Explanation, GuardingOutlet
from callcenter.flow.facts import known
from callcenter.flow.language import Flow
from callcenter.flow.proof import Counterexample, Hop

#: Steps of a long way that are shown at its beginning, and at its end.
_ENDS = 20


def describe(example: Counterexample) -> str:
    """A counterexample in words: file, line, what; the shortest way, with what was known at each step; the mend."""
    return (
        f"{example.file}:{example.line}: refuted: {example.what}\n"
        f"    the shortest way there, and what is known of the caller on it:\n{way_in_words(example.path)}"
        f"    mend: {example.mend}\n"
    )


def others_in_words(cause: Cause) -> str:
    """How many more steps are refuted by the same, and which; empty if none is."""
    if not cause.behind:
        return ""
    names = ", ".join(f"« {example.path[-1].step} »" for example in cause.behind)
    return f"    and {len(cause.behind)} more of the same cause: {names} (`flows check --all` shows each)\n"


def way_in_words(path: Sequence[Hop]) -> str:
    """A way, one step a line: where it stands, by which outlet it is left, and what is known on arrival.

    Of a way that is longer than anybody reads, the beginning and the end are shown.
    """
    if not path:
        return ""
    left_out = max(0, len(path) - 2 * _ENDS)
    shown = [*path[:_ENDS], *path[len(path) - _ENDS :]] if left_out else list(path)
    places = [f"{hop.file}:{hop.line}" for hop in shown]
    steps = [f"{hop.step} –{hop.outlet}→" if hop.outlet else hop.step for hop in shown]
    wide, long = max(map(len, places)), max(map(len, steps))
    lines = [
        f"      {place:<{wide}}  {step:<{long}}  {known(hop.facts)}\n"
        for place, step, hop in zip(places, steps, shown, strict=True)
    ]
    if left_out:
        lines.insert(_ENDS, f"      … {left_out} steps more …\n")
    return "".join(lines)


def explanation_in_words(flow: Flow, explained: Explanation, policy: Policy) -> str:
    """Why a step is safe: what it tells and needs, by which outlets that is so on every way, and the shortest way."""
    return "".join(f"{line}\n" for line in _explained(flow, explained, policy))


def _explained(flow: Flow, explained: Explanation, policy: Policy) -> Iterator[str]:
    step = explained.step
    place = f"{flow.file_of(step.name)}:{step.line}"
    yield f"{place}: step « {step.name} » of the flow « {flow.name} », policy {policy.version}"
    told = [f"{category.value} ({policy.rules[category].name})" for category in sorted(explained.tells)]
    yield f"  tells: {', '.join(told) if told else 'nothing about a patient'}"
    yield f"  known of the caller on every way here: {known(explained.holds)}"
    for reason in explained.reasons:
        yield f"  it {reason.need.why}"
        if reason.guards:
            yield "    every way here passes one of these, and nothing after it undoes it:"
            yield from _guards(reason.guards)
    if not explained.reasons:
        yield "  it needs nothing to be known of the caller"
    yield "  the shortest way here:"
    yield way_in_words(explained.shortest).rstrip("\n")


def _guards(guards: Sequence[GuardingOutlet]) -> Iterator[str]:
    wide = max(len(f"{guard.file}:{guard.line}") for guard in guards)
    for guard in guards:
        place = f"{guard.file}:{guard.line}"
        yield f"      {place:<{wide}}  {guard.step} –{guard.outlet}→"
