"""Runs a recipe of the paper's evaluation and writes the figures beside the paper's."""

import json
from collections.abc import Sequence
from pathlib import Path

from oea_cli.errors import UsageError
from oea_cli.evaluation.paper.recipe import load_paper_recipe
from oea_cli.evaluation.paper.rendering import (
    comparison_json,
    comparison_markdown,
    comparison_table,
)
from oea_cli.evaluation.paper.run import Callbacks, check_inputs, run_paper
from oea_cli.evaluation.paper.units import beside_paper

WRITERS = {"table": comparison_table, "markdown": comparison_markdown, "json": comparison_json}


def compare_with_paper(
    recipe: Path,
    overrides: Sequence[str],
    output: Sequence[str],
    form: str,
    *,
    device: str,
    callbacks: Callbacks,
) -> tuple[str, int]:
    """Run what the recipe names; returns the comparison as text and how many parts were measured.

    `output` is at most one folder for the results. Raises UsageError for a format other than
    table, Markdown or JSON, and for an output that is a file.
    """
    if form not in WRITERS:
        raise UsageError("with a recipe, -f must be table, json or markdown")
    if len(output) > 1 or any(Path(name).is_file() for name in output):
        raise UsageError("with a recipe, -o must be one folder for the results")
    folders = [f"output={json.dumps(name)}" for name in output]
    loaded = load_paper_recipe(recipe, [*overrides, *folders])
    check_inputs(loaded)
    measured = run_paper(loaded, device, callbacks)
    return WRITERS[form](beside_paper(loaded, measured)), len(measured)
