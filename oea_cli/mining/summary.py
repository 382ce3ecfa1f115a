"""The counts of mining as lines of text."""

from collections.abc import Iterator, Mapping
from typing import Any


def summary(counts: Mapping[str, Any], num_verdicts_elsewhere: int) -> Iterator[str]:
    """The encoders, the pairs left after each stage, and what was left out, from the counts."""
    made_by = f"{counts['encoder'] or 'vectors of no named encoder'}, captions by"
    yield f"{counts['clips']} clips, {made_by} {counts['text_encoder']}"
    threshold = counts["acoustic_threshold"]
    for stage, count in counts["stages"].items():
        note = ""
        if stage == "acoustic threshold":
            note = "  (none)" if threshold is None else f"  (>= {threshold:g})"
        yield f"  {count:>9,}  {stage}{note}"
    left_out = {
        "clips without captions were left out": counts["clips_without_captions"],
        "pairs whose captions say the same": counts["dropped"]["captions say the same"],
        "pairs of one sound encoded twice": counts["dropped"]["one sound encoded twice"],
        "clips have no hard negative": counts["clips_without_pairs"],
        "verdicts are on other clips": num_verdicts_elsewhere,
    }
    if notes := [f"{count:,} {what}" for what, count in left_out.items() if count]:
        yield f"  {'; '.join(notes)}"
