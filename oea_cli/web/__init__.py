"""Local pages: a small Starlette application that only this machine reaches, for several verbs.

`access` admits browsers that have the link, `sounds` and `spectrogram` serve sounds and pictures of
them, `app` puts page, sounds and a verb's own routes together, `server` runs them until Ctrl-C.
"""
