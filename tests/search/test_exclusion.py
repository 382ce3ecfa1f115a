"""The rule of `--not`, by hand."""

import numpy as np

from oea_cli.search.exclusion import exclusion_penalty


def test_only_what_exceeds_the_median_is_taken_off() -> None:
    similarities = np.array([[0.1, 0.2, 0.3, 0.9, 0.2]], np.float32)
    assert np.allclose(exclusion_penalty(similarities), [0, 0, 0.05, 0.35, 0])


def test_several_texts_add_up() -> None:
    one = np.array([[0.0, 0.0, 0.6]], np.float32)
    other = np.array([[0.4, 0.0, 0.6]], np.float32)
    both = exclusion_penalty(np.concatenate([one, other]))
    assert np.allclose(both, exclusion_penalty(one) + exclusion_penalty(other))
    assert np.allclose(both, [0, 0, 0.4])


def test_a_text_that_everything_resembles_equally_changes_nothing() -> None:
    assert not exclusion_penalty(np.full((2, 9), 0.7, np.float32)).any()
