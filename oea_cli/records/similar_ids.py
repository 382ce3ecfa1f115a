"""Which ids somebody may have meant, among millions, in a fraction of a second."""

from collections.abc import Iterable
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt
import polars as pl

from oea_cli.records.ids import WINDOW_MARK

SHOWN = 3
COMPARED = 300
"""So many ids, those that share most with the one in question, are compared letter by letter."""
MOST_PIECES = 12
PIECE_LETTERS = 3
SAMPLE = 1000
COMMON = 0.9
"""A piece that so many ids have, such as the name of their folder, tells them not apart."""


def did_you_mean(id: str, known: Iterable[str] | pl.Series) -> str:
    """`; did you mean X, Y?`, or nothing where nothing is near."""
    found = similar_ids(id, known)
    return f"; did you mean {', '.join(found)}?" if found else ""


def similar_ids(id: str, known: Iterable[str] | pl.Series) -> list[str]:
    """The windows of the clip that has this id or, where there is none, the ids most like it."""
    ids = known if isinstance(known, pl.Series) else pl.Series(list(known), dtype=pl.String)
    windows = ids.filter(ids.str.starts_with(id + WINDOW_MARK)).head(SHOWN)
    if len(windows):
        return windows.to_list()
    near = ids.gather(_sharing_most(id, ids)).to_list()
    folded = {name.casefold(): name for name in reversed(near)}
    found = get_close_matches(id.casefold(), folded, n=SHOWN)
    return [folded[name] for name in found]


def _sharing_most(id: str, ids: pl.Series) -> npt.NDArray[np.int64]:
    """The places of the ids that share most pieces of some letters with this one."""
    if len(ids) <= COMPARED:
        return np.arange(len(ids))
    lower = ids.str.to_lowercase()
    shared = np.zeros(len(ids), np.int32)
    for piece in _telling(_pieces(id.lower()), lower):
        shared += lower.str.contains(piece, literal=True).to_numpy()
    differing = np.abs(ids.str.len_chars().to_numpy().astype(np.int32) - len(id))
    # What shares as much is nearer the less its length differs.
    order = shared * 1024 - np.minimum(differing, 1023)
    return np.sort(np.argpartition(-order, COMPARED)[:COMPARED])


def _pieces(id: str) -> list[str]:
    """The overlapping pieces of an id."""
    size = min(PIECE_LETTERS, len(id))
    return list(dict.fromkeys(id[start : start + size] for start in range(len(id) - size + 1)))


def _telling(pieces: list[str], ids: pl.Series) -> list[str]:
    """Some of the pieces, evenly spread, that not nearly all ids have."""
    sample = ids.gather_every(max(1, len(ids) // SAMPLE))
    few = [one for one in pieces if _share(one, sample) < COMMON]
    return few[:: -(-len(few) // MOST_PIECES) or 1]


def _share(piece: str, ids: pl.Series) -> float:
    return float(ids.str.contains(piece, literal=True).to_numpy().mean())
