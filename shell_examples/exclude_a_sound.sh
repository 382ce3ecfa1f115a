#!/usr/bin/env bash
# Exclusions: "rain without thunder", asked in words and with --not.
set -euo pipefail

oea demo sounds
oea embed sounds/clips.jsonl | oea index -o sounds.oea

oea search "rain without thunder" -i sounds.oea -k 5 -f table
oea search "rain" --not "thunder" -i sounds.oea -k 5 -f table

# Whatever the records hold can be a condition:
oea search "rain" --not "thunder" --where "duration < 30" -i sounds.oea -k 5 -f jsonl
