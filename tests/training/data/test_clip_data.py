"""Clips with captions: which are found, what a step hears of them, what fits what."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from oea_cli.encoder.omni.folder import load_encoder_folder
from oea_cli.encoder.omni.front_end import FrontEnd
from oea_cli.errors import OeaError, UsageError
from oea_cli.training.data.augment import mask_mel, mixed, mixed_caption, vary_waveform
from oea_cli.training.data.batch import TrainingBatch, fitting
from oea_cli.training.data.clip_audio import undecodable
from oea_cli.training.data.clip_data import MISSING_FILE, ClipData, open_data
from oea_cli.training.data.clip_examples import ClipExamples
from oea_cli.training.data.contrasts import ClipNumbers, read_exclusions, read_same
from oea_cli.training.data.order import Order
from oea_cli.training.data.sources import Lengths, TrainingClip, blacklisted, read_source
from oea_cli.training.recipe.clips import Augment, ClipSource
from oea_cli.training.recipe.contradictions import is_test_split
from oea_cli.training.recipe.loading import load_recipe
from oea_cli.training.recipe.recipe import Model, Recipe, Stage
from tests.evaluation.captioned import (
    write_clips,
    write_clotho,
    write_rows,
    write_sound,
    write_wavcaps,
)


@pytest.fixture(scope="module")
def front_end(tiny_encoder: Path) -> FrontEnd:
    return load_encoder_folder(tiny_encoder).front_end


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve clips of three lengths."""
    return write_clips(tmp_path_factory.mktemp("clips"), 12, seconds=(0.5, 1.0, 3.0))


def recipe_for(path: Path, **changes: Any) -> Recipe:
    of_stage = {key: changes.pop(key) for key in list(changes) if key in Stage.model_fields}
    settings = {"steps": 6, "batch_size": 4, "data": (ClipSource(path=str(path)),)} | of_stage
    stages = (Stage(name="clips", **settings),)
    return Recipe(name="test", stages=stages, seed=3, model=Model(max_seconds=2.0), **changes)


def examples_of(recipe: Recipe, front_end: FrontEnd, folder: Path) -> ClipExamples:
    examples = open_data(recipe, folder).examples(front_end)
    assert isinstance(examples, ClipExamples)
    return examples


def assert_same(one: TrainingBatch, other: TrainingBatch) -> None:
    assert one.sounds is not None and other.sounds is not None
    assert torch.equal(one.texts["input_ids"], other.texts["input_ids"])
    assert torch.equal(one.sounds["input_features"], other.sounds["input_features"])
    assert torch.equal(one.text_keys, other.text_keys)
    assert torch.equal(one.sound_keys, other.sound_keys)
    assert torch.equal(one.hard_negative, other.hard_negative)


# --- which clips a step hears ---


def order_of(count: int, batch_size: int, steps: int, seed: int = 0) -> Order:
    seconds = np.random.default_rng(1).uniform(1, 30, count)
    return Order([seed], [count], [1.0], seconds, batch_size, steps)


def test_every_clip_is_heard_once_in_an_epoch() -> None:
    order = order_of(100, 10, 30)
    heard = [order.entry(int(p)) for step in range(30) for p in order.batch(step)]
    assert Counter(heard) == dict.fromkeys(range(100), 3)
    first = [order.entry(p) for p in range(100)]
    second = [order.entry(p) for p in range(100, 200)]
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second


def test_a_stage_that_ends_within_a_chunk_hears_no_clip_twice() -> None:
    order = order_of(5000, 16, 300)
    heard = [order.entry(int(p)) for step in range(300) for p in order.batch(step)]
    assert len(set(heard)) == len(heard) == 4800


def test_any_step_can_be_had_without_those_before() -> None:
    order = order_of(3000, 8, 700)
    batches = [order.batch(step) for step in range(700)]
    for step in (699, 0, 411):
        assert np.array_equal(order_of(3000, 8, 700).batch(step), batches[step])
    assert not np.array_equal(order_of(3000, 8, 700, seed=1).batch(411), batches[411])


