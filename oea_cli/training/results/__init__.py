"""What a run reports, and its curves."""
