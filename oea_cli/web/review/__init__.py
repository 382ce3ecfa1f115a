"""Verification by ear: pairs and queries, what people say of them, and how far they agree.

`items` reads what is to be judged and `clip_sounds` finds its sounds; `verdicts` is the log on
disk, `progress` who has judged what and what comes next; `agreement` and `summary` report on it.
`app` and the page show it all in a browser.
"""