def test_like_lengths_share_a_batch() -> None:
    seconds = np.random.default_rng(1).uniform(1, 30, 4000)

    def padded(batches: list[np.ndarray]) -> float:
        total = sum(seconds[batch].max() * len(batch) for batch in batches)
        return 1 - sum(seconds[batch].sum() for batch in batches) / total

    order = Order([0], [4000], [1.0], seconds, 16, 250)
    sorted_in = [np.array([order.entry(int(p)) for p in order.batch(i)]) for i in range(250)]
    at_random = np.split(np.random.default_rng(2).permutation(4000), 250)
    assert padded(sorted_in) < 0.02
    assert padded(at_random) > 0.4
    # The long ones do not all come first, or last.
    means = [seconds[batch].mean() for batch in sorted_in[:100]]
    assert abs(np.corrcoef(means, range(100))[0, 1]) < 0.3


def test_a_weight_says_how_often_a_source_is_heard() -> None:
    order = Order([0], [10, 4], [0.5, 2.0], np.ones(14), 13, 2)
    assert order.epoch_size == 13
    epochs = [Counter(order.entry(p) for p in range(e * 13, (e + 1) * 13)) for e in range(2)]
    assert all(epoch[clip] == 2 for epoch in epochs for clip in range(10, 14))
    # Half of the first source in one epoch, the other half in the next.
    assert {c for c in epochs[0] if c < 10} | {c for c in epochs[1] if c < 10} == set(range(10))


def test_sources_are_mixed_and_every_epoch_has_its_own_order() -> None:
    order = Order([0], [50, 50], [1.0, 1.0], np.ones(100), 10, 20)
    first, second = ([order.entry(p) for p in range(e * 100, (e + 1) * 100)] for e in range(2))
    for epoch in (first, second):
        assert sorted(epoch) == list(range(100))
        assert all(10 < sum(clip < 50 for clip in half) < 40 for half in (epoch[:50], epoch[50:]))
    assert first != second


# --- batches ---


