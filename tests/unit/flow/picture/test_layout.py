"""The layout of a picture: boxes clear of each other, lines that run between them, and the same again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.flow.picture.columns import Line, back_lines, ordered, ranks
from callcenter.flow.picture.heights import Box
from callcenter.flow.picture.layout import Layout, Point, layout
from callcenter.flow.picture.packing import BETWEEN, packed

Graph = tuple[list[Box], list[Line]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to twenty boxes, with lines anywhere."""
    many = draw(st.integers(1, 20))
    boxes, lines = [], []
    for number in range(many):
        rows = draw(st.lists(st.integers(0, many - 1), max_size=5))
        ports = tuple(60 + 18 * row for row in range(len(rows)))
        boxes.append(Box(f"step{number}", 236, 66 + 18 * len(rows) + draw(st.integers(0, 80)), ports, 12))
        lines += [Line(f"step{number}", port, f"step{target}") for port, target in enumerate(rows) if target != number]
    back = back_lines([box.name for box in boxes], lines, ["step0"])
    return boxes, [line for number, line in enumerate(lines) if number not in back]


def drawn(graph: Graph) -> tuple[dict[str, Box], Layout]:
    boxes, lines = graph
    return {box.name: box for box in boxes}, layout(boxes, lines)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_no_box_stands_on_another_and_all_stand_in_the_picture(graph: Graph) -> None:
    boxes, made = drawn(graph)
    assert made.places.keys() == boxes.keys()
    for name, place in made.places.items():
        assert place.left >= 0
        assert place.top >= 0
        assert place.left + boxes[name].width <= made.width
        assert place.top + boxes[name].height <= made.height
    for one, other in combinations(boxes, 2):
        here, there = made.places[one], made.places[other]
        beside = here.left + boxes[one].width < there.left or there.left + boxes[other].width < here.left
        above = here.top + boxes[one].height + 8 < there.top or there.top + boxes[other].height + 8 < here.top
        assert beside or above, f"{one} and {other}"


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_each_line_leads_from_its_row_to_its_step_and_through_no_box(graph: Graph) -> None:
    boxes, made = drawn(graph)
    assert len(made.paths) == len(graph[1])
    for line, corners in zip(graph[1], made.paths, strict=True):
        source, target = made.places[line.source], made.places[line.target]
        assert corners[0] == (source.left + 236, source.top + boxes[line.source].ports[line.port])
        assert corners[-1][0] == target.left
        assert target.top < corners[-1][1] < target.top + 22
        for (left, top), (right, bottom) in pairwise(corners):
            assert left == right or top == bottom, "it runs straight"
            assert right >= left, "it never runs back"
            for name, place in made.places.items():
                clear = (
                    right <= place.left
                    or left >= place.left + boxes[name].width
                    or max(top, bottom) <= place.top
                    or min(top, bottom) >= place.top + boxes[name].height
                )
                assert clear, f"the line {line} runs through {name}"


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_two_lines_lie_on_each_other_only_where_they_come_from_or_lead_to_the_same(graph: Graph) -> None:
    _, made = drawn(graph)
    for (one, here), (other, there) in combinations(zip(graph[1], made.paths, strict=True), 2):
        if one.target != other.target:
            for piece, another in ((a, b) for a in pairwise(here) for b in pairwise(there)):
                assert not _on_each_other(piece, another), f"{one} and {other}"


def _on_each_other(one: Sequence[Point], other: Sequence[Point]) -> bool:
    for across, along in ((0, 1), (1, 0)):
        if one[0][across] == one[1][across] == other[0][across] == other[1][across]:
            begin = max(min(one[0][along], one[1][along]), min(other[0][along], other[1][along]))
            end = min(max(one[0][along], one[1][along]), max(other[0][along], other[1][along]))
            return end - begin > 1
    return False


@settings(max_examples=50, deadline=None)
@given(graphs())
def test_the_same_graph_is_laid_out_the_same(graph: Graph) -> None:
    assert drawn(graph)[1] == drawn(graph)[1]


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_every_line_leads_to_the_right(graph: Graph) -> None:
    boxes, lines = graph
    rank = ranks([box.name for box in boxes], lines)
    assert all(rank[line.source] < rank[line.target] for line in lines)


def test_only_what_comes_back_is_taken_out() -> None:
    lines = [Line("a", 0, "b"), Line("b", 0, "c"), Line("c", 0, "a"), Line("a", 1, "c"), Line("d", 0, "b")]
    assert back_lines(["a", "b", "c", "d"], lines, ["a"]) == {2}


def test_a_crossing_that_can_be_avoided_is_avoided() -> None:
    lines = [Line("a", 0, "e"), Line("b", 0, "d"), Line("c", 0, "f")]
    names = ["a", "b", "c", "d", "e", "f"]
    left, right = ordered(names, lines, ranks(names, lines)).slots
    led = {line.source: line.target for line in lines}
    assert [led[str(name)] for name in left] == list(right)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(100, 900), st.integers(100, 900)), min_size=1, max_size=7))
def test_frames_stand_clear_of_each_other(sizes: list[tuple[int, int]]) -> None:
    spots = packed(sizes, 500, 100)
    assert spots[0] == (0, 0)
    for (here, one), (there, other) in combinations(zip(spots, sizes, strict=True), 2):
        assert (
            here[0] + one[0] + BETWEEN <= there[0]
            or there[0] + other[0] + BETWEEN <= here[0]
            or here[1] + one[1] + BETWEEN <= there[1]
            or there[1] + other[1] + BETWEEN <= here[1]
        )


def test_many_frames_are_set_too() -> None:
    spots = packed([(100, 50)] * 500, 500, 100)
    assert spots[-1] == (0, 499 * (50 + BETWEEN))
