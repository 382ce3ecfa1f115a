"""Hard negatives: clips that sound alike and mean something else."""
