"""Vectors with their records, wherever they lie: in files, on a pipe, in an index."""
