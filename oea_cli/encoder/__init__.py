"""Texts and sounds -> vectors: what every step that touches a model talks to."""
