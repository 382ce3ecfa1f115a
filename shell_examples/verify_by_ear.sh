#!/usr/bin/env bash
# People verify hard negatives and rate queries by ear; what they said, and how far they agree.
set -euo pipefail

# Sounds, pairs and queries to judge; here, those that come with oea.
oea demo sounds -q
head -n 2 sounds/pairs.jsonl

# A page in the browser; each annotator opens a link of their own, and Ctrl-C ends it. It waits for
# people, so this script does not run it:
#   oea review sounds/pairs.jsonl -o verdicts.jsonl
#   oea review sounds/queries.jsonl -o ratings.jsonl --annotator Ada

# What the page writes, one line per verdict. Ben changed his mind about the second pair.
cat > verdicts.jsonl <<'EOF'
{"target":"1.flac","hard_negative":"2.flac","verdict":"valid","annotator":"Ada","time":"2026-01-05T09:00:00Z"}
{"target":"3.flac","hard_negative":"4.flac","verdict":"same","annotator":"Ada","time":"2026-01-05T09:00:20Z"}
{"target":"5.flac","hard_negative":"6.flac","verdict":"valid","annotator":"Ada","time":"2026-01-05T09:00:41Z"}
{"target":"3.flac","hard_negative":"4.flac","verdict":"valid","annotator":"Ben","time":"2026-01-05T10:00:00Z"}
{"target":"3.flac","hard_negative":"4.flac","verdict":"same","annotator":"Ben","time":"2026-01-05T10:00:09Z"}
{"target":"1.flac","hard_negative":"2.flac","verdict":"valid","annotator":"Ben","time":"2026-01-05T10:00:30Z"}
{"target":"5.flac","hard_negative":"6.flac","verdict":"unsure","annotator":"Ben","time":"2026-01-05T10:00:52Z"}
EOF
oea review --summary verdicts.jsonl -f table

# Ratings of queries: mean and deviation per type and data set.
cat > ratings.jsonl <<'EOF'
{"audio_id":"1.flac","dataset":"demo","query_type":"question","text":"is it rain?","rating":5,"annotator":"Ada","time":"2026-01-05T09:10:00Z"}
{"audio_id":"1.flac","dataset":"demo","query_type":"question","text":"is it rain?","rating":4,"annotator":"Ben","time":"2026-01-05T10:10:00Z"}
{"audio_id":"1.flac","dataset":"demo","query_type":"negative","text":"rain, no wind","rating":2,"annotator":"Ada","time":"2026-01-05T09:10:12Z"}
{"audio_id":"1.flac","dataset":"demo","query_type":"negative","text":"rain, no wind","rating":3,"annotator":"Ben","time":"2026-01-05T10:10:12Z"}
EOF
oea review --summary ratings.jsonl -f table

# The same for programs. Rows of several files, one per annotator perhaps, count together.
oea review --summary verdicts.jsonl -f json | python3 -c 'import json, sys; print(json.load(sys.stdin)["verdicts"]["majority"])'
