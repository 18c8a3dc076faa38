"""What stands above the steps: what the picture is of, the verdict, what each region may say, and what shapes mean."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.disclosure.gate import CARD_OPENS
from callcenter.disclosure.policy import Policy
from callcenter.flow.effects import LIMIT
from callcenter.flow.language import Direction, Flow, Level
from callcenter.flow.picture.faults import fault_in_french, mend_in_french
from callcenter.flow.picture.guards import Guards, Region, closed, opened
from callcenter.flow.picture.kinds import Kind, details, head, outline
from callcenter.flow.picture.letters import wrapped
from callcenter.flow.picture.svg import Markup, element, group, moved, path, rectangle, text, words
from callcenter.flow.picture.words import CARD_SHOWN, CHANNELS, LEVELS, categories_in_french, outlets_in_french
from callcenter.flow.proof import Counterexample, Proven, Refuted
from callcenter.flow.subflow_language import INTO
from callcenter.kernel.labels import Category
from callcenter.speech.typography import set_in_french

#: Of the ground of each region.
GROUNDS = {
    Region(Level.UNKNOWN): "#eceff3",
    Region(Level.UNKNOWN, card=True): "#e3d5f5",
    Region(Level.IDENTIFIED): "#cfe2f8",
    Region(Level.VERIFIED): "#bfe6cb",
    Region(Level.STRONG): "#a3d9d3",
}
INK, FAINT, RED = "#1d2329", "#59636e", "#c01c1c"
#: A card is as wide at least, and at most.
_CARD, _CARD_MOST = 280, 420
_GAP, _PAD = 16, 14
_SIZE, _LINE = 12, 17


@dataclass(frozen=True, slots=True)
class Panel:
    """Markup from 0, 0, and how much room it takes."""

    markup: Markup
    high: int


def ground(region: Region | None) -> str:
    """The colour behind a step; a card adds nothing to a level in colour, and the badge names both."""
    if region is None:
        return "#ffffff"
    return GROUNDS.get(region) or GROUNDS[Region(region.level)]


def title_of(flow: Flow) -> str:
    """What a picture is called."""
    return f"Scénario « {flow.name} »"


def summary_of(flow: Flow, guards: Guards, verdict: Proven | Refuted) -> str:
    """What a picture is of, in a line."""
    way = "appels que nous passons" if flow.direction is Direction.OUTGOING else "appels reçus"
    proof = f"prouvé, politique {verdict.policy}" if isinstance(verdict, Proven) else "NON PROUVÉ"
    return (
        f"{CHANNELS[flow.channel]}, {way} · {len(flow.steps)} étapes, dont {len(guards.guarded)} gardées · {proof} · "
        f"empreinte {flow.digest[:12]}"
    )


def heading(flow: Flow, guards: Guards, verdict: Proven | Refuted, policy: Policy, wide: int) -> Panel:
    """The title, and in red why a flow is refuted."""
    parts = [text(0, 26, title_of(flow), font_size=26, font_weight="bold", fill=INK)]
    high = 34
    for line in wrapped(summary_of(flow, guards, verdict), 14, wide):
        high += 18
        parts.append(text(0, high - 4, line, font_size=14, fill=FAINT))
    if isinstance(verdict, Refuted):
        banner = _banner(flow, guards, verdict, policy, wide)
        parts.append(moved(0, high + 10, banner.markup))
        high += banner.high + 10
    return Panel(group({}, *parts), high)


def _banner(flow: Flow, guards: Guards, verdict: Refuted, policy: Policy, wide: int) -> Panel:
    example, inner = verdict.counterexamples[0], wide - 2 * _PAD
    many = len(verdict.counterexamples)
    more = f" C’est la première de {many} fautes." if many > 1 else ""
    lines = [
        (line, True)
        for line in wrapped(
            f"Ce scénario n’est pas prouvé, et ne sert à aucun appel. Le plus court chemin fautif est en rouge.{more}",
            15,
            inner,
            bold=True,
        )
    ]
    told = (
        set_in_french(f"{example.file}:{example.line} · {fault_in_french(example, flow, guards, policy)}"),
        f"Chemin\xa0: {way_of(example)}",
        set_in_french(f"À corriger : {mend_in_french(example)}"),
    )
    lines += [(line, False) for one in told for line in wrapped(one, 13, inner)]
    parts = [rectangle(0, 0, wide, len(lines) * 20 + 16, rx=6, fill="#fdecea", stroke=RED, stroke_width=2)]
    for at, (line, bold) in enumerate(lines):
        weight = {"font_weight": "bold"} if bold else {}
        parts.append(text(_PAD, 24 + at * 20, line, font_size=15 if bold else 13, fill=RED if bold else INK, **weight))
    return Panel(group({}, *parts), len(lines) * 20 + 16)


def way_of(example: Counterexample) -> str:
    """The shortest way that shows it, with what is known at each step."""
    return " ".join(
        f"{hop.step} (niveau {hop.level.value}){f' –{_by(hop.outlet)}→' if hop.outlet else ''}" for hop in example.path
    )


def _by(outlet: str) -> str:
    return {INTO: "y passe", LIMIT: "appel trop long"}.get(outlet) or outlets_in_french([outlet])


def legend(flow: Flow, guards: Guards, policy: Policy, wide: int) -> Panel:
    """What each region may say, and what shapes mean."""
    regions = _regions(flow, guards, policy)
    abreast = max(1, min(len(regions), (wide + _GAP) // (_CARD + _GAP)))
    each = min(_CARD_MOST, (wide + _GAP) // abreast - _GAP)
    cards = [_card(title, ground_, lines, each) for title, ground_, lines in regions]
    parts, top = [], 0
    for begin in range(0, len(cards), abreast):
        row = cards[begin : begin + abreast]
        for at, card in enumerate(row):
            parts.append(moved(at * (each + _GAP), top, card.markup))
        top += max(card.high for card in row) + _GAP
    kinds = _kinds(wide)
    parts.append(moved(0, top + 4, kinds.markup))
    return Panel(group({}, *parts), top + 4 + kinds.high)


def _regions(flow: Flow, guards: Guards, policy: Policy) -> list[tuple[str, str, list[str]]]:
    """Title, ground and words of each card."""
    present = set(guards.regions.values())
    by_level = opened(policy, flow.channel)
    cards = []
    for level in Level:
        categories = by_level.get(level, ())
        here = any(region.level == level for region in present)
        if not here and not categories:
            continue
        said = [_opens(level, categories, policy)]
        if not here:
            said.append("Aucune étape de ce scénario.")
        cards.append((LEVELS[level], GROUNDS[Region(level)], said))
    if any(region.card for region in present):
        card = [one for one in sorted(CARD_OPENS) if one in by_level.get(Level.VERIFIED, ())]
        told = f"Peut entendre, de ce que désigne la référence seulement : {categories_in_french(card, policy)}."
        cards.append((CARD_SHOWN, GROUNDS[Region(Level.UNKNOWN, card=True)], [told]))
    never = closed(policy, flow.channel)
    if never:
        told = f"{categories_in_french(never, policy)}."
        cards.append((f"Jamais dit {CHANNELS[flow.channel]}", "#ffffff", [told]))
    return cards


def _opens(level: Level, categories: tuple[Category, ...], policy: Policy) -> str:
    said = categories_in_french(categories, policy)
    if level is Level.UNKNOWN:
        return f"Peut entendre : {said or 'rien'}."
    return f"Peut entendre, en plus : {said or 'rien'}."


def _card(title: str, colour: str, said: list[str], wide: int) -> Panel:
    inner = wide - 2 * _PAD
    lines = [line for one in said for line in wrapped(set_in_french(one), _SIZE, inner)]
    names = wrapped(title, 13, inner, bold=True)
    high = 12 + (len(names) + len(lines)) * _LINE + 8
    parts = [rectangle(0, 0, wide, high, rx=6, fill=colour, stroke="#9aa5b1")]
    for at, line in enumerate(names):
        parts.append(text(_PAD, 22 + at * _LINE, line, font_size=13, font_weight="bold", fill=INK))
    for at, line in enumerate(lines, start=len(names)):
        parts.append(text(_PAD, 22 + at * _LINE, line, font_size=_SIZE, fill=INK))
    return Panel(group({}, *parts), high)


def _kinds(wide: int) -> Panel:
    """The shapes in a row, or in several."""
    parts: list[Markup] = []
    each, high = 168, 34
    abreast = max(1, wide // each)
    for at, kind in enumerate(Kind):
        x, y = at % abreast * each, at // abreast * high
        parts.append(group({"transform": f"translate({x + 5} {y + 5}) scale(.5)"}, *shape(kind, 60, 40, high=20)))
        parts.append(text(x + 44, y + 19, kind.french, font_size=_SIZE, fill=INK))
    rows = (len(Kind) - 1) // abreast + 1
    note = "→ étape : mène à cette étape, ailleurs dans l’image · ↩ étape : y revient · ✓ garanti sur tous les chemins"
    notes = wrapped(note, _SIZE, wide)
    for at, line in enumerate(notes):
        parts.append(text(0, rows * high + 16 + at * _LINE, line, font_size=_SIZE, fill=FAINT))
    return Panel(group({}, *parts), rows * high + len(notes) * _LINE + 6)


def shape(kind: Kind, wide: int, box_high: int, *, high: int = 20, red: bool = False) -> list[Markup]:
    """The box of a step, without words.

    Arguments:
        high: of its head.
    """
    colour = RED if red else kind.colour
    parts = [path(outline(kind, wide, box_high), fill="#ffffff", stroke=colour, stroke_width=3 if red else 1.5)]
    if kind.filled:
        parts.append(path(head(kind, wide), fill=kind.colour))
    if more := details(kind, wide, box_high):
        parts.append(path(more, fill="none", stroke=colour))
    return parts


def described(flow: Flow, guards: Guards, verdict: Proven | Refuted) -> tuple[Markup, Markup]:
    """What a picture says to whoever does not see it."""
    guarded = ", ".join(guards.guarded) or "aucune"
    verified = ", ".join(name for name, region in guards.regions.items() if region.level >= Level.VERIFIED) or "aucune"
    said = f"{summary_of(flow, guards, verdict)}. Étapes gardées : {guarded}. "
    said += f"Étapes où l’appelant est vérifié : {verified}."
    if isinstance(verdict, Refuted):
        said += f" Chemin fautif : {way_of(verdict.counterexamples[0])}."
    return element("title", {"id": "titre"}, words(title_of(flow))), element("desc", {"id": "texte"}, words(said))
