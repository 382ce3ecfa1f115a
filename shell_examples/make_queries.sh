#!/usr/bin/env bash
# Queries that people would type, from captions: questions, commands, key phrases, exclusions.
set -euo pipefail

# Clips with captions, and pairs of clips that sound alike: those that come with oea.
oea demo sounds -q

# A grammar writes them, offline. With a model: --llm http://localhost:8000/v1 --llm-model NAME.
# What breaks a rule to the last is set aside, with its reason.
oea gen-queries sounds/clips.jsonl --hard-negatives sounds/pairs.jsonl --rejects rejects.jsonl -o uiq.jsonl

# The same rules read anyone's queries; exit code 3 would mean that some break one.
oea gen-queries --check uiq.jsonl

# They can be asked at once: the rows are those of the UIQ benchmark, with hard negatives.
oea embed sounds/clips.jsonl | oea index -o sounds.oea
oea eval --queries uiq.jsonl -i sounds.oea -M r@1 -M r@10 -M hnsr -f table
