"""The loop over steps: from a starting point, by checkpoints, to an encoder folder."""
