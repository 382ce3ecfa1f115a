"""Vectors with their records: in files, on a pipe, in an index."""
