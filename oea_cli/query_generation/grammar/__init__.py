"""The English of queries: captions taken apart, queries written by rules, all of them checked."""
