"""oea: audio-text retrieval from the command line, after Omni-Embed-Audio."""

__version__ = "0.1.0"
