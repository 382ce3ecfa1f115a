"""Names by their folded form, among millions, without a dictionary of them all."""

from collections.abc import Callable, Collection
from functools import cache, cached_property
from typing import TYPE_CHECKING

from oea_cli.records.folders import AUDIO_SUFFIXES

if TYPE_CHECKING:
    import polars as pl

KeyOf = Callable[[str], str]


class FoldedNames:
    """Names without suffix, case, and what writes one path in two ways.

    `path_of` says what becomes of one name, `file_name_of` what of its last part. All keys are made
    at once, by columns; only the few names with which that may go otherwise are given to the two.
    """

    def __init__(self, names: Collection[str], path_of: KeyOf, file_name_of: KeyOf) -> None:
        import polars as pl

        self._path_of, self._file_name_of = path_of, file_name_of
        self._names = pl.Series(list(names), dtype=pl.String)
        is_ascii = (self._names.str.len_bytes() == self._names.str.len_chars()).all()
        self._odd = self._names.str.contains_any(["./", "/.", "//", "\\"])
        self._odd |= self._names.str.starts_with(".")
        if not is_ascii:
            self._odd |= self._names.str.contains(f"[{_folded_otherwise()}]")
        form = self._names if is_ascii else self._names.str.normalize("NFC")
        self._lower = form.str.to_lowercase()

    def with_path(self, key: str) -> list[str]:
        """The names whose folded path this is, in their order."""
        return self._names.gather(self._by_path.places_of(key)).to_list()

    def with_file_name(self, key: str) -> list[str]:
        """The names whose folded last part this is, in their order."""
        return self._names.gather(self._by_file_name.places_of(key)).to_list()

    @cached_property
    def _by_path(self) -> "_Places":
        return _Places(self._keys(self._lower, self._path_of))

    @cached_property
    def _by_file_name(self) -> "_Places":
        if not self._lower.str.contains_any(["/", "\\"]).any():
            return self._by_path
        return _Places(self._keys(self._lower.str.replace(r"(?s)^.*/", ""), self._file_name_of))

    def _keys(self, lower: "pl.Series", key_of: KeyOf) -> "pl.Series":
        suffixes = "|".join(sorted(suffix[1:] for suffix in AUDIO_SUFFIXES))
        keys = lower.str.replace(rf"\.(?:{suffixes})$", "")
        odd = self._odd.arg_true()
        return keys.scatter(odd, [key_of(name) for name in self._names.gather(odd)])


class _Places:
    """Where each key stands in a column."""

    def __init__(self, keys: "pl.Series") -> None:
        import numpy as np

        self._keys = keys
        hashes = keys.hash().to_numpy()
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]

    def places_of(self, key: str) -> "pl.Series":
        import polars as pl

        hashed = pl.Series([key], dtype=pl.String).hash().to_numpy()[0]
        first = int(self._hashes.searchsorted(hashed, "left"))
        last = int(self._hashes.searchsorted(hashed, "right"))
        places = pl.Series(self._order[first:last])
        return places.filter(self._keys.gather(places) == key)


@cache
def _folded_otherwise() -> str:
    """The characters that folding changes and lower case does not, or only at a word's end."""
    every = map(chr, range(0x80, 0x1E944))
    return "\u03a3" + "".join(one for one in every if one.casefold() != one.lower())
