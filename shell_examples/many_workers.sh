#!/usr/bin/env bash
# A large set in shards: any scheduler can run the parts; a killed part goes on where it stopped.
set -euo pipefail

oea demo sounds
for shard in 1 2; do                                  # on a cluster: one job each
    oea embed sounds/clips.jsonl --shard "$shard/2" -o "vectors-$shard/" &
done
wait
oea index vectors-1/ vectors-2/ -o sounds.oea
oea search "a bell" -i sounds.oea -k 3
