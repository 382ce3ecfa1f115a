#!/usr/bin/env bash
# A large set in parts of one folder, by any scheduler; a killed part goes on where it stopped.
set -euo pipefail

oea demo sounds
for shard in 1 2; do                                  # on a cluster: one job each
    oea embed sounds/clips.jsonl --shard "$shard/2" -o vectors/ &
done
wait
oea index vectors/ -o sounds.oea
oea search "a bell" -i sounds.oea -k 3
