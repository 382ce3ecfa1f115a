"""The mark on the last row of a stream of vectors, by which a reader knows that none is missing.

The last row carries `"end": COUNT`, after its vector, COUNT being the rows of the stream. Where the
record has an `end` of its own, in seconds, the mark is called `"stream_end"`. Filters between
writer and reader may drop rows, and streams may follow each other: the mark says that the writer
came to its end, and that all its rows lie before it.
"""

from oea_cli.records.rows import Record

END = "end"
OTHER_END = "stream_end"


def end_mark(record: Record, count: int) -> Record:
    """What the last record of a stream of `count` rows gets after its vector."""
    return {OTHER_END if END in record else END: count}


def take_end(row: Record) -> int | None:
    """Remove the mark from a row with its vector, and return its count; None where there is none.

    A record's own `end` comes before the vector, or together with a `start`.
    """
    mark: int | None = None
    if OTHER_END in row:
        mark = row.pop(OTHER_END)
    elif END in row and isinstance(row[END], int) and "start" not in row and _is_last(row):
        mark = row.pop(END)
    return mark


def _is_last(row: Record) -> bool:
    keys = list(row)
    return "encoder" in row and keys.index(END) > keys.index("encoder")


class EndCheck:
    """Counts the rows of a stream and its marks."""

    def __init__(self) -> None:
        self._rows = self._marked = self._since = 0
        self._too_many = False

    def add(self, mark: int | None) -> None:
        """Count a row, with its mark."""
        self._rows += 1
        self._since += 1
        if mark is not None:
            self._marked += mark
            self._too_many |= self._since > mark
            self._since = 0

    @property
    def is_complete(self) -> bool:
        """Whether every stream that was put together here came to its end.

        Either the marks count exactly the rows that are there, in whatever order they came; or
        each mark comes last of no more rows than it counts, because a filter dropped some.
        """
        return self._rows == self._marked or not (self._since or self._too_many)
