"""Checks a saved graph before usearch maps it, which believes every number in it.

A link to a node that is not there reads memory outside the file: the process ends by a signal. The
file is, all little-endian:

    rows, bytes of a row (uint32 each), then the vectors, rows x bytes
    64 bytes: "usearch", its version, kinds of numbers, counts, dimension
    number of nodes, links a node above the ground level, on it, top level, entry (uint64 each)
    the level of every node (int16)
    every node: its key (uint64), its level (int16); for each level, the ground first, the number
    of links (uint32) and room for all links (uint32 each)

Only links are looked at, some 150 bytes a row, not the vectors: those change what is found, but
can break nothing.
"""

import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from oea_cli.errors import OeaError

MATRIX_HEAD, COUNTS = struct.Struct("<II"), struct.Struct("<5Q")
HEAD = struct.Struct("<7s6sBBBB3Q23x")
COSINE, KEY, SLOT = ord("c"), 14, 15  # by cosine; keys are uint64, links uint32
NODES_AT_ONCE = 1 << 16
MOST_LINKS = 4096


class Layout(NamedTuple):
    """Where the nodes of a graph lie, and how large they are."""

    num_nodes: int
    upper_links: int
    ground_links: int
    top_level: int
    entry: int
    levels_at: int

    @property
    def ground(self) -> np.dtype[Any]:
        """A node without what it has above the ground level."""
        links = ("links", "<u4", (self.ground_links,))
        return np.dtype([("key", "<u8"), ("level", "<i2"), ("count", "<u4"), links])

    @property
    def upper(self) -> np.dtype[Any]:
        """What a node has on one level above."""
        return np.dtype([("count", "<u4"), ("links", "<u4", (self.upper_links,))])


def check_graph(path: Path, num_rows: int, dim: int, bytes_per_number: int) -> None:
    """Raise OeaError where a file holds no graph of `num_rows` vectors, linked to each other.

    Raises FileNotFoundError where there is no such file.
    """
    try:
        _check(np.memmap(path, np.uint8, "r"), num_rows, dim, bytes_per_number)
    except ValueError as error:
        raise OeaError(
            f"{path}: the graph is damaged ({error}); copy it again, or build the index again"
        ) from error


def _check(content: npt.NDArray[np.uint8], num_rows: int, dim: int, bytes_per_number: int) -> None:
    layout = _layout(content, num_rows)
    _check_head(content, layout, dim, dim * bytes_per_number)
    nodes_at = layout.levels_at + 2 * layout.num_nodes
    levels = content[layout.levels_at : nodes_at].view("<i2").astype(np.int64)
    _require(not len(levels) or 0 <= levels.min() <= levels.max() <= layout.top_level, "levels")
    sizes = layout.ground.itemsize + levels * layout.upper.itemsize
    ends = nodes_at + np.cumsum(sizes)
    _require(nodes_at + int(sizes.sum()) == len(content), "size")
    _require(levels[layout.entry] == layout.top_level, "entry")
    for start in range(0, layout.num_nodes, NODES_AT_ONCE):
        part = slice(start, start + NODES_AT_ONCE)
        _check_nodes(content, layout, levels, part, (ends - sizes)[part])


def _layout(content: npt.NDArray[np.uint8], num_rows: int) -> Layout:
    """What the head of the file says; raises ValueError where that is impossible."""
    size = len(content)
    _require(size >= MATRIX_HEAD.size, "size")
    rows, row_bytes = MATRIX_HEAD.unpack(content[: MATRIX_HEAD.size].tobytes())
    head = MATRIX_HEAD.size + rows * row_bytes
    counts = head + HEAD.size
    _require(counts + COUNTS.size <= size, "size")
    found = COUNTS.unpack(content[counts : counts + COUNTS.size].tobytes())
    layout = Layout._make((*found, counts + COUNTS.size))
    _require(rows == layout.num_nodes == num_rows, f"{layout.num_nodes} of {num_rows} rows")
    _require(0 < layout.upper_links <= MOST_LINKS, "links")
    _require(0 < layout.ground_links <= MOST_LINKS, "links")
    _require(layout.top_level < 1 << 15 and layout.entry < num_rows, "entry")
    _require(layout.levels_at + 2 * num_rows <= size, "size")
    return layout


def _check_head(content: npt.NDArray[np.uint8], layout: Layout, dim: int, row_bytes: int) -> None:
    """What the vectors are, and how they are compared."""
    head = content[layout.levels_at - COUNTS.size - HEAD.size : layout.levels_at - COUNTS.size]
    name, _, metric, _, key, slot, present, deleted, found_dim = HEAD.unpack(head.tobytes())
    _require((name, metric, key, slot) == (b"usearch", COSINE, KEY, SLOT), "head")
    _require((present, deleted, found_dim) == (layout.num_nodes, 0, dim), "counts")
    _require(int.from_bytes(content[4:8].tobytes(), "little") == row_bytes, "size of a vector")


def _check_nodes(
    content: npt.NDArray[np.uint8],
    layout: Layout,
    levels: npt.NDArray[np.int64],
    part: slice,
    places: npt.NDArray[np.int64],
) -> None:
    """Check some nodes that begin at `places`."""
    own = levels[part]
    nodes = _gathered(content, places, layout.ground)
    _require(bool((nodes["level"] == own).all()), "levels")
    _require(bool((nodes["key"] < layout.num_nodes).all()), "keys")
    _check_links(nodes, levels, 0)
    places = places + layout.ground.itemsize
    for level in range(1, int(own.max(initial=0)) + 1):
        chosen = own >= level
        above = _gathered(content, places[chosen], layout.upper)
        _check_links(above, levels, level)
        places = places + layout.upper.itemsize


def _gathered(
    content: npt.NDArray[np.uint8], places: npt.NDArray[np.int64], kind: np.dtype[Any]
) -> npt.NDArray[Any]:
    """The structures that begin at `places`, one after the other."""
    windows = np.lib.stride_tricks.sliding_window_view(content, kind.itemsize)
    return np.ascontiguousarray(windows[places]).view(kind)[:, 0]


def _check_links(nodes: npt.NDArray[Any], levels: npt.NDArray[np.int64], level: int) -> None:
    """Every link must lead to a node that has the level, too."""
    counts, links = nodes["count"], nodes["links"]
    _require(bool((counts <= links.shape[1]).all()), "links")
    used = links[np.arange(links.shape[1]) < counts[:, None]]
    _require(not len(used) or int(used.max()) < len(levels), "links")
    _require(not level or bool((levels[used] >= level).all()), "links")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)
