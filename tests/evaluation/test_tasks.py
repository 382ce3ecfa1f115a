"""Which queries of a set are asked."""

from collections import Counter

from oea_cli.clips.queries import Query
from oea_cli.evaluation.scoring.tasks import one_per_clip

CLIPS, CAPTIONS = 200, 5
QUERIES = [
    Query(id=f"{clip}#{caption}", where="", targets={str(clip): 1.0}, clip=str(clip))
    for clip in range(CLIPS)
    for caption in range(CAPTIONS)
]


def test_one_caption_a_clip_is_drawn_for_each_clip_by_itself() -> None:
    """Not the second one of every clip: captions of a place often are one annotator's."""
    rows = one_per_clip(QUERIES, seed=0)
    assert [row // CAPTIONS for row in rows] == list(range(CLIPS))
    places = Counter(row % CAPTIONS for row in rows)
    assert len(places) == CAPTIONS and max(places.values()) < CLIPS / 2
    assert one_per_clip(QUERIES, seed=0) == rows != one_per_clip(QUERIES, seed=1)
