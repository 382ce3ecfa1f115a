"""Verification by listening: annotators judge pairs and rate queries, and their agreement.

`items` reads what is to be judged and `clip_sounds` finds its sounds; `progress` holds who has
judged what and what comes next; `agreement` and `summary` report on it. `session` runs the
review, and `app` and the page show it in a browser.
"""
