"""Targets: results that an evaluation is compared with, and the progress of a training run."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
from safetensors.numpy import save_file

from oea_cli.evaluation.output.results import read_results
from oea_cli.metrics.outcomes import from_columns
from oea_cli.records.lines import read_text
from tests.fuzz.encoder_files import header_bytes, lying_header
from tests.fuzz.mutations import any_of, damaged_bytes, lying_json
from tests.fuzz.target import Target

COLUMNS: dict[str, Any] = {
    "id": ["q1", "q2"],
    "type": [None, "short"],
    "dataset": [None, None],
    "targets": [["a.wav"], ["b.wav", "c.wav"]],
    "hard_negative": [None, "a.wav"],
    "cluster": [0, 1],
    "target_rank": [1, None],
    "hard_negative_rank": [None, 4],
    "target_score": [0.9, None],
    "hard_negative_score": [None, 0.1],
    "depth": [10, 10],
    "places": [[1], [None, 3]],
    "gains": [[1.0], [1.0, 0.5]],
    "last_rank": 10,
    "any_target": False,
}


def _make_results(folder: Path) -> list[str]:
    from_columns(COLUMNS, "whole")
    document = {"format": "oea-results/1", "metrics": {"r@10": 0.5}, "per_query": COLUMNS}
    (folder / "results.json").write_bytes(orjson.dumps(document))
    return ["results.json"]


def _read_results(folder: Path) -> None:
    found = read_results(read_text(str(folder / "results.json")), "results.json")
    if found is not None:
        found.columns()


def _make_checkpoint(folder: Path) -> list[str]:
    progress = {"step": 3, "updates": 3, "best": None, "best_step": 0, "waited": 0}
    metadata = {"recipe": "d1", "progress": orjson.dumps(progress).decode()}
    save_file({"modules.a": np.zeros(3, np.float32)}, folder / "checkpoint.safetensors", metadata)
    return ["checkpoint.safetensors"]


def _read_checkpoint(folder: Path) -> None:
    from oea_cli.training.loop.checkpoint import finish_best, read_progress

    if progress := read_progress(folder, "d1"):
        finish_best(folder, progress)


TARGETS = [
    Target("results", _make_results, _read_results, any_of(lying_json, lying_json, damaged_bytes)),
    Target("checkpoint", _make_checkpoint, _read_checkpoint, any_of(header_bytes, lying_header)),
]