def test_a_batch_follows_from_its_step_and_part_alone(
    clips: Path, front_end: FrontEnd, tmp_path: Path
) -> None:
    augment = Augment(gain_db=6, noise=0.5, time_masks=1, frequency_masks=1, mix=0.3)
    recipe = recipe_for(clips, augment=augment)
    one, other = (examples_of(recipe, front_end, tmp_path) for _ in range(2))
    made = [one.batch(step, part, 2) for step in range(6) for part in range(2)]
    torch.manual_seed(99)
    for number in (11, 3, 0):
        assert_same(other.batch(number // 2, number % 2, 2), made[number])


def test_parts_are_the_whole_batch_whatever_their_number(
    clips: Path, front_end: FrontEnd, tmp_path: Path
) -> None:
    examples = examples_of(recipe_for(clips), front_end, tmp_path)
    for step in range(3):
        whole = {tuple(row) for row in examples.batch(step).sound_keys.tolist()}
        parts = [examples.batch(step, part, 4).sound_keys.tolist() for part in range(4)]
        assert {tuple(row) for part in parts for row in part} == whole


def test_workers_make_the_same_batches(clips: Path, front_end: FrontEnd, tmp_path: Path) -> None:
    from torch.utils.data import DataLoader

    from oea_cli.training.loop.micro_batches import MicroBatches

    examples = examples_of(recipe_for(clips), front_end, tmp_path)
    loader: DataLoader[TrainingBatch] = DataLoader(
        MicroBatches(examples, 0, 1, 1), sampler=range(2, 5), batch_size=None, num_workers=2
    )
    for step, batch in zip(range(2, 5), loader, strict=True):
        assert_same(batch, examples.batch(step))


def test_a_caption_is_drawn_for_every_epoch(
    clips: Path, front_end: FrontEnd, tmp_path: Path
) -> None:
    examples = examples_of(recipe_for(clips, steps=60), front_end, tmp_path)
    drawn = Counter(examples._example(0, position).text for position in range(240))
    assert len(drawn) == 24
    per_clip = [drawn[f"tone {i}"] for i in range(12)]
    assert sum(per_clip) == pytest.approx(120, abs=40)
    assert all(0 < count < 20 for count in per_clip)


def test_a_long_clip_is_heard_in_another_place_each_time(
    front_end: FrontEnd, tmp_path: Path
) -> None:
    import soundfile

    time = np.arange(10 * 16_000) / 160_000  # says where one is
    soundfile.write(tmp_path / "long.wav", time, 16_000)
    path = write_rows(tmp_path / "clips.jsonl", [{"path": "long.wav", "captions": ["a rise"]}])
    examples = examples_of(recipe_for(path, batch_size=2), front_end, tmp_path)
    heard = [examples._example(0, position).sound.samples for position in range(8)]
    assert {len(samples) for samples in heard} == {32_000}
    starts = [float(samples[0]) for samples in heard]
    assert len({round(start, 3) for start in starts}) == 8
    assert max(starts) <= 0.8 and max(starts) - min(starts) > 0.2


# --- what fits what ---


def contrasting(folder: Path) -> tuple[Path, Path, Path]:
    """Four clips; exclusions; near-duplicates."""
    names = ("rain", "both", "rain again", "bell")
    for i, name in enumerate(names):
        write_sound(folder / f"{name}.wav", i, 1.0)
    rows = [
        {"id": "rain", "path": "rain.wav", "captions": ["Rain  falls"], "negatives": ["both"],
         "negative_captions": ["Rain and thunder", "snow falls"]},
        {"id": "both", "path": "both.wav", "captions": ["rain and thunder"]},
        {"id": "again", "path": "rain again.wav", "captions": ["rain falls"]},
        {"id": "bell", "path": "bell.wav", "captions": ["a bell tolls"]},
    ]  # fmt: skip
    exclusion = {"text": "rain without thunder", "target": "rain", "hard_negative": "both"}
    pairs = [
        {"target": "both", "hard_negative": "bell", "verdict": "same"},
        {"target": "rain", "hard_negative": "bell", "verdict": "valid"},
    ]
    return (
        write_rows(folder / "clips.jsonl", rows),
        write_rows(folder / "exclusions.jsonl", [exclusion]),
        write_rows(folder / "pairs.jsonl", pairs),
    )


def fits(batch: TrainingBatch) -> list[list[bool]]:
    return [[bool(cell) for cell in row] for row in fitting(batch.text_keys, batch.sound_keys)]


def collate(examples: ClipExamples, wanted: dict[str, str]) -> tuple[TrainingBatch, list[str]]:
    """A batch of one example per clip, with these texts where several are possible."""
    found: dict[str, Any] = {}
    for position in range(200):
        example = examples._example(0, position)
        clip = examples.stages[0].clips[example.number or 0].id
        if wanted.get(clip, example.text) == example.text:
            found.setdefault(clip, example)
    ids = ["rain", "both", "again", "bell"]
    return examples._collate(0, [found[name] for name in ids]), ids


def test_equal_captions_and_near_duplicates_are_masked(front_end: FrontEnd, tmp_path: Path) -> None:
    path, _, pairs = contrasting(tmp_path)
    recipe = recipe_for(path, near_duplicates=(str(pairs),))
    batch, _ = collate(examples_of(recipe, front_end, tmp_path), {})
    assert fits(batch) == [
        [True, False, True, False],  # two clips of the same caption
        [False, True, False, True],  # judged the same
        [True, False, True, False],
        [False, True, False, True],
    ]


def test_hard_negatives_stand_in_the_denominator(front_end: FrontEnd, tmp_path: Path) -> None:
    path, _, _ = contrasting(tmp_path)
    recipe = recipe_for(path, hard_sounds=1, hard_texts=2)
    examples = examples_of(recipe, front_end, tmp_path)
    batch, _ = collate(examples, {})
    assert batch.hard_negative.tolist() == [1, -1, -1, -1]  # it is in the batch already
    assert len(batch.text_keys) == 6 and len(batch.sound_keys) == 4
    rows = fits(batch)
    # A text that is not the clip's: masked where it is another clip's own caption.
    assert sorted(row for row in rows[4:]) == [[False] * 4, [False, True, False, False]]
    rain = next(e for e in map(examples._example, [0] * 40, range(40)) if e.number == 0)
    alone = examples._collate(0, [rain])
    assert alone.hard_negative.tolist() == [1] and len(alone.sound_keys) == 2
    assert fits(alone)[0] == [True, False]


def test_an_exclusion_fits_its_target_and_not_what_it_excludes(
    front_end: FrontEnd, tmp_path: Path
) -> None:
    path, exclusions, _ = contrasting(tmp_path)
    recipe = recipe_for(path, exclusions=(str(exclusions),), exclusion_share=0.5)
    examples = examples_of(recipe, front_end, tmp_path)
    batch, _ = collate(examples, {"rain": "rain without thunder"})
    assert batch.hard_negative.tolist() == [1, -1, -1, -1]
    assert fits(batch)[0] == [True, False, False, False]
    texts = [examples._example(0, position).text for position in range(400)]
    assert 30 < texts.count("rain without thunder") < 70


def test_a_mix_fits_what_its_parts_are_asked_for_by(front_end: FrontEnd, tmp_path: Path) -> None:
    path, exclusions, _ = contrasting(tmp_path)
    recipe = recipe_for(path, exclusions=(str(exclusions),), augment=Augment(mix=0.9))
    examples = examples_of(recipe, front_end, tmp_path)
    fit_keys, (rain, both, again, bell) = examples.stages[0].fit_keys, examples.stages[0].clips
    mix = fit_keys.of_mix(rain, bell)
    assert mix & fit_keys.of_caption(rain, rain.captions[0])
    assert mix & fit_keys.of_caption(again, again.captions[0])
    assert not mix & fit_keys.of_caption(both, both.captions[0])
    assert not mix & fit_keys.of_exclusion(rain, "rain without bells")
    text = fit_keys.of_mix_caption(rain, bell, "rain falls and a bell tolls")
    assert text & mix
    assert not any(text & fit_keys.of_sound(clip) for clip in (rain, both, again, bell))
    made = [examples._example(0, position) for position in range(40)]
    mixes = [example for example in made if example.number is None]
    assert len(mixes) > 10 and all(example.keys & example.sound.keys for example in made)


def test_exclusions_about_other_clips_are_refused(front_end: FrontEnd, tmp_path: Path) -> None:
    path, _, _ = contrasting(tmp_path)
    row = {"text": "a without b", "target": "elsewhere", "hard_negative": "both"}
    foreign = write_rows(tmp_path / "foreign.jsonl", [row])
    with pytest.raises(OeaError, match=r"foreign.jsonl: none of its rows is about two clips"):
        open_data(recipe_for(path, exclusions=(str(foreign),)), tmp_path)
    broken = write_rows(tmp_path / "broken.jsonl", [{"text": "a without b", "target": "rain"}])
    with pytest.raises(OeaError, match=r"broken.jsonl:1: an exclusion needs"):
        open_data(recipe_for(path, exclusions=(str(broken),)), tmp_path)


# --- augmentation ---


def test_gain_stays_below_clipping_and_noise_has_its_level() -> None:
    samples = np.sin(np.arange(16_000) / 10).astype(np.float32) * 0.5
    rng = np.random.default_rng(0)
    louder = [vary_waveform(rng, samples, Augment(gain_db=20), 16_000) for _ in range(40)]
    peaks = [float(np.abs(sound).max()) for sound in louder]
    assert max(peaks) <= 1.0001 and min(peaks) < 0.1
    assert all(
        np.allclose(sound / peak, samples * 2, atol=1e-2)
        for sound, peak in zip(louder, peaks, strict=True)
    )
    noisy = vary_waveform(rng, samples, Augment(noise=1.0, noise_snr=(10.0, 10.0)), 16_000)
    power = np.mean(samples**2) / np.mean((noisy - samples) ** 2)
    assert 10 * np.log10(power) == pytest.approx(10, abs=0.1)
    assert np.array_equal(vary_waveform(rng, samples, Augment(), 16_000), samples)


def test_a_mix_is_as_long_as_the_first_clip() -> None:
    rng = np.random.default_rng(0)
    first = np.sin(np.arange(8_000) / 10).astype(np.float32) * 0.5
    for length in (3_000, 20_000):
        other = rng.standard_normal(length).astype(np.float32)
        both = mixed(rng, first, other, Augment(mix=1.0, mix_snr=(0.0, 0.0)))
        assert both.shape == first.shape and np.abs(both).max() <= 1.0
        assert not np.allclose(both, first)
    assert np.array_equal(mixed(rng, first, np.zeros(100, np.float32), Augment()), first)


@pytest.mark.parametrize(
    ("second", "end"), [("A dog barks.", "a dog barks."), ("TV static", "TV static")]
)
def test_a_mixed_caption_is_one_sentence(second: str, end: str) -> None:
    rng = np.random.default_rng(0)
    made = {mixed_caption(rng, "Rain falls. ", second) for _ in range(50)}
    assert made == {f"Rain falls {joint} {end}" for joint in ("and", "while", "as", "with")}


def test_masks_blank_the_clip_and_leave_the_padding() -> None:
    augment = Augment(time_masks=2, time_width=0.5, frequency_masks=1, frequency_width=16)
    for seed in range(20):
        mel = torch.arange(128 * 300).reshape(128, 300).float() + 1
        before = mel.clone()
        mask_mel(seed, mel, 200, augment, 100)
        assert torch.equal(mel[:, 200:], before[:, 200:])
        changed = mel != before
        assert set(mel[changed].tolist()) <= {1.0}
        assert changed.all(0).sum() <= 2 * 40 and changed[:, :200].all(1).sum() <= 16
    state = torch.get_rng_state()
    mask_mel(0, mel, 200, augment, 100)
    assert torch.equal(torch.get_rng_state(), state)


# --- what is missing, broken or not to be trained on ---


def test_missing_sounds_are_named_and_too_many_stop_it(clips: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in clips.read_text().splitlines()]
    rows += [{"path": f"gone {i}.wav", "captions": ["x"]} for i in range(11)]
    path = write_rows(clips.parent / "some.jsonl", rows)
    with pytest.raises(OeaError) as caught:
        open_data(recipe_for(path), tmp_path)
    lines = str(caught.value).splitlines()
    assert "11 of 23 clips" in lines[0] and "47.8%, more than max_missing (5%)" in lines[0]
    assert len(lines) == 12 and "gone 0.wav: no such file" in lines[1]
    assert lines[-1] == "  and 1 more"
    assert len((tmp_path / MISSING_FILE).read_text().splitlines()) == 11
    told: list[str] = []
    data = open_data(recipe_for(path, max_missing=0.5), tmp_path, told.append)
    assert data.clips("clips") == 12
    assert told == ["stages.clips.data: some.jsonl 12 clips (11 missing)"]


def test_a_broken_clip_gives_its_turn_to_the_next(front_end: FrontEnd, tmp_path: Path) -> None:
    path = write_clips(tmp_path, 6)
    (tmp_path / "2.wav").write_bytes(b"no sound at all")
    examples = examples_of(recipe_for(path), front_end, tmp_path)
    order = examples.orders[0]
    places = [p for p in range(24) if order.entry(p) == 2]
    for place in places:
        after = next(p for p in range(place, place + 6) if order.entry(p) != 2)
        assert examples._example(0, place).text == examples._example(0, after).text
    batches = [examples.batch(step) for step in range(6)]
    again = examples_of(recipe_for(path), front_end, tmp_path)
    assert_same(again.batch(4), batches[4])
    (row,) = undecodable(tmp_path)
    assert row["path"].endswith("2.wav") and "cannot be decoded" in row["error"]
    data = open_data(recipe_for(path), tmp_path)
    assert data.description == "clips 6 clips; 1 of them cannot be decoded"


def test_nothing_but_broken_clips_ends_with_a_word(front_end: FrontEnd, tmp_path: Path) -> None:
    path = write_clips(tmp_path, 2)
    for i in range(2):
        (tmp_path / f"{i}.wav").write_bytes(b"no sound at all")
    examples = examples_of(recipe_for(path, batch_size=2), front_end, tmp_path)
    with pytest.raises(OeaError, match="the last of 100 clips that all are broken"):
        examples.batch(0)


def test_length_split_limit_and_root(tmp_path: Path) -> None:
    for i, seconds in enumerate((0.5, 1.0, 2.0)):
        write_sound(tmp_path / "far" / "away" / f"{i}.wav", i, seconds)
    rows = [{"path": f"away/{i}.wav", "caption": "x", "split": s} for i, s in enumerate("aab")]
    path = write_rows(tmp_path / "rows.jsonl", rows)
    source = ClipSource(path=str(path), root=str(tmp_path / "far"))
    lengths = Lengths(tmp_path)
    assert [clip.seconds for clip in read_source(source, [], lengths).clips] == [0.5, 1.0, 2.0]
    for changes, expected in [
        ({"min_seconds": 0.8}, [1.0, 2.0]),
        ({"max_seconds": 1.0}, [0.5, 1.0]),
        ({"split": "a"}, [0.5, 1.0]),
        ({"limit": 1}, [0.5]),
    ]:
        changed = source.changed(**changes)
        assert [clip.seconds for clip in read_source(changed, [], lengths).clips] == expected


def test_sounds_are_found_by_their_variants_below_a_root(tmp_path: Path) -> None:
    write_wavcaps(tmp_path)
    name = "FreeSound"
    source = ClipSource(
        path=str(tmp_path / "json_files" / name / "fsd_final.json"),
        root=str(tmp_path / "Zip_files" / name),
        max_seconds=31,
        blacklists=(str(tmp_path / "blacklist" / "blacklist_exclude_test_ac.json"),),
    )
    reading = read_source(source, [], Lengths(tmp_path))
    assert [clip.id for clip in reading.clips] == [str(number) for number in range(102, 107)]
    assert reading.kept_out == 2 and not reading.missing
    assert str(reading) == "fsd_final.json 5 clips (2 kept out)"


def test_what_is_validated_on_is_not_trained_on(front_end: FrontEnd, tmp_path: Path) -> None:
    path = write_clips(tmp_path, 8)
    held = write_rows(tmp_path / "held.jsonl", [json.loads(path.read_text().splitlines()[3])])
    recipe = recipe_for(path, validation=(ClipSource(path=str(held)),), validate_every=2)
    examples = examples_of(recipe, front_end, tmp_path)
    assert len(examples.stages[0].clips) == 7
    validation = examples.validation()
    assert validation is not None and validation.targets.tolist() == [0, 0]
    assert [len(one["input_ids"]) for one in validation.texts] == [2]
    assert [len(one["input_features"]) for one in validation.sounds] == [1]
    with pytest.raises(UsageError, match=r"validation: 1 of its clips are in a test set"):
        open_data(recipe.changed(never=(str(held),)), tmp_path)
    never = recipe_for(path, never=(str(held),))
    assert open_data(never, tmp_path).clips("clips") == 7


def test_one_file_can_be_validated_on_in_part_and_trained_on_for_the_rest(
    front_end: FrontEnd, tmp_path: Path
) -> None:
    path = write_clips(tmp_path, 8)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for number, row in enumerate(rows):
        row["split"] = "val" if number < 3 else "train"
    write_rows(path, rows)
    for part, expected in ({"limit": 2}, 6), ({"split": "val"}, 5):
        held = ClipSource(path=str(path), **part)
        recipe = recipe_for(path, validation=(held,), validate_every=2)
        assert open_data(recipe, tmp_path).clips("clips") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/data/clotho_captions_evaluation.csv", True),
        ("test_2.0.csv", True),
        ("audiocaps/eval/metadata.csv", True),
        ("/home/test/run/train.csv", False),
        ("/tmp/test_x0/clotho_captions_development.csv", False),
        ("contest.csv", False),
        ("latest/clips.jsonl", False),
    ],
)
def test_what_is_called_a_test_split(name: str, expected: bool) -> None:
    assert is_test_split(name) is expected


