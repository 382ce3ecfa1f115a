"""How well a retrieval system ranks: outcomes per query, metrics, intervals, tests, gates, reports.

    judgments.py      which clips are right for a query, and which one is the trap
    runs.py           a ranking out of a file -> outcomes
    corpora.py        vectors to be ranked, block by block
    tasks.py          queries and corpus -> which pairs are to be ranked (text-to-audio ...)
    ranks.py          vectors -> outcomes, exactly, without sorting
    outcomes.py       one row per query: ranks of the target, of the hard negative
    metrics.py        outcomes -> R@k ... HNSR, TFR, delta-rank; how metrics are spelt
    significance.py   clustered bootstrap, clustered permutation test, Holm
    gates.py          limits that a metric must keep
    results.py        the one JSON that everything is rendered from
    rendering.py      table, Markdown, JUnit, MTEB's JSON

numpy zone: a run is scored without torch, and without scipy unless a baseline is tested against.
"""
