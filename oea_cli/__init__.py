"""oea: audio-text retrieval, after Omni-Embed-Audio; as the program `oea`, and from Python.

    import oea_cli as oea

    encoder = oea.load_encoder("mini")
    batch = oea.embed(encoder, "./wavs")
    index = oea.build_index("sounds.oea", batch)
    hits = oea.search_index(index, ["a dog barking"], k=10)

Each name is loaded when it is first asked for: importing the package costs nothing.
"""

__version__ = "0.1.0"

_MODULE_OF = {
    "Batch": "vectors.batch",
    "Encoder": "encoder.protocol",
    "Failure": "errors",
    "Index": "vectors.index.folder",
    "MinedPairs": "mining.mine",
    "OeaError": "errors",
    "Results": "evaluation.results",
    "UsageError": "errors",
    "build_index": "vectors.index.folder",
    "embed": "encoder.streaming.embed",
    "evaluate": "evaluation.evaluate",
    "frame": "records.columns",
    "load_encoder": "encoder.loading",
    "mine": "mining.mine",
    "open_index": "vectors.index.folder",
    "open_vectors": "vectors.opening",
    "read_records": "records.inputs",
    "search_index": "search.index_search",
    "stream": "encoder.streaming.stream",
    "write": "vectors.writing",
}
__all__ = ["__version__", *_MODULE_OF]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