def test_a_test_split_within_a_folder_is_refused(tmp_path: Path) -> None:
    rows = [{"path": "a.wav", "caption": "x", "split": "test"}]
    path = write_rows(tmp_path / "rows.jsonl", rows)
    with pytest.raises(OeaError, match=r"rows.jsonl: holds a test split \('test'\)"):
        read_source(ClipSource(path=str(path)), [], Lengths(tmp_path))


# --- the published files ---


def test_counts_of_the_published_captions(shared_data: Path, tmp_path: Path) -> None:
    captions = shared_data / "captions"
    blacklist = str(captions / "wavcaps" / "blacklist_exclude_test_ac.json")
    counts = {}
    for name, source in {
        "development": ClipSource(
            path=str(captions / "clotho" / "clotho_captions_development.csv")
        ),
        "validation": ClipSource(path=str(captions / "clotho" / "clotho_captions_validation.csv")),
        "audiocaps": ClipSource(path=str(captions / "audiocaps" / "val.csv")),
        "audiocaps without": ClipSource(
            path=str(captions / "audiocaps" / "val.csv"), blacklists=(blacklist,)
        ),
        "soundbible": ClipSource(
            path=str(captions / "wavcaps" / "sb_final.json"),
            max_seconds=31,
            blacklists=(blacklist,),
        ),
    }.items():
        reading = read_source(source, [], Lengths(tmp_path))
        # The captions alone are there; every sound is missed under its own name.
        assert not reading.clips and len({one.id for one in reading.missing}) == len(
            reading.missing
        )
        counts[name] = (len(reading.missing), reading.kept_out)
    assert counts == {
        "development": (3839, 0),
        "validation": (1045, 0),
        "audiocaps": (495, 0),
        # WavCaps' list for AudioCaps' test split holds its validation split, too.
        "audiocaps without": (1, 494),
        "soundbible": (1145, 0),
    }
    held_out = blacklisted(str(captions / "clotho" / "clotho_captions_validation.csv"))
    source = ClipSource(path=str(captions / "clotho" / "clotho_captions_development.csv"))
    reading = read_source(source, held_out, Lengths(tmp_path))
    assert (len(reading.missing), reading.kept_out) == (3836, 3)


