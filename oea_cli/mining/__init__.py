"""Hard negatives: clips that sound alike and have different captions."""
