"""Generators of damage: from whole content and a source of randomness to damaged content."""

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

import orjson

INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x0D, 0x22, 0x2C, 0x5B, 0x7B)
LIES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 255, 2**31, 2**32, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1,
    0.5, -0.0, 1e308, "", "x", "..", "../x", "/etc/passwd", "/dev/zero", "a" * 300, "\x00",
    "\x1b[31m", "\ud7ff", [], {}, [None], [[]], {"a": {}}, [0] * 50,
)  # fmt: skip


def damaged_bytes(random: Random, whole: bytes) -> bytes:
    """One to four bytes changed, bits flipped, runs cut out, doubled, moved, or the end cut off."""
    content = bytearray(whole)
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        random.choice(_BYTE_CHANGES)(random, content)
    return bytes(content)


def changed_bytes(random: Random, whole: bytes) -> bytes:
    """One to four bytes changed; everything stays in its place."""
    content = bytearray(whole)
    for _ in range(random.randint(1, 4)):
        random.choice((_set_byte, _flip_bit))(random, content)
    return bytes(content)


def _set_byte(random: Random, content: bytearray) -> None:
    if content:
        content[random.randrange(len(content))] = random.choice(
            (*INTERESTING, random.randrange(256))
        )


def _flip_bit(random: Random, content: bytearray) -> None:
    if content:
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def _cut_out(random: Random, content: bytearray) -> None:
    start, stop = _span(random, content)
    del content[start:stop]


def _double(random: Random, content: bytearray) -> None:
    start, stop = _span(random, content)
    content[stop:stop] = content[start:stop]


def _overwrite(random: Random, content: bytearray) -> None:
    start, stop = _span(random, content)
    content[start:stop] = random.choice((b"\x00", b"\xff", b" ")) * (stop - start)


def _insert(random: Random, content: bytearray) -> None:
    place = random.randrange(len(content) + 1)
    content[place:place] = random.randbytes(random.choice((1, 2, 4, 8)))


def _truncate(random: Random, content: bytearray) -> None:
    del content[random.randrange(len(content) + 1) :]


def _number(random: Random, content: bytearray) -> None:
    """Put a small, large or negative number over 4 or 8 bytes."""
    size = random.choice((4, 8))
    if len(content) > size:
        place = random.randrange(len(content) - size)
        value = random.choice(
            (0, 1, -1, 2 ** (size * 8 - 1) - 1, -(2 ** (size * 8 - 1)), len(content))
        )
        content[place : place + size] = value.to_bytes(
            size, random.choice(("little", "big")), signed=True
        )


_BYTE_CHANGES: tuple[Callable[[Random, bytearray], None], ...] = (
    _set_byte, _set_byte, _flip_bit, _flip_bit, _cut_out, _double, _overwrite, _insert,
    _truncate, _number,
)  # fmt: skip


def _span(random: Random, content: bytearray) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.choice((1, 2, 4, 8, 16, 64, 256)))


def lying_json(random: Random, whole: bytes) -> bytes:
    """JSON that is still JSON: one or two values, keys or items are others, missing or doubled."""
    document = orjson.loads(whole)
    for _ in range(random.choice((1, 1, 2))):
        document = _lie(random, document)
    try:
        return orjson.dumps(document)
    except (TypeError, orjson.JSONEncodeError):
        return repr(document).encode("utf-8", "surrogatepass")


def _lie(random: Random, document: Any) -> Any:
    places = list(_places(document))
    if not places:
        return _any_lie(random)
    holder, key = random.choice(places)
    match random.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.insert(0, holder[key])
        case 2:
            other, other_key = random.choice(places)
            holder[key] = orjson.loads(orjson.dumps(other[other_key]))
        case 3 if isinstance(holder[key], int | float):
            value = holder[key]
            holder[key] = random.choice((value + 1, value - 1, -value, float(value), str(value)))
        case 4 if isinstance(holder, dict):
            holder[random.choice(("", "x", "format", "__class__"))] = _any_lie(random)
        case _:
            holder[key] = _any_lie(random)
    return document


def _any_lie(random: Random) -> Any:
    return deepcopy(random.choice(LIES))


def _places(document: Any) -> Any:
    """Every (holder, key) of a document."""
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in list(items):
        yield document, key
        yield from _places(value)


def damaged_lines(random: Random, whole: bytes) -> bytes:
    """Lines of text left out, doubled, swapped or joined, with other ends, marks and encodings."""
    lines = whole.split(b"\n")
    place = random.randrange(len(lines))
    match random.randrange(6):
        case 0:
            del lines[place]
        case 1:
            lines.insert(random.randrange(len(lines)), lines[place])
        case 2:
            lines[place] = random.choice(
                (b"", b" ", b"\t", b'"', b"{}", b"null", b"[]", b"\xff\xfe", b"\x00")
            )
        case 3:
            lines[place] = lines[place][: random.randrange(len(lines[place]) + 1)]
        case 4:
            return b"\n".join(lines).replace(
                b"\n", random.choice((b"\r", b"\r\n", b"", b"\n\n", b"\x00"))
            )
        case _:
            return _recoded(random, whole)
    return b"\n".join(lines)


def _recoded(random: Random, whole: bytes) -> bytes:
    codec = random.choice(
        ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32", "cp1252", "cp037")
    )
    return whole.decode("utf-8", "replace").encode(codec, "replace")


def any_of(*mutations: Callable[[Random, bytes], bytes]) -> Callable[[Random, bytes], bytes]:
    """A generator that is one of several, chosen for each input."""
    return lambda random, whole: random.choice(mutations)(random, whole)