def test_clotho_is_read_with_its_five_captions(front_end: FrontEnd, tmp_path: Path) -> None:
    path = write_clotho(tmp_path, "development", 4)
    examples = examples_of(recipe_for(path), front_end, tmp_path)
    assert [len(clip.captions) for clip in examples.stages[0].clips] == [5] * 4
    assert {clip.seconds for clip in examples.stages[0].clips} == {1.0}


def test_captions_as_entries_are_heard_once_each(front_end: FrontEnd, tmp_path: Path) -> None:
    path = write_clotho(tmp_path, "development", 4)
    recipe = recipe_for(path)
    (stage,) = recipe.stages
    source = stage.data[0].changed(entries="captions")
    recipe = recipe.changed(stages=(stage.changed(data=(source,), batch_size=4, steps=5),))
    data = open_data(recipe, tmp_path)
    assert data.clips(stage.name) == 20  # of four clips, as OEA's release counts Clotho's
    examples = data.examples(front_end)
    assert isinstance(examples, ClipExamples)
    heard = [
        (example.number, example.text)
        for step in range(5)
        for example in (
            examples._example(0, int(position)) for position in examples.orders[0].batch(step)
        )
    ]
    clips = examples.stages[0].clips
    assert Counter(heard) == {(n, text): 1 for n in range(4) for text in clips[n].captions}
    by_clips = open_data(recipe_for(path), tmp_path)
    assert by_clips.clips(stage.name) == 4


