#!/usr/bin/env bash
# Many queries at once, to a TREC run that any evaluation tool reads.
set -euo pipefail

oea demo sounds
oea embed sounds/clips.jsonl | oea index -o sounds.oea
oea search --queries sounds/queries.jsonl -i sounds.oea -k 10 -f trec > run.trec
head -3 run.trec

# Query vectors are made once and kept, too:
oea embed --text sounds/queries.jsonl -o queries.npy
oea search --queries queries.npy -i sounds.oea -k 10 | wc -l
