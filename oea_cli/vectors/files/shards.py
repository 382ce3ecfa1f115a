"""Vectors as a folder of numbered shards and a manifest written last: large, resumable sets.

    DIR/audio_emb/audio_emb_0000.npy        rows of one shard (text_emb/text_emb_0000.npy for texts)
    DIR/metadata/metadata_0000.parquet      their records, same order; clip-retrieval's layout + id
    DIR/sources/sources_0000.parquet        what its inputs were: see done_inputs.py
    DIR/manifest.json                       encoder, dimension, counts, sha256 per file

Several jobs may write parts of one folder: see `parts.py`. A shard is complete when its metadata
file is there, which is written after its vectors and names their encoder: that is all that a later
run needs to continue. A shard never ends between two windows of one clip, so a clip is either done
or not. Readers ignore the sums, which are for `sha256sum`.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import orjson

from oea_cli.errors import OeaError
from oea_cli.records.artefacts import (
    AtomicFile,
    named_when_full,
    remove_leftovers,
    sha256_of,
    write_whole,
)
from oea_cli.records.columns import open_parquet, plan_columns, records_of
from oea_cli.records.ids import clip_of, is_window
from oea_cli.records.locks import locked
from oea_cli.records.parquet_files import write_parquet
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors, unit_rows
from oea_cli.vectors.batch import Batch, EmbeddingReader, numbered
from oea_cli.vectors.files.done_inputs import DoneInputs
from oea_cli.vectors.files.matrix import MatrixFile, open_matrix
from oea_cli.vectors.files.parquet import key_values
from oea_cli.vectors.files.parts import (
    FOLDER_LOCK,
    MANIFEST,
    Notice,
    Part,
    advice,
    claimed,
    difference,
    missing_parts,
    num_parts,
    part_manifests,
    part_of,
    settings_of,
)
from oea_cli.vectors.files.shard_manifest import (
    check_settings,
    check_shard,
    read_manifest_file,
)
from oea_cli.vectors.files.writer import STORAGE_TYPES, Origin

Kind = Literal["audio", "text"]


def read_shards(folder: Path, batch_rows: int) -> EmbeddingReader:
    """Open a folder of shards; raises OeaError when its manifest is missing or does not match."""
    manifest = _read_manifest(folder)
    shards = manifest["shards"]
    batches = _batches(folder, shards, manifest["dim"], batch_rows)
    return EmbeddingReader(
        batches, manifest["encoder"], manifest["dim"], manifest.get("metadata", {})
    )


def is_shard_folder(folder: Path) -> bool:
    """Whether shards lie in a folder, all of them or those of a run that did not finish."""
    return (
        (folder / MANIFEST).exists()
        or any(folder.glob("metadata/metadata_*.parquet"))
        or any(part_manifests(folder))
    )


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        return read_manifest_file(folder / MANIFEST)
    except FileNotFoundError as error:
        raise OeaError(f"{folder}: no {MANIFEST}; {_why_no_manifest(folder)}") from error


def _why_no_manifest(folder: Path) -> str:
    if (folder / "index.json").exists():
        return "it is an index; give the vectors that it was made from"
    if not is_shard_folder(folder) and not (folder / "metadata").is_dir():
        return "not a folder of vectors"
    if (of := num_parts(folder)) > 1 and (missing := missing_parts(folder, of)):
        return advice(folder, missing, of)
    return "`oea embed` did not finish; run it again to continue where it stopped"


def _batches(
    folder: Path, shards: list[dict[str, Any]], dim: int, batch_rows: int
) -> Iterator[Batch]:
    row = 0
    for shard in shards:
        path = folder / shard["vectors"]
        vectors = open_matrix(path)
        if vectors.shape != (shard["count"], dim):
            raise OeaError(
                f"{path}: has the shape {vectors.shape}, but {MANIFEST} names "
                f"{(shard['count'], dim)}"
            )
        table = open_parquet(folder / shard["records"], batch_rows=batch_rows)
        start = 0
        for frame in table.frames:
            records = records_of(frame, table.description)
            part = vectors[start : start + len(records)]
            numbered(records, row + start, str(path))
            yield Batch(records, unit_rows(part, records, str(path)))
            start += len(records)
        if start != len(vectors):
            raise OeaError(f"{path}: {len(vectors)} vectors, but {start} records")
        row += start


class _Held(NamedTuple):
    """Rows that wait for their shard, and the shards that are stored.

    Always replaced as a whole: an interrupt may come between any two steps, and each row must then
    be either waiting or stored.
    """

    records: list[Record]
    vectors: list[Vectors]
    shards: list[dict[str, Any]]


class ShardSink:
    """Writes shards as rows come in, after those of an interrupted run; the manifest is last."""

    def __init__(
        self,
        folder: Path,
        origin: Origin,
        kind: Kind,
        shard_rows: int,
        resume: bool,
        part: Part,
        notice: Notice,
    ) -> None:
        self._folder = folder
        self._origin = origin
        self._kind = kind
        self._shard_rows = shard_rows
        self._part = part
        self._settings = settings_of(self._described(0, 0))
        self._held = _Held([], [], [])
        self._notice = notice
        self._inputs = DoneInputs(folder)
        if folder.exists() and not folder.is_dir():
            raise OeaError(f"{folder}: is a file, not a folder")
        if (folder / "index.json").exists():
            raise OeaError(
                f"{folder}: is an index; write vectors elsewhere and index them from there"
            )
        folder.mkdir(parents=True, exist_ok=True)
        with named_when_full(folder), locked(folder / FOLDER_LOCK):
            self._claim = claimed(folder, part, self._settings, notice)
            try:
                self._open(resume)
            except BaseException:
                self._claim.release()
                raise

    def is_done(self, record: Record) -> bool:
        """True when an earlier run has stored this clip, or all its windows, as it is now."""
        return self._inputs.is_done(record)

    def _described(self, count: int, dim: int) -> dict[str, Any]:
        """What a shard and a manifest say of themselves."""
        described = {**self._origin.description(count, dim), "kind": self._kind}
        part = {} if self._part.of == 1 else {"part": [self._part.number, self._part.of]}
        return described | part

    def _open(self, resume: bool) -> None:
        """Adopt what is there, or remove it; make the folders."""
        if resume:
            self._adopt()
        else:
            self._start_anew()
        for name in (f"{self._kind}_emb", "metadata"):
            (self._folder / name).mkdir(exist_ok=True)
            remove_leftovers(self._folder / name)
        remove_leftovers(self._folder)

    def _adopt(self) -> None:
        """Take this part's shards as done; of every other part, look at the settings of one."""
        seen: set[int] = set()
        for number, path in _numbered(self._folder.glob("metadata/metadata_*.parquet")):
            if number % self._part.of in seen:
                continue
            stored = open_parquet(path).metadata
            if "encoder" not in stored:
                raise OeaError(f"{path}: not written by oea; choose another folder")
            self._check_settings(check_settings(stored, path))
            if part_of(stored) == self._part:
                self._adopt_shard(number, path, stored)
            else:
                seen.add(number % self._part.of)
        self._inputs.ready()

    def _check_settings(self, stored: dict[str, Any]) -> None:
        found = settings_of(stored)
        if found != self._settings:
            raise OeaError(
                f"{self._folder}: holds {difference(found, self._settings)}; "
                "choose another folder, or --no-resume to start again"
            )

    def _adopt_shard(self, number: int, path: Path, stored: dict[str, Any]) -> None:
        said = check_shard(stored.get("shard"), path)
        shard = {"number": number, **said, "dim": stored["dim"]}
        if not _is_whole(self._folder / shard["vectors"], shard):
            self._inputs.unlink(number)
            path.unlink()
            return
        frames = open_parquet(path).frames
        self._inputs.adopt(number, [row_id for frame in frames for row_id in frame["id"]])
        self._held.shards.append(shard)

    def _start_anew(self) -> None:
        """Remove this part, and what does not fit to it; parts of the same settings stay."""
        # The manifest is removed first, so that nobody reads what is being removed.
        (self._folder / MANIFEST).unlink(missing_ok=True)
        for part, path in list(part_manifests(self._folder)):
            if part == self._part or part.of != self._part.of or self._is_other(read_json(path)):
                path.unlink()
        for number, path in _numbered(self._folder.glob("metadata/metadata_*.parquet")):
            if self._part.owns(number) or self._is_other(open_parquet(path).metadata):
                path.unlink()
                _unlink_vectors(self._folder, number)
                self._inputs.unlink(number)
        for number, path in _numbered(self._folder.glob("*_emb/*_emb_*.npy")):
            if self._part.owns(number):
                path.unlink()

    def _is_other(self, stored: dict[str, Any]) -> bool:
        return settings_of(stored) != self._settings

    def write(self, batch: Batch) -> None:
        """Collect the rows, and store a shard when there are enough."""
        records, vectors, shards = self._held
        if shards and shards[0]["dim"] != batch.vectors.shape[1]:
            raise OeaError(f"{self._folder}: holds vectors of {shards[0]['dim']} dimensions")
        self._held = _Held([*records, *batch.records], [*vectors, batch.vectors], shards)
        while len(self._held.records) >= self._shard_rows and (rows := self._whole_clips()):
            self._store(min(rows, self._boundary(self._shard_rows)))

    def _whole_clips(self) -> int:
        """How many waiting rows belong to clips that are surely complete."""
        records = self._held.records
        rows = len(records)
        if rows and is_window(last := records[-1]["id"]):
            while rows and clip_of(records[rows - 1]["id"]) == clip_of(last):
                rows -= 1
        return rows

    def _boundary(self, row: int) -> int:
        """The first row from `row` on at which another clip begins."""
        records = self._held.records
        clip = clip_of(records[row - 1]["id"])
        while row < len(records) and clip_of(records[row]["id"]) == clip:
            row += 1
        return row

    def _store(self, rows: int) -> None:
        records, parts, shards = self._held
        vectors = np.concatenate(parts)
        number = self._part.after(shards[-1]["number"] if shards else None)
        row_ids = [record["id"] for record in records[:rows]]
        self._inputs.store(number, row_ids)
        shard = self._store_shard(number, records[:rows], vectors[:rows])
        self._held = _Held(records[rows:], [vectors[rows:]], [*shards, shard])
        self._inputs.forget(row_ids)

    def _store_shard(self, number: int, records: list[Record], vectors: Vectors) -> dict[str, Any]:
        vectors_name = f"{self._kind}_emb/{self._kind}_emb_{number:04}.npy"
        with AtomicFile(self._folder / vectors_name) as temporary:
            matrix = MatrixFile(temporary, STORAGE_TYPES[self._origin.storage])
            matrix.append(vectors)
            matrix.close()
            digest = sha256_of(temporary)
        shard = {
            "vectors": vectors_name,
            "records": f"metadata/metadata_{number:04}.parquet",
            "count": len(records),
            "sha256": {"vectors": digest},
        }
        self._store_records(records, shard, vectors.shape[1])
        return {"number": number, **shard, "dim": vectors.shape[1]}

    def _store_records(self, records: list[Record], shard: dict[str, Any], dim: int) -> None:
        plan = plan_columns(records)
        described = self._described(len(records), dim) | {"shard": shard}
        with AtomicFile(self._folder / shard["records"]) as temporary:
            metadata = key_values(described, plan, plan.dtypes)
            write_parquet(plan.frame(records), temporary, metadata)

    def close(self) -> None:
        """Store the last shard, then the manifest of the part; with the last part, the folder's."""
        if self._held.records:
            self._store(len(self._held.records))
        said = self._inputs.summary()  # while the shards are those that it knows
        self._drop_replaced()
        shards = self._held.shards
        for shard in shards:
            shard["sha256"]["records"] = sha256_of(self._folder / shard["records"])
        count = sum(shard["count"] for shard in shards)
        manifest = self._described(count, shards[0]["dim"] if shards else 0)
        manifest["shards"] = [
            {key: shard[key] for key in ("vectors", "records", "count", "sha256")}
            for shard in shards
        ]
        with locked(self._folder / FOLDER_LOCK):
            _write_json(self._folder / self._part.manifest, manifest)
            if self._part.of > 1 and not missing_parts(self._folder, self._part.of):
                _write_json(self._folder / MANIFEST, self._joined())
        self._inputs.close()
        self._claim.release()
        if said:
            self._notice(f"{self._folder}: {said}")

    def _drop_replaced(self) -> None:
        """Write shards anew without the inputs that later ones hold, as they are now."""
        shards = self._held.shards
        numbers = [shard["number"] for shard in shards]
        if not self._inputs.replaced and numbers == list(self._wanted_numbers(shards)):
            return
        with locked(self._folder / FOLDER_LOCK):  # nobody reads what is being replaced
            for name in (self._part.manifest, MANIFEST):
                (self._folder / name).unlink(missing_ok=True)
        kept = [self._without_replaced(shard) for shard in shards]
        shards = self._without_gaps([shard for shard in kept if shard])
        self._held = self._held._replace(shards=shards)

    def _without_gaps(self, shards: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The shards, renumbered where others are gone, so that their numbers follow each other."""
        wanted = self._wanted_numbers(shards)
        stay = [shard for shard in shards if shard["number"] in wanted]
        free = sorted(set(wanted) - {shard["number"] for shard in stay})
        others = [shard for shard in shards if shard["number"] not in wanted]
        moved = [self._renumbered(shard, to) for shard, to in zip(others, free, strict=True)]
        return sorted([*stay, *moved], key=lambda shard: int(shard["number"]))

    def _wanted_numbers(self, shards: list[dict[str, Any]]) -> range:
        first = self._part.after(None)
        return range(first, first + self._part.of * len(shards), self._part.of)

    def _renumbered(self, shard: dict[str, Any], number: int) -> dict[str, Any]:
        """The shard under another number: stored again before it goes, so that a kill in between
        leaves it twice, and the next run drops one."""
        vectors = open_matrix(self._folder / shard["vectors"])[:]
        self._inputs.copy(shard["number"], number)
        written = self._store_shard(number, self._records(shard), vectors)
        self._remove(shard)
        return written

    def _records(self, shard: dict[str, Any]) -> list[Record]:
        table = open_parquet(self._folder / shard["records"])
        return [row for frame in table.frames for row in records_of(frame, table.description)]

    def _remove(self, shard: dict[str, Any]) -> None:
        """Remove a shard; the records are last: without vectors, a later run removes them."""
        (self._folder / shard["vectors"]).unlink()
        self._inputs.unlink(shard["number"])
        (self._folder / shard["records"]).unlink()

    def _without_replaced(self, shard: dict[str, Any]) -> dict[str, Any] | None:
        """The shard as it is then; None where nothing is left of it."""
        number = shard["number"]
        if number not in self._inputs.replaced:
            return shard
        records = self._records(shard)
        rows = self._inputs.kept_rows(number, [record["id"] for record in records])
        if not rows:
            self._remove(shard)
            return None
        vectors = open_matrix(self._folder / shard["vectors"])[rows]
        written = self._store_shard(number, [records[row] for row in rows], vectors)
        self._inputs.drop_replaced(number)
        return written

    def _joined(self) -> dict[str, Any]:
        """The manifest of a folder whose parts are all there."""
        paths = [path for _, path in sorted(part_manifests(self._folder), key=_by_part)]
        parts = [read_manifest_file(path) for path in paths]
        count = sum(part["count"] for part in parts)
        joined = self._described(count, max(part["dim"] for part in parts))
        del joined["part"]
        shards = [shard for part in parts for shard in part["shards"]]
        return {**joined, "parts": len(parts), "shards": shards}

    def abort(self) -> None:
        """Store the complete clips as a last shard; without a manifest it stays unfinished."""
        try:
            # What made the run fail (a full disk) may make this fail too; its message is better.
            with suppress(OSError, OeaError):
                if rows := self._whole_clips():
                    self._store(rows)
        finally:
            self._inputs.close()
            self._claim.release()


def _by_part(found: tuple[Part, Path]) -> int:
    return found[0].number


def _numbered(paths: Iterable[Path]) -> list[tuple[int, Path]]:
    """The files of shards, `.._0012.npy`, by number."""
    found = [(path.stem.rpartition("_")[2], path) for path in paths]
    return sorted((int(number), path) for number, path in found if number.isdecimal())


def _unlink_vectors(folder: Path, shard: int) -> None:
    for path in folder.glob(f"*_emb/*_emb_{shard:04}.npy"):
        path.unlink()


def read_json(path: Path) -> dict[str, Any]:
    """A manifest's content; empty for one that is not JSON."""
    try:
        content = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        content = {}
    return content if isinstance(content, dict) else {}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_whole(path, orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")


def _is_whole(path: Path, shard: dict[str, Any]) -> bool:
    """True when the vectors of a shard have the shape that its metadata file names."""
    try:
        return open_matrix(path).shape == (shard["count"], shard["dim"])
    except OeaError:
        return False
