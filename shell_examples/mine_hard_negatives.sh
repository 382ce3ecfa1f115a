#!/usr/bin/env bash
# Hard negatives: pairs of sounds that are alike to the ear and mean something else.
set -euo pipefail

# Clips with captions, embedded once; here, those that come with oea.
oea demo sounds -q
oea embed sounds/clips.jsonl | oea index -o sounds.oea

# One stage after the other: neighbours by sound, then those whose captions differ. --all keeps more
# than the thirty that are wanted, because people will reject some.
oea mine-negatives sounds.oea --pairs 30 --all -o candidates.jsonl

# Why is this pair among them?
target=$(head -1 candidates.jsonl | sed 's/.*"target":"\([^"]*\)".*/\1/')
negative=$(head -1 candidates.jsonl | sed 's/.*"hard_negative":"\([^"]*\)".*/\1/')
oea mine-negatives sounds.oea --pairs 30 --explain "$target" "$negative"

# What people heard, a row per pair and person (`oea review` writes them); here everybody agrees.
sed 's/^{\("target":"[^"]*","hard_negative":"[^"]*"\).*/{\1,"verdict":"valid","annotator":"ann"}/' candidates.jsonl > verdicts.jsonl
oea mine-negatives sounds.oea --pairs 30 --verdicts verdicts.jsonl --qrels queries.jsonl -o pairs.jsonl

# The captions of the targets as queries: how often does the target come before its hard negative?
oea eval --queries queries.jsonl -i sounds.oea -M hnsr@10 -M delta-rank -f table

# For training: four negatives for each clip, without its two nearest.
oea mine-negatives sounds.oea --for train -n 4 --range-min 2 > train.jsonl
