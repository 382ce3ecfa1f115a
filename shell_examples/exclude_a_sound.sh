#!/usr/bin/env bash
# Exclusions: "rain without thunder", asked in words and with --not.
set -euo pipefail

oea demo sounds
oea embed sounds/clips.jsonl | oea index -o sounds.oea

oea search "rain without thunder" -i sounds.oea -k 5 -f table
oea search "rain" --not "thunder" -i sounds.oea -k 5 -f table

# Whatever was written into the records can be filtered, too (polars SQL):
oea search "rain" --not "thunder" --where "duration < 30" -i sounds.oea -k 5 -f jsonl
