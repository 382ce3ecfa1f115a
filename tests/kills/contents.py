"""What outputs hold, read as anybody would: a file under its final name must be whole."""

import hashlib
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

Content = Any
Read = Callable[[Path], Content]


def left_behind(folder: Path) -> list[str]:
    """Temporary files, locks and folders that a writer made for itself."""
    found = (path for path in folder.rglob("*") if not path.name.startswith("__"))
    suffixes = (".tmp", ".old", ".part", ".lock")
    return sorted(
        path.relative_to(folder).as_posix()
        for path in found
        if path.name.startswith(".") or path.name.endswith(suffixes)
    )


def vectors(name: str) -> Read:
    """Ids and vectors of a file, a folder of shards or an index; None where it is unfinished."""

    def read(folder: Path) -> Content:
        from oea_cli.errors import OeaError
        from oea_cli.vectors.opening import read_vectors

        path = folder / name
        if not path.exists():
            return None
        try:
            batches = list(read_vectors(str(path)))
        except OeaError as error:
            text = str(error)
            unfinished = ("did not finish", "missing; run", "no such file", "not a folder of")
            if any(part in text for part in unfinished):
                return None
            raise
        rows = [
            (record["id"], hashlib.sha256(vector.tobytes()).hexdigest()[:16])
            for batch in batches
            for record, vector in zip(batch.records, batch.vectors, strict=True)
        ]
        assert len(rows) == len({id_ for id_, _ in rows}), "doubled"
        return sorted(rows)

    return read


def index(name: str) -> Read:
    """The records of an index; None without one."""

    def read(folder: Path) -> Content:
        from oea_cli.vectors.index.manifest import is_index

        return vectors(name)(folder) if is_index(folder / name) else None

    return read


def lines(*names: str) -> Read:
    """Files of JSON lines, each whole."""

    def read(folder: Path) -> Content:
        found = {}
        for name in names:
            if (folder / name).exists():
                content = (folder / name).read_bytes()
                assert not content or content.endswith(b"\n"), f"{name} is torn"
                found[name] = [json.loads(line) for line in content.splitlines()]
        return found or None

    return read


def files(*names: str) -> Read:
    """The sums of files."""

    def read(folder: Path) -> Content:
        paths = {name: folder / name for name in names if (folder / name).exists()}
        sums = {name: hashlib.sha256(path.read_bytes()) for name, path in paths.items()}
        return {name: one.hexdigest() for name, one in sums.items()} or None

    return read


def tree(name: str, last: str) -> Read:
    """All files of a folder, once its last one is there."""

    def read(folder: Path) -> Content:
        if not (folder / name / last).exists():
            return None
        paths = [path for path in (folder / name).rglob("*") if path.is_file()]
        return sorted(
            (path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
            for path in paths
        )

    return read


def weights(name: str) -> Read:
    """The weights of an encoder folder, once its last file is there."""

    def read(folder: Path) -> Content:
        from safetensors import safe_open

        if not (folder / name / "encoder.json").exists():
            return None
        found = {}
        for path in sorted((folder / name).glob("*.safetensors")):
            with warnings.catch_warnings(), safe_open(path, framework="np") as stored:
                for key in stored.keys():  # noqa: SIM118 - not a mapping
                    value = stored.get_tensor(key).tobytes()
                    found[f"{path.name} {key}"] = hashlib.sha256(value).hexdigest()
        return found

    return read
