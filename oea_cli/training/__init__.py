"""Training: a recipe and examples in, an encoder folder out.

`recipe` says what a recipe holds, `data` makes batches of clips, `objective` is the loss, `loop`
the loop over steps, `results` what a run reports. `loop/train.py` is the way in: a project with
examples of its own implements `Data` of `data/examples.py` and hands it over.
"""
