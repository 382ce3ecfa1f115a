"""Clips with captions as batches, and what the trainer asks of any data."""
