"""What a piece of a prompt's template names, however deep it stands and whatever the piece is.

Used to say what a refused construct would have told: every path in it counts, and a path that cannot be resolved may
be any field below the part of it that can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from jinja2 import nodes

from callcenter.kernel.labels import FIELD_LABELS, Category

#: What is kept in variables that a template has set, by their name.
Variables = Mapping[str, frozenset[str]]


def named_in(tree: nodes.Node | Iterable[nodes.Node], variables: Variables) -> frozenset[str]:
    """Every path that ``tree`` names: ``appointment.place``, or a root alone where what follows is not certain."""
    if not isinstance(tree, nodes.Node):
        return frozenset[str]().union(*(named_in(node, variables) for node in tree))
    path = path_of(tree)
    if path is None:
        return named_in(tree.iter_child_nodes(), variables)
    return variables.get(path.split(".")[0], frozenset({path}))


def kept_by(tree: nodes.Node, variables: Variables) -> dict[str, frozenset[str]]:
    """The variables that ``tree`` sets for what follows it or stands in it, each with every path that may be in it."""
    kept: dict[str, frozenset[str]] = {}
    for node in _whole(tree):
        match node:
            case nodes.Assign() | nodes.For():
                source = node.node if isinstance(node, nodes.Assign) else node.iter
                kept |= dict.fromkeys(_names(node.target), named_in(source, {**variables, **kept}))
            case nodes.AssignBlock():
                kept |= dict.fromkeys(_names(node.target), named_in(node.body, {**variables, **kept}))
            case nodes.With():
                for target, value in zip(node.targets, node.values, strict=True):
                    kept |= dict.fromkeys(_names(target), named_in(value, {**variables, **kept}))
            case _:
                pass
    return kept


def said_of(paths: Iterable[str]) -> str:
    """``paths`` for a verdict: what tells something of a patient first, each with the categories that it may tell."""
    labels = {path: _labels(path) for path in paths}
    ordered = sorted(labels, key=lambda path: (not labels[path], path))
    return ", ".join(f"{path} ({' '.join(labels[path])})" if labels[path] else path for path in ordered)


def labelled(paths: Iterable[str]) -> frozenset[str]:
    """Those of ``paths`` that may tell something of a patient."""
    return frozenset(path for path in paths if _labels(path))


def _labels(path: str) -> list[str]:
    """The categories that a path may tell of a patient: of the field, or of every field below it."""
    root = path.split(".")[0] if path not in FIELD_LABELS else path
    categories = {category for field, category in FIELD_LABELS.items() if field == path or field.startswith(f"{root}.")}
    return sorted(categories - {Category.PUBLIC})


def path_of(node: nodes.Node) -> str | None:
    """The path that ``node`` is; none for any other expression, whose parts may be paths."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr(attr=name) | nodes.Getitem(arg=nodes.Const(value=str() as name)):
            path = path_of(node.node)
            return None if path is None else f"{path}.{name}"
        case _:
            return None


def _whole(tree: nodes.Node) -> Iterator[nodes.Node]:
    yield tree
    for child in tree.iter_child_nodes():
        yield from _whole(child)


def _names(target: nodes.Node) -> list[str]:
    return [node.name for node in _whole(target) if isinstance(node, nodes.Name)]
