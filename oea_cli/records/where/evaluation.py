"""The rows that fulfil a condition."""

import operator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from oea_cli.errors import UsageError
from oea_cli.records.text import nfc
from oea_cli.records.where.columns import Columns, RecordTable, held_by
from oea_cli.records.where.condition import (
    BothColumns,
    Column,
    Constant,
    IsNull,
    IsTrue,
    Junction,
    Leaf,
    Negation,
    Node,
)
from oea_cli.records.where.parsing import parse_condition
from oea_cli.records.where.predicates import KINDS, SIGNS, Comparison
from oea_cli.records.where.values import ColumnValues, Mask, Truth, constant

_JOIN = {"AND": operator.and_, "OR": operator.or_}


@dataclass(frozen=True)
class Condition:
    """A condition over the keys of records."""

    root: Node

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a condition; raises UsageError naming the place of what is wrong."""
        return cls(parse_condition(text))

    def rows(self, table: RecordTable) -> Mask:
        """Which rows (N,) fulfil it.

        Raises UsageError for a column that no record has, and for a comparison with a value of a
        kind that a column nowhere holds.
        """
        columns = Columns(table)
        found: list[Truth] = []
        for step in _steps(self.root):
            if step == "NOT":
                found.append(~found.pop())
            elif isinstance(step, str):
                found.append(_JOIN[step](found.pop(), found.pop()))
            else:
                found.append(_truth(step, columns, table.num_rows))
        return found[0].true


def _steps(root: Node) -> list[Node | str]:
    """The leaves and what joins them, in an order that holds few results at a time."""
    steps: list[Node | str] = []
    waiting: list[Node | str] = [root]
    while waiting:
        step = waiting.pop()
        match step:
            case Negation(part=part):
                waiting += [part, "NOT"]
            case Junction(every=every, parts=parts):
                waiting.append(parts[0])
                for part in parts[1:]:
                    waiting += [part, "AND" if every else "OR"]
            case _:
                steps.append(step)
    return steps[::-1]


def _truth(node: Node, columns: Columns, num_rows: int) -> Truth:
    match node:
        case Leaf(column=column, test=test):
            return columns.values(column, compared_with=test.values).under(test)
        case IsNull(column=column):
            present = columns.values(column).present
            return Truth(~present, present)
        case IsTrue(column=column):
            return _flag(column, columns)
        case BothColumns(left=left, sign=sign, right=right):
            return _compared(left, sign, right, columns)
        case Constant(truth=truth):
            return constant(truth, num_rows)
    raise AssertionError(f"{node} is not a leaf")


def _flag(column: Column, columns: Columns) -> Truth:
    values = columns.values(column)
    if values.kinds - {"boolean"}:
        raise UsageError(
            f"--where: {column} holds {held_by(values)} and is no condition by itself; "
            "compare it with a value"
        )
    return values.under(Comparison("=", True))


def _compared(left: Column, sign: str, right: Column, columns: Columns) -> Truth:
    sides = columns.values(left), columns.values(right)
    if not sides[0].kinds & sides[1].kinds and all(side.kinds for side in sides):
        raise UsageError(
            f"--where: {left} holds {held_by(sides[0])} and {right} {held_by(sides[1])}; "
            "two columns must be of a kind to be compared"
        )
    values = _singles(left, sides[0]), _singles(right, sides[1])
    truths = [_pair(sign, *pair) for pair in zip(*values, strict=True)]
    return Truth(*(np.array([one is truth for one in truths], bool) for truth in (True, False)))


def _singles(column: Column, values: ColumnValues) -> list[Any]:
    found = values.singles()
    if found is None:
        raise UsageError(f"--where: {column} holds lists; compare it with a value, not a column")
    return found


def _pair(sign: str, left: Any, right: Any) -> bool | None:
    """The comparison of two values of one record; None is NULL."""
    kinds = KINDS.get(type(left)), KINDS.get(type(right))
    if None in kinds:
        return None
    if kinds[0] != kinds[1]:
        return {"=": False, "!=": True}.get(sign)
    if kinds[0] == "text":
        left, right = nfc(left), nfc(right)
    return bool(SIGNS[sign](left, right))
