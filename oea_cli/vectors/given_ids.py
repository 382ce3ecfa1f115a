"""Vectors with the ids, or whole records, that another file has for their rows."""

from collections.abc import Iterable, Iterator
from itertools import islice

from oea_cli.errors import OeaError
from oea_cli.records.addresses import open_bytes
from oea_cli.records.fields import PATH_NAMES, VECTOR_NAMES
from oea_cli.records.lines import numbered_lines
from oea_cli.records.rows import Record, trailing_number
from oea_cli.records.tables import read_table, table_suffix
from oea_cli.vectors.batch import Batch


def with_ids(batches: Iterable[Batch], file: str) -> Iterator[Batch]:
    """The batches, row i with record i of `file`: a table, or lines of ids.

    Raises OeaError where the file has more or fewer than there are vectors.
    """
    records = _records(file)
    name = "stdin" if file == "-" else file
    count = 0
    for batch in batches:
        own = list(islice(records, len(batch)))
        count += len(own)
        if len(own) < len(batch):
            raise OeaError(f"{name}: {_ids(count)}, but more vectors; give one id for each vector")
        yield Batch(own, batch.vectors, batch.encoder)
    more = sum(1 for _ in records)
    if more:
        raise OeaError(
            f"{name}: {_ids(count + more)}, but only {count} of them have vectors; "
            "give one id for each vector"
        )


def _ids(count: int) -> str:
    return "1 id" if count == 1 else f"{count} ids"


def _records(file: str) -> Iterator[Record]:
    if table_suffix(file):
        for where, row in read_table(file, leave_out=VECTOR_NAMES):
            names = (row.get(key) for key in ("id", *PATH_NAMES))
            name = next((name for name in names if name not in (None, "")), trailing_number(where))
            yield {**row, "id": str(name)}
        return
    with open_bytes(file) as stream:
        for number, line in numbered_lines(stream, "stdin" if file == "-" else file):
            try:
                name = line.decode().strip("\r\n")
            except UnicodeDecodeError as error:
                raise OeaError(f"{file}:{number}: not UTF-8") from error
            if not name.strip():
                raise OeaError(f"{file}:{number}: no id in this line; give one for each vector")
            yield {"id": name}
