"""Measuring retrieval: queries, ranks, metrics, and what the numbers are compared with."""
