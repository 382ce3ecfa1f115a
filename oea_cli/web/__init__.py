"""Local pages: a small Starlette application bound to this machine, for one verb or another.

`access` lets in who has the link, `sounds` and `spectrogram` make sounds audible and visible, `app`
puts page, sounds and a verb's own routes together, `server` runs them until Ctrl-C.
"""

from importlib.util import find_spec

from oea_cli.errors import OeaError


def check_installed(verb: str) -> None:
    """Raise OeaError where Starlette or uvicorn, of the extra `[web]`, is missing."""
    if not (find_spec("starlette") and find_spec("uvicorn")):
        raise OeaError(f"{verb} needs Starlette and uvicorn; pip install 'oea[web]'")