def test_a_clip_of_exactly_the_longest_length_is_kept(tmp_path: Path) -> None:
    """WavCaps has 73 of exactly 31 s: 275,691 up to there, of which the paper counts 275,618."""
    for name, seconds in (("a", 30.99), ("b", 31.0), ("c", 31.01)):
        write_sound(tmp_path / f"{name}.wav", 440, 0.1)
        with (tmp_path / "clips.jsonl").open("a") as file:
            row = {"path": f"{name}.wav", "captions": ["x"], "duration": seconds}
            file.write(json.dumps(row) + "\n")
    source = ClipSource(path=str(tmp_path / "clips.jsonl"), max_seconds=31)
    reading = read_source(source, [], Lengths(tmp_path))
    assert [clip.seconds for clip in reading.clips] == [30.99, 31.0]


# --- recipes ---


def test_all_mistakes_about_clips_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "name: bad\nvalidate_every: 5\nstages:\n"
        "  - {name: a, steps: 1, modality: texts, data: [{path: clotho_captions_evaluation.csv}]}\n"
        "  - {name: b, steps: 1, data: [{path: '{cloth}/x.csv', max_seconds: 2, min_seconds: 3}]}\n"
        "  - {name: c, steps: 1, hard_sounds: 1}\n"
        "augment: {mix: 2, noise_snr: [3]}\n"
    )
    with pytest.raises(UsageError) as caught:
        load_recipe(path)
    for message in (
        "stages: all need data, or none",
        "stages.a.data[0].path: '",
        "is a test split; it is for `oea eval` alone",
        "stages.a.modality: clips are trained on in pairs",
        "stages.b.data[0]: {cloth} is none of the folders wavcaps, audiocaps, clotho, mecat",
        "stages.b.data[0].max_seconds: must be more than min_seconds",
        "stages.c.hard_sounds: has no meaning without data",
        "validate_every: needs validation",
        "augment.mix: must be between 0 and 1",
        "augment.noise_snr: must be two numbers",
    ):
        assert message in str(caught.value)


