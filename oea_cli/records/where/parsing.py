"""From the text of a condition to its tree.

    condition = [NOT] ( "(" condition ")" | predicate ), joined by AND and OR, AND first
    predicate = operand sign operand | column [NOT] IN (value, ...) | column [NOT] LIKE 'pattern'
              | column [NOT] BETWEEN value AND value | column IS [NOT] NULL | column | TRUE | FALSE
    operand   = column | value          value = number | 'text' | TRUE | FALSE | NULL

Nothing recurses: a condition may be nested as deep, and be as long, as it likes.
"""

from oea_cli.records.where.condition import (
    BothColumns,
    Column,
    Constant,
    IsNull,
    IsTrue,
    Leaf,
    Node,
    joined,
    negated,
)
from oea_cli.records.where.predicates import (
    SIGNS,
    Between,
    Comparison,
    Like,
    OneOf,
    Value,
    kinds_of,
)
from oea_cli.records.where.tokens import Token, tokens_of, wrong

PRECEDENCE = {"(": 0, "OR": 1, "AND": 2, "NOT": 3}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
LITERALS: dict[str, Value] = {"TRUE": True, "FALSE": False, "NULL": None}
NO_CALCULATION = "conditions compare values and do not calculate"


def parse_condition(text: str) -> Node:
    """The tree of a condition; raises UsageError that names the place of what is wrong."""
    return _Parser(text).tree()


