"""The results of an evaluation, metric by metric, as a table, or as a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from oea_cli.errors import OeaError
from oea_cli.evaluation.output.rendering import render
from oea_cli.evaluation.setting import Document, RecordLookup
from oea_cli.metrics.metrics import parse_metric
from oea_cli.metrics.outcomes import Outcomes

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Results:
    """The results of one evaluation: `document` is the JSON of `oea eval -f json`."""

    document: Document
    outcomes: Outcomes
    records: RecordLookup

    def __getitem__(self, metric: str) -> float:
        """The value of a metric, a fraction 0..1 or a rank; raises OeaError for one not measured.

        Spellings are those of `oea eval`: "hnsr@10", "HNSR@10".
        """
        return self.metrics[self._name(metric)]

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.4g}" for name, value in self.metrics.items())
        return f"Results({len(self.outcomes)} queries: {values})"

    @property
    def metrics(self) -> Mapping[str, float]:
        """Every metric's value."""
        values: Mapping[str, float] = self.document["metrics"]
        return values

    def interval(self, metric: str) -> tuple[float, float]:
        """The bounds of a metric's 95 % bootstrap interval over target clips."""
        low, high = self.document["intervals"][self._name(metric)]
        return low, high

    @property
    def passed(self) -> bool:
        """True where every gate is met, or there is none."""
        return bool(self.document.get("passed", True))

    @property
    def frame(self) -> "pl.DataFrame":
        """A row for each query: the query, its ranks (null: not found), and each metric's
        value (null: does not apply)."""
        import polars as pl

        columns = self.outcomes.columns()
        kept = {key: value for key, value in columns.items() if isinstance(value, list)}
        table = pl.DataFrame(kept, strict=False)
        values = {
            name: np.asarray(parse_metric(name).values(self.outcomes), np.float64)
            for name in self.metrics
        }
        return table.with_columns(pl.Series(k, v).fill_nan(None) for k, v in values.items())

    def to_json(self) -> str:
        """The results as JSON, as `oea eval -f json` writes them; a baseline for later ones."""
        return self.render("json")

    def render(self, form: str) -> str:
        """The results as "json", "table", "markdown", "junit" or "mteb"."""
        return render(self.document, form).decode()

    def _name(self, metric: str) -> str:
        name = str(parse_metric(metric))
        if name not in self.metrics:
            raise OeaError(f"{metric}: not measured; there are {', '.join(self.metrics)}")
        return name