def test_paths_are_relative_to_the_file_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "below.yaml").write_text(
        "name: below\nstages:\n  - {name: s, steps: 1, data: [{path: clips.jsonl}]}\n"
    )
    above = tmp_path / "b" / "above.yaml"
    above.write_text(
        "name: above\nextends: ../a/below.yaml\nnever: [mine.csv, '{clotho}/x.csv']\n"
        "stages:\n  - {name: s, batch_size: 2}\n  - {name: t, steps: 2, data: [{path: c.csv}]}\n"
    )
    recipe = load_recipe(above)
    assert [s.data[0].path for s in recipe.stages] == [
        str(tmp_path / "a" / "clips.jsonl"),
        str(tmp_path / "b" / "c.csv"),
    ]
    assert (recipe.stages[0].batch_size, recipe.stages[0].steps) == (2, 1)
    assert recipe.never == (str(tmp_path / "b" / "mine.csv"), "{clotho}/x.csv")
    monkeypatch.setenv("OEA_CLOTHO_FOLDER", "/env")
    assert load_recipe(above).never[1] == "/env/x.csv"
    assert load_recipe(above, ["folders.clotho=/set"]).never[1] == "/set/x.csv"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("extends: absent.yaml", "extends absent.yaml, and there is no "),
        ("extends: x.yaml", "extends itself through x.yaml"),
        ("extends: [x.yaml]", "extends: must be the name of a recipe"),
    ],
)
def test_a_recipe_that_cannot_be_extended(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"name: x\n{line}\n")
    with pytest.raises(UsageError, match=message):
        load_recipe(path)


