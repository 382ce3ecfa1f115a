"""What lies in the files and folders that verbs are given and write, for `oea --describe`.

By verb and parameter, or stdout; several kinds where the other options, or the file, decide.
"""

CONTENTS = {
    "answers": "every answer of a model that writes queries: JSONL",
    "checkpoint": "a checkpoint of the OEA release: a .pt file, or its name",
    "clips": "a folder of sounds with their captions, queries and pairs",
    "counts": "counts, as a table or JSON",
    "encoder": "an encoder: a short name, a folder, or KIND:PLACE (`oea models list`)",
    "failures": "failed inputs: JSONL rows with id, where and error",
    "hits": "records with query_id, rank and score",
    "ids": "ids, one a line",
    "index": "a folder X.oea that `oea index` writes",
    "info": "a description, as a table or JSON",
    "line": "the name of what was written",
    "names": "names of files, one a line",
    "pairs": "hard-negative pairs: JSONL",
    "qrels": "judgments: TREC qrels, BEIR's TSV, or JSONL",
    "queries": "records with text or path, and target: JSONL, CSV, TSV, Parquet",
    "recipe": "a recipe: YAML",
    "records": "records with path: JSONL, CSV, TSV, Parquet, datasets' own layouts",
    "report": "a page: HTML",
    "results": "metrics, intervals, gates and ranks",
    "run": "a ranking: a TREC run, or JSONL hits",
    "sounds": "sound files, folders and patterns of them",
    "texts": "texts as arguments or one a line, or records with text: JSONL, CSV, TSV, Parquet",
    "vectors": "vectors with their records: JSONL, .npy, Parquet, a folder of shards",
    "verdicts": "what people decided on pairs and queries: JSONL",
}
"""Every kind of content, with its forms; docs/formats.md says more."""

READS = {
    "embed": {"inputs": "sounds records texts", "files_from": "names"},
    "index": {"sources": "vectors index", "ids": "ids records"},
    "search": {
        "text": "texts",
        "audio": "sounds",
        "queries": "texts queries vectors",
        "index": "index",
    },
    "eval": {
        "recipe": "recipe",
        "queries": "queries vectors",
        "index": "index",
        "corpus": "vectors",
        "run": "run",
        "qrels": "qrels",
        "baseline": "results run",
        "check_leaks": "records",
    },
    "mine-negatives": {
        "inputs": "vectors index records",
        "vectors": "vectors",
        "caption_vectors": "vectors",
        "verdicts": "verdicts",
    },
    "gen-queries": {"inputs": "records pairs queries", "hard_negatives": "pairs"},
    "train": {"recipe": "recipe", "plot": "encoder"},
    "review": {"inputs": "pairs queries verdicts", "clips": "records sounds", "index": "index"},
    "models convert": {"checkpoint": "checkpoint"},
    "models bench": {"files": "sounds"},
}
READS_EVERYWHERE = {"model": "encoder", "text_model": "encoder", "name": "encoder"}
"""What these parameters are given in any verb that has them."""

WRITES = {
    "embed": {"stdout": "vectors", "output": "vectors"},
    "index": {"stdout": "info", "output": "index"},
    "search": {"stdout": "hits"},
    "eval": {"stdout": "results", "output": "results", "report": "report"},
    "mine-negatives": {
        "stdout": "pairs",
        "output": "pairs",
        "qrels": "qrels queries",
        "stats": "counts",
    },
    "gen-queries": {
        "stdout": "queries counts",
        "output": "queries",
        "rejects": "queries",
        "answers": "answers",
    },
    "train": {"stdout": "line", "output": "encoder"},
    "review": {"stdout": "counts", "output": "verdicts"},
    "demo": {"folder": "clips"},
    "models list": {"stdout": "info"},
    "models info": {"stdout": "info"},
    "models convert": {"stdout": "line", "output": "encoder"},
    "models export": {"stdout": "line", "output": "encoder"},
    "models bench": {"stdout": "info"},
    "models check": {"stdout": "info"},
}
WRITES_EVERYWHERE = {"errors": "failures"}


def read_by(verb: str, parameter: str) -> list[str]:
    """The kinds of content that a parameter of a verb may name."""
    return _kinds(READS.get(verb, {}), READS_EVERYWHERE, parameter)


def written_by(verb: str, parameter: str) -> list[str]:
    """The kinds of content that a verb writes to where a parameter says, or to stdout."""
    return _kinds(WRITES.get(verb, {}), WRITES_EVERYWHERE, parameter)


def _kinds(own: dict[str, str], everywhere: dict[str, str], parameter: str) -> list[str]:
    return own.get(parameter, everywhere.get(parameter, "")).split()
