"""Local pages: a small Starlette application bound to this machine, for one verb or another.

`access` lets in who has the link, `sounds` and `spectrogram` make sounds audible and visible, `app`
puts page, sounds and a verb's own routes together, `server` runs them until Ctrl-C.
"""
