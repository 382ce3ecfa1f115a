#!/usr/bin/env bash
# Train an encoder from a recipe (here one that takes seconds) and use it at once.
set -euo pipefail

recipes=${RECIPES:-recipes}
oea demo sounds --scenes 40
oea train "$recipes/smoke.yaml" -o my-encoder --set folders.clips=sounds
oea embed sounds/clips.jsonl -m ./my-encoder | oea index -o sounds.oea
oea search "a bell" -i sounds.oea -k 3
