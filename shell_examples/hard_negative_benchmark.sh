#!/usr/bin/env bash
# A benchmark of hard negatives out of any captioned sounds: embed, mine, write queries, measure.
set -euo pipefail

# Clips with captions; here, those that come with oea.
oea demo sounds -q
oea embed -q sounds/clips.jsonl | oea index -q -o sounds.oea

# Pairs that sound alike and mean something else -> questions, and descriptions that exclude what
# only the hard negative has -> how often the target is found and its hard negative is not.
oea embed -q sounds/clips.jsonl | oea mine-negatives --pairs 20 \
  | oea gen-queries sounds/clips.jsonl --hard-negatives - -t question -t negative \
  | oea eval --queries - -i sounds.oea -M r@5 -M hnsr -M hnsr@10 -M tfr@10 -f table
