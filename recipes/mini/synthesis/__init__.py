"""Sounds from nothing: synthesised events, the words for them, and scenes composed of both."""
