"""Scenes composed on the fly of rendered events and recordings: what `mini` is trained on."""
