"""The index folder `X.oea`: vectors, records, perhaps a graph; searched exactly or by HNSW."""
