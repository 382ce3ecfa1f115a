#!/usr/bin/env bash
# The same vectors as a pipe, as .npy for numpy, as Parquet for data frames; all give the same bits.
set -euo pipefail

oea demo sounds
oea embed sounds/clips.jsonl > vectors.jsonl          # a record and its vector per line
oea embed sounds/clips.jsonl -o clips.npy             # a matrix; records in clips.jsonl beside it
oea embed sounds/clips.jsonl -o clips.parquet         # one file

oea index clips.npy -o from_npy.oea
oea index clips.parquet -o from_parquet.oea
oea index - -o from_pipe.oea < vectors.jsonl
for index in from_npy from_parquet from_pipe; do
    oea search "footsteps" -i "$index.oea" -k 1
done
