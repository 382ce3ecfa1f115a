"""What a clip is, and what describes it and asks for it: captions, queries, pairs, verdicts."""
