"""How well a system retrieves: outcomes per query, metrics, intervals, tests, gates, reports.

    judgments.py      which clips are right for a query, and which one is its hard negative
    runs.py           a ranking out of a file -> outcomes          (run_input.py, trec_files.py)
    corpora.py        vectors to be ranked, block by block
    tasks.py          queries and corpus -> outcomes, by task      (vector_input.py)
    ranks.py          exact ranks of pairs, without sorting
    outcomes.py       one row per query: ranks of its target and of its hard negative
    metrics.py        outcomes -> R@k ... HNSR, TFR, delta-rank; how metrics are spelt
    significance.py   clustered bootstrap, clustered permutation test, Holm
    gates.py          limits that a metric must keep
    results.py        the one JSON that everything is rendered from
    rendering.py      table, Markdown, JUnit, MTEB's JSON
    uiq.py            the UIQ release's rows -> queries            (caption_identity.py ...)

numpy zone: a run is scored without torch, and without scipy unless it is compared with a baseline.
"""