def test_missing_inputs_are_named_in_one_message(tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path / "none.jsonl", never=("{clotho}/a.csv",))
    with pytest.raises(UsageError) as caught:
        ClipData(recipe, tmp_path, lambda text: None)
    assert "folders.clotho: not set; --set folders.clotho=DIR or OEA_CLOTHO_FOLDER" in str(
        caught.value
    )
    assert "none.jsonl does not exist" in str(caught.value)


def test_a_captions_repetition_and_filler_do_not_weigh(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", 0, 1.0)
    captions = ["rain", " rain ", "None", "", "a drip"]
    rows = [
        {"path": "a.wav", "captions": captions, "start": 0.25, "end": 0.75},
        {"id": "whole", "path": "a.wav", "caption": "rain"},
        {"id": "silent", "path": "a.wav", "captions": ["None"]},
    ]
    path = write_rows(tmp_path / "clips.jsonl", rows)
    reading = read_source(ClipSource(path=str(path)), [], Lengths(tmp_path))
    assert [clip.captions for clip in reading.clips] == [("rain", "a drip"), ("rain",)]
    assert [(clip.start, clip.seconds) for clip in reading.clips] == [(0.25, 0.5), (0.0, 1.0)]
    assert reading.uncaptioned == 1


def numbers_of(names: Sequence[str]) -> tuple[list[TrainingClip], ClipNumbers]:
    clips = [TrainingClip(name, f"{name}.wav", (f"a {name}",), 1.0) for name in names]
    return clips, ClipNumbers.of(clips)


def test_pairs_that_sound_the_same_are_read_as_every_verb_reads_pairs(tmp_path: Path) -> None:
    _, numbers = numbers_of(["rain", "drizzle", "bell"])
    rows = [
        {"ids": ["rain.wav", "drizzle"]},
        {"target": "rain", "hard_negative": "bell", "verdict": "valid"},
        {"target": "drizzle", "hard_negative": "bell", "verdict": "same"},
        {"target": "rain", "hard_negative": "elsewhere"},
    ]
    path = str(write_rows(tmp_path / "pairs.jsonl", rows))
    assert read_same([path], numbers) == [("rain", "drizzle"), ("drizzle", "bell")]
    for row, message in [
        ({"ids": ["rain"]}, "broken.jsonl:1: no pair; it needs"),
        ({"target": "rain"}, "broken.jsonl:1: no 'hard_negative'"),
        ({"target": "rain", "hard_negative": "rain"}, "'rain' is its own hard negative"),
    ]:
        broken = str(write_rows(tmp_path / "broken.jsonl", [row]))
        with pytest.raises(OeaError, match=message):
            read_same([broken], numbers)


def test_exclusions_of_uiqs_files_are_found_by_their_captions(tmp_path: Path) -> None:
    clips, numbers = numbers_of(["rain", "bell"])
    about = {"audio_id": "rain", "dataset": "clotho", "original_captions": ["a rain"]}
    question = {**about, "query_type": "question", "generated_query": "what falls?"}
    exclusion = {**about, "negative_query": "rain, no bell", "negative_captions": ["A  bell"]}
    path = str(write_rows(tmp_path / "uiq.jsonl", [question, exclusion]))
    assert read_exclusions([path], clips, numbers) == {0: [("rain, no bell", 1)]}
