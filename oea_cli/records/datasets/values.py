"""What a row of a published file needs, told in one way where it lacks it."""

from oea_cli.errors import Failure, Report
from oea_cli.records.fields import RowError, id_of
from oea_cli.records.rows import Record, Rows


def rows_with(rows: Rows, layout: str, ids: tuple[str, ...], report: Report) -> Rows:
    """The rows in which each key of `ids` has a name, as text; others go to `report`."""
    for where, row in rows:
        try:
            yield where, {**row, **{key: _name(row, key, layout) for key in ids}}
        except RowError as problem:
            report(Failure(where, str(problem)))


def _name(row: Record, key: str, layout: str) -> str:
    value = row.get(key)
    if value is None or value == "":
        raise RowError(f"no {key!r}; every row of {layout} needs one")
    return id_of(value, key)


def texts_of(value: object, key: str) -> list[str]:
    """A text or a list of texts; raises RowError for anything else."""
    texts = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RowError(f"{key!r} must be text or a list of texts; got {value!r:.60}")
    return texts
