"""Thrift's compact form, in which Parquet writes its footer and the header of every page.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from typing import Any

DEEPEST = 32
TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = range(1, 14)

Fields = dict[int, Any]
"""The fields of a struct by their number."""


class ThriftReader:
    """Reads structs out of bytes, from `place` on; raises ValueError where they are damaged."""

    def __init__(self, content: bytes, place: int = 0) -> None:
        self.place = place
        self._content = content
        self._deep = 0

    def struct(self) -> Fields:
        """The fields of the struct that starts here."""
        self._deep += 1
        if self._deep > DEEPEST:
            raise ValueError("structs within structs without end")
        fields: Fields = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            fields[number] = kind == TRUE if kind <= FALSE else self._value(kind)
        self._deep -= 1
        return fields

    def _value(self, kind: int) -> Any:
        if kind in (I32, I64, I16):
            return self._integer()
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind == STRUCT:
            return self.struct()
        if kind in (LIST, SET):
            return self._list()
        if kind == MAP:
            return self._map()
        return self._short(kind)

    def _short(self, kind: int) -> Any:
        if kind in (TRUE, FALSE, BYTE):  # within a list, a boolean is a byte
            return self._byte()
        if kind == DOUBLE:
            return self._bytes(8)
        if kind == UUID:
            return self._bytes(16)
        raise ValueError(f"a field of kind {kind}")

    def _list(self) -> list[Any]:
        head = self._byte()
        size = head >> 4
        if size == 15:
            size = self._varint()
        self._check(size)
        return [self._value(head & 15) for _ in range(size)]

    def _map(self) -> list[tuple[Any, Any]]:
        size = self._varint()
        if not size:
            return []
        self._check(size)
        kinds = self._byte()
        return [(self._value(kinds >> 4), self._value(kinds & 15)) for _ in range(size)]

    def _byte(self) -> int:
        if self.place >= len(self._content):
            raise EndOfThriftError
        self.place += 1
        return self._content[self.place - 1]

    def _bytes(self, size: int) -> bytes:
        self._check(size)
        self.place += size
        return self._content[self.place - size : self.place]

    def _check(self, size: int) -> None:
        """Every item of a list takes a byte at least, so a count that exceeds the rest is a lie."""
        if size > len(self._content) - self.place:
            raise EndOfThriftError

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")
        return value | byte << shift

    def _integer(self) -> int:
        zigzag = self._varint()
        return zigzag >> 1 ^ -(zigzag & 1)


class EndOfThriftError(ValueError):
    """The bytes end before the struct does."""

    def __init__(self) -> None:
        super().__init__("ends before it is complete")
