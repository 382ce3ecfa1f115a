#!/usr/bin/env bash
# The main job: embed a folder of sounds, index it, search it by text, by sound and by likeness.
set -euo pipefail

oea demo sounds  # or point `oea embed` at a folder of your own
oea embed sounds/audio | oea index -o sounds.oea  # vectors flow through the pipe
oea index --info sounds.oea -f json

oea search "a dog barking" -i sounds.oea -k 5 -f table
oea search --audio "$(ls sounds/audio/* | head -1)" -i sounds.oea -k 3
first=$(oea search "rain" -i sounds.oea -k 1 | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["id"])')
oea search --like "$first" -i sounds.oea -k 3

# Paths end in NUL with -0, so that blanks and quotes in file names are safe:
oea search "rain" -i sounds.oea -k 3 -f paths -0 | xargs -0 ls -l
