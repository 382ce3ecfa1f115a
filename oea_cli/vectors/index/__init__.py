"""The index folder `X.oea`: vectors, records and perhaps a graph, searched exactly or by HNSW."""
