"""Vectors and their records, on pipes and on disk; every format keeps the same bits.

    -           JSONL on a pipe: the record, "embedding" and "encoder"           lines.py
    X.jsonl     the same in a file
    X.npy       matrix, X.jsonl (row i = line i), X.meta.json written last       matrix.py
    X.parquet   records + `embedding` column + the metadata as a key-value       parquet.py
    DIR/        numbered shards and a manifest written last; resumable           shards.py

A vector is float32 (float16 with storage "f16") and has length 1: rows whose length is further
than 1e-6 from 1 are divided by it, on the way in and on the way out, all others keep every bit.
"""
