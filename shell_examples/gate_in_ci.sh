#!/usr/bin/env bash
# Retrieval quality as a CI check: exit code 4 when a metric falls under its limit or drops.
# github_actions.yaml runs the same commands on GitHub.
set -euo pipefail

# The sounds and the judged queries of a project; here, those that come with oea.
oea demo sounds -q
oea embed sounds/clips.jsonl | oea index -o sounds.oea

# Once, on the main branch: what later changes are compared with.
oea eval --queries sounds/queries.jsonl -i sounds.oea -o baseline.json

# On every change. A drop counts only if a paired permutation test, clustered by clip, tells it
# from chance. The table is for the log; the other forms say the same to GitHub and to programs.
oea eval --queries sounds/queries.jsonl -i sounds.oea -M r@10 -M hnsr --fail-under r@10=0.5 --baseline baseline.json --max-drop r@10=0.01 --max-drop hnsr=0.05 --alpha 0.05 -o results.json -o results.md -o junit.xml

# What a failing gate looks like: one verdict, and exit code 4.
code=0
oea eval --queries sounds/queries.jsonl -i sounds.oea -M hnsr@10 --fail-under hnsr@10=0.99 -f table || code=$?
test "$code" -eq 4
