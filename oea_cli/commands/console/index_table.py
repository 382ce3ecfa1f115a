"""What an index is, as a table for a person."""

from collections.abc import Mapping
from typing import Any

from oea_cli.errors import counted


def index_table(description: Mapping[str, Any]) -> str:
    """The description for a person, one property a line."""
    from oea_cli.records.visible import visible

    segments = description["segments"]
    num_graphs = sum(segment["graph"] for segment in segments)
    searched = "scanned" if not num_graphs else f"{num_graphs} of {len(segments)} with a graph"
    deleted = f" (and {description['deleted']} deleted)" if description["deleted"] else ""
    rows = {
        "index": description["path"],
        "vectors": f"{description['count']:,}{deleted}",
        "dimensions": description["dim"],
        "encoder": description["encoder"] or "not named by the vectors",
        "kind": f"{description['kind']}, {counted(len(segments), 'segment')}, {searched}",
        "storage": description["storage"],
        "recall@10": _recall(description),
        "size": f"{description['bytes'] / 1e6:,.2f} MB",
        "created": description["created"],
        "updated": description["updated"],
        "made by": f"oea {description['oea']}",
    }
    return "".join(f"{name:<11} {visible(str(value))}\n" for name, value in rows.items())


def _recall(description: Mapping[str, Any]) -> str:
    """The share of the truth that is found, and what was asked to know it."""
    recall, queries = description["recall@10"], description["recall_queries"]
    if recall is None:
        return "nothing to find"
    if queries is None:
        return f"{recall:.3f}, searches are exact"
    by = f"by {queries} of them, left out" if queries else "by some that could find themselves"
    return f"{recall:.3f} of an exact search on the vectors as they came, {by}"
