"""The checkpoints released with the paper: read as they lie, or converted to an encoder folder."""
