"""Clips with captions out of files: what a recipe's stages with `data` are trained on."""
