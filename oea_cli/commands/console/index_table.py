"""What an index is, as a table for a person."""

from collections.abc import Mapping
from typing import Any


def index_table(description: Mapping[str, Any]) -> str:
    """The description for a person, one property a line."""
    from oea_cli.records.visible import visible

    segments = description["segments"]
    num_graphs = sum(segment["graph"] for segment in segments)
    searched = "scanned" if not num_graphs else f"{num_graphs} of {len(segments)} with a graph"
    deleted = f" (and {description['deleted']} deleted)" if description["deleted"] else ""
    recall = description["recall@10"]
    measured = "nothing to find" if recall is None else f"{recall:.3f}"
    rows = {
        "index": description["path"],
        "vectors": f"{description['count']:,}{deleted}",
        "dimensions": description["dim"],
        "encoder": description["encoder"] or "not named by the vectors",
        "kind": f"{description['kind']}, {len(segments)} segments, {searched}",
        "storage": description["storage"],
        "recall@10": f"{measured} of an exact search on the vectors as they came",
        "size": f"{description['bytes'] / 1e6:,.2f} MB",
        "created": description["created"],
        "updated": description["updated"],
        "made by": f"oea {description['oea']}",
    }
    return "".join(f"{name:<11} {visible(str(value))}\n" for name, value in rows.items())
