"""Queries and vectors -> hits."""
