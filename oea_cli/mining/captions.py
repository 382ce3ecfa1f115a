"""How similar the captions of two clips are, by the vectors of the captions."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from oea_cli.errors import OeaError
from oea_cli.mining.pool import Clips
from oea_cli.records.text import nfc
from oea_cli.vectors.arrays import RowNumbers, Vectors
from oea_cli.vectors.opening import read_vectors

Texts = Sequence[str]
EncodeTexts = Callable[[Texts], Vectors]


def caption_file(source: str) -> tuple[EncodeTexts, str | None]:
    """A function that looks captions' vectors up in a file by their text, and their encoder's id.

    Raises OeaError for rows without a text; the function raises it for a caption not in the file.
    """
    reader = read_vectors(source)
    texts: list[object] = []
    parts: list[Vectors] = []
    for batch in reader:
        texts += [record.get("text") for record in batch.records]
        parts.append(batch.vectors)
    if not parts:
        raise OeaError(f"{source}: holds no vectors")
    row_of: dict[str, int] = {}
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise OeaError(
                f"{source}: row {row + 1} has no 'text'; "
                "`oea embed --text clips.jsonl` writes captions with their vectors"
            )
        row_of[nfc(text.strip())] = row
    vectors = np.concatenate(parts)

    def look_up(texts: Texts) -> Vectors:
        missing = next((text for text in texts if text not in row_of), None)
        if missing is not None:
            raise OeaError(f"{source}: no vector for the caption {missing!r:.80}")
        return vectors[[row_of[text] for text in texts]]

    return look_up, reader.encoder


class CaptionSimilarity:
    """How similar the captions of clips are; the captions are encoded once, beforehand."""

    def __init__(self, clips: Clips, numbers: Iterable[int], encode: EncodeTexts) -> None:
        """Encode every caption of the clips with these numbers, each text once."""
        texts: dict[str, int] = {}
        self._rows: dict[int, RowNumbers] = {}
        for clip in numbers:
            rows = [texts.setdefault(nfc(text), len(texts)) for text in clips[clip].captions]
            self._rows[clip] = np.array(rows)
        self._vectors = encode(list(texts)) if texts else np.zeros((0, 1), np.float32)

    def with_others(self, clip: int, others: RowNumbers) -> Vectors:
        """The highest cosine (C,) of a caption of the clip with one of each other clip's."""
        rows = [self._rows[other] for other in others.tolist()]
        lengths = np.array(list(map(len, rows)))
        table = self._vectors[np.concatenate(rows)] @ self._vectors[self._rows[clip]].T
        best: Vectors = np.maximum.reduceat(table.max(axis=1), np.cumsum(lengths) - lengths)
        return best

    def within(self, clip: int) -> float:
        """The lowest cosine of two of the clip's own captions; 1 where it has only one."""
        own = self._vectors[self._rows[clip]]
        return float((own @ own.T).min()) if len(own) > 1 else 1.0
