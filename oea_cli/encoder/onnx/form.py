"""The ONNX form of an encoder folder: two graphs, and a small file that says what they fit.

Graphs hold no weights but say where in the safetensors files those lie. A file that has changed
since would be read as nonsense, without an error: so `onnx.json` keeps the digests of all that the
graphs were made from, and they are compared before one is opened.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oea_cli.encoder.names.places import FORM_FILE
from oea_cli.encoder.omni.fingerprint import file_sha256
from oea_cli.errors import OeaError
from oea_cli.records.artefacts import write_whole
from oea_cli.records.format_versions import check_format, format_mark

FORMAT = "oea-onnx"
GRAPHS = {"text": "text.onnx", "audio": "audio.onnx"}
WEIGHTS = ("model.safetensors", "heads.safetensors")
MADE_FROM = (*WEIGHTS, "config.json")


@dataclass(frozen=True)
class OnnxForm:
    """What the graphs expect: bins of the mel, and its frames in a chunk at most."""

    mel_bins: int
    chunk_frames: int


def save_form(folder: Path, form: OnnxForm) -> None:
    """Write onnx.json, when everything else is there."""
    files = {name: file_sha256(folder / name) for name in (*MADE_FROM, *GRAPHS.values())}
    content = {"format": format_mark(FORMAT), **dataclasses.asdict(form), "files": files}
    write_whole(folder / FORM_FILE, (json.dumps(content, indent=2) + "\n").encode())


def open_form(folder: Path) -> OnnxForm:
    """Read onnx.json; raises OeaError where a file is not what it was when the graphs were made."""
    path = folder / FORM_FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        check_format(content, FORMAT, path)
        files = dict(content["files"])
        form = OnnxForm(int(content["mel_bins"]), int(content["chunk_frames"]))
        digests = {name: str(files[name]) for name in (*MADE_FROM, *GRAPHS.values())}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise OeaError(f"{path}: cannot be read ({error!r:.200})") from error
    for name, digest in digests.items():
        _check(folder, name, digest)
    if form.chunk_frames <= 0 or form.chunk_frames % 4:
        raise OeaError(f"{path}: chunk_frames cannot be {form.chunk_frames}; is the file damaged?")
    return form


def _check(folder: Path, name: str, digest: str) -> None:
    path = folder / name
    if not path.is_file():
        raise OeaError(f"{folder}: no {name} in it, which {FORM_FILE} names")
    if file_sha256(path) != digest:
        raise OeaError(
            f"{path}: has changed since the ONNX form was made; make it again with `oea models "
            f"export {folder} -f onnx -o {folder}`, or remove {FORM_FILE}"
        )
