"""Which sample rates there are."""

SAMPLE_RATES = (1_000, 2_000_000)
"""Hertz; outside this range a header is wrong, or it is not a sound."""


def wrong_rate(rate: int) -> str | None:
    """What is wrong with a sample rate; None for one that can be."""
    low, high = SAMPLE_RATES
    if low <= rate <= high:
        return None
    return f"the sample rate must be from {low:,} to {high:,} Hz; got {rate}"
