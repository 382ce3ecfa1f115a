"""What a condition says: tests of columns, joined by AND, OR and NOT."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from oea_cli.records.where.predicates import Comparison, OneOf, Predicate, Value

Truth = bool | None
"""True, false, or NULL: unknown."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name; further parts are keys of the objects in it."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return repr(".".join(self.parts))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column's values under a test."""

    column: Column
    test: Predicate

    depth = 0


@dataclass(frozen=True, slots=True)
class IsNull:
    """True for records without a value in this column; never unknown."""

    column: Column

    depth = 0


@dataclass(frozen=True, slots=True)
class IsTrue:
    """A column of true and false as a condition by itself."""

    column: Column

    depth = 0


@dataclass(frozen=True, slots=True)
class BothColumns:
    """Two columns of one record, compared."""

    left: Column
    sign: str
    right: Column

    depth = 0


@dataclass(frozen=True, slots=True)
class Constant:
    """The same for every record."""

    truth: Truth

    depth = 0


@dataclass(frozen=True, slots=True, eq=False)
class Negation:
    """NOT."""

    part: "Node"
    depth: int


@dataclass(frozen=True, slots=True, eq=False)
class Junction:
    """Several conditions, joined by AND (`every`) or by OR; the most deeply nested first."""

    every: bool
    parts: Sequence["Node"]
    depth: int


Node = Leaf | IsNull | IsTrue | BothColumns | Constant | Negation | Junction


def negated(node: Node) -> Node:
    """NOT of a condition."""
    return node.part if isinstance(node, Negation) else Negation(node, node.depth + 1)


def joined(every: bool, nodes: Iterable[Node]) -> Node:
    """The conditions joined by AND (`every`) or OR, each once; equalities become one list."""
    parts: dict[Node, None] = {}
    for node in nodes:
        is_same = isinstance(node, Junction) and node.every == every
        parts.update(dict.fromkeys(node.parts if is_same else [node]))  # type: ignore[union-attr]
    found = list(parts) if every else _equalities_as_lists(parts)
    if len(found) == 1:
        return found[0]
    found.sort(key=lambda node: -node.depth)
    return Junction(every, found, found[0].depth + 1)


def _equalities_as_lists(nodes: Iterable[Node]) -> list[Node]:
    """`a = 1 OR a = 2` as `a IN (1, 2)`: one look at each record, however many there are."""
    values: dict[Column, list[Value]] = {}
    others: list[Node] = []
    for node in nodes:
        if isinstance(node, Leaf) and isinstance(node.test, OneOf):
            values.setdefault(node.column, []).extend(node.test.values)
        elif isinstance(node, Leaf) and isinstance(node.test, Comparison) and node.test.sign == "=":
            values.setdefault(node.column, []).append(node.test.value)
        else:
            others.append(node)
    return [Leaf(column, OneOf(tuple(found))) for column, found in values.items()] + others