class _Parser:
    """Reads tokens from left to right; what waits for its right side is kept on two stacks."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens_of(text)
        self._place = 0
        self._nodes: list[Node] = []
        self._waiting: list[Token] = []

    def tree(self) -> Node:
        while True:
            while opening := self._take("NOT", "("):
                self._waiting.append(opening)
            self._nodes.append(self._predicate())
            while closing := self._take(")"):
                self._close(closing)
            if self._now.kind == "end":
                break
            self._join()
        self._reduce(0)
        if self._waiting:
            raise wrong(
                self._waiting[-1].at, "the parenthesis that opens here is not closed", "add a )"
            )
        return self._nodes[0]

    def _join(self) -> None:
        connective = self._take("AND", "OR")
        if connective is None:
            hint = "join conditions with AND or OR"
            if self._now.kind == "sign" and self._now.value in ("+", "-"):
                hint = NO_CALCULATION
            raise wrong(self._now.at, f"{self._now.shown} cannot stand here", hint)
        self._reduce(PRECEDENCE[str(connective.value)])
        self._waiting.append(connective)

    def _close(self, closing: Token) -> None:
        self._reduce(0)
        if not self._waiting:
            raise wrong(closing.at, "the parenthesis that closes here was not opened", "add a (")
        self._waiting.pop()

    def _reduce(self, least: int) -> None:
        """Join what waits on the stack and binds more closely than `least`."""
        while self._waiting and PRECEDENCE[str(self._waiting[-1].value)] > least:
            word = self._waiting.pop().value
            if word == "NOT":
                self._nodes.append(negated(self._nodes.pop()))
                continue
            count = 2
            while self._waiting and self._waiting[-1].value == word:
                self._waiting.pop()
                count += 1
            self._nodes[-count:] = [joined(word == "AND", self._nodes[-count:])]

    def _predicate(self) -> Node:
        start = self._now
        left = self._operand()
        sign = self._take(*SIGNS)
        if sign is not None:
            return self._comparison(left, sign)
        if not isinstance(left, Column):
            return self._constant(left, start)
        if self._take("IS"):
            is_not = self._take("NOT")
            self._expect("NULL")
            return negated(IsNull(left)) if is_not else IsNull(left)
        is_not = self._take("NOT")
        node = self._test(left)
        if node is not None:
            return negated(node) if is_not else node
        if is_not:
            raise wrong(
                self._now.at, f"{self._now.shown} cannot stand after NOT", "IN, LIKE or BETWEEN do"
            )
        if self._now.kind == "sign" and self._now.value == "(":
            raise wrong(
                start.at, f"{start.shown} would be a function", "there is none; ILIKE ignores case"
            )
        return IsTrue(left)

    def _comparison(self, left: Column | Value, sign: Token) -> Node:
        """A comparison, the column first."""
        right = self._operand()
        name = str(sign.value)
        if isinstance(left, Column):
            if isinstance(right, Column):
                return BothColumns(left, name, right)
            return Leaf(left, Comparison(name, right))
        if isinstance(right, Column):
            return Leaf(right, Comparison(MIRRORED.get(name, name), left))
        if len(kinds_of([left, right])) > 1:
            raise wrong(
                sign.at, f"{left!r:.40} and {right!r:.40} cannot be compared", "give two of a kind"
            )
        return Constant(None if None in (left, right) else bool(SIGNS[name](left, right)))

    def _constant(self, value: Value, start: Token) -> Node:
        if value is None or isinstance(value, bool):
            return Constant(value)
        raise wrong(
            start.at, f"{start.shown} is no condition", "name a column and compare it with a value"
        )

    def _test(self, column: Column) -> Node | None:
        """What follows the name of a column: IN, BETWEEN or LIKE; None for anything else."""
        if self._take("IN"):
            return Leaf(column, self._list())
        if self._take("BETWEEN"):
            return self._between(column)
        word = self._take("LIKE", "ILIKE")
        return Leaf(column, self._like(word.value == "ILIKE")) if word else None

    def _between(self, column: Column) -> Node:
        start = self._now
        low = self._value("BETWEEN")
        self._expect("AND")
        high = self._value("BETWEEN")
        if len(kinds_of([low, high])) > 1:
            raise wrong(start.at, "BETWEEN takes two values of a kind", "give numbers or texts")
        if low is None or high is None:
            ends = Comparison(">=", low), Comparison("<=", high)
            return joined(True, [Leaf(column, end) for end in ends])
        return Leaf(column, Between(low, high))

    def _list(self) -> OneOf:
        self._expect("(")
        values = [self._value("IN")]
        while self._take(","):
            values.append(self._value("IN"))
        self._expect(")")
        return OneOf(tuple(values))

    def _like(self, ignore_case: bool) -> Like:
        pattern = self._text("a pattern such as '%dog%'")
        escape = None
        if self._take("ESCAPE"):
            start = self._now
            escape = self._text("a character")
            if len(escape) != 1:
                raise wrong(start.at, f"{start.shown} is not one character", r"write ESCAPE '\'")
        return Like(pattern, escape, ignore_case)

    def _text(self, what: str) -> str:
        token = self._now
        if token.kind != "value" or not isinstance(token.value, str):
            raise wrong(
                token.at, f"{what} must stand here, not {token.shown}", "put it between ' and '"
            )
        self._place += 1
        return token.value

    def _value(self, word: str) -> Value:
        start = self._now
        value = self._operand()
        if isinstance(value, Column):
            hint = f"text stands in single quotes: '{start.value}'"
            raise wrong(
                start.at, f"{word} takes values, not the name of a column ({start.shown})", hint
            )
        return value

    def _operand(self) -> Column | Value:
        sign = self._take("-", "+")
        token = self._now
        self._place += 1
        if sign is not None:
            is_number = token.kind == "value" and not isinstance(token.value, str)
            if not is_number:
                raise wrong(sign.at, f"{sign.shown} must stand before a number", NO_CALCULATION)
            return -token.value if sign.value == "-" else token.value  # type: ignore[operator]
        if token.kind == "value":
            return token.value
        if token.kind == "column":
            return self._column(str(token.value))
        if token.kind == "word" and token.value in LITERALS:
            return LITERALS[str(token.value)]
        raise wrong(token.at, f"a column or a value must stand here, not {token.shown}")

    def _column(self, name: str) -> Column:
        parts = [name]
        while self._take("."):
            token = self._now
            if token.kind != "column":
                raise wrong(
                    token.at,
                    f"{token.shown} cannot stand after a dot",
                    "a key must, as in meta.kind",
                )
            parts.append(str(token.value))
            self._place += 1
        return Column(tuple(parts))

    def _take(self, *wanted: str) -> Token | None:
        """The token at hand if it is one of these words and signs, and on to the next."""
        token = self._now
        if token.kind not in ("word", "sign") or token.value not in wanted:
            return None
        self._place += 1
        return token

    def _expect(self, wanted: str) -> None:
        if self._take(wanted) is None:
            raise wrong(self._now.at, f"{wanted} must stand here, not {self._now.shown}")

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]
