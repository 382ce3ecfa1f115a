"""Recipes: every file in recipes/ loads, and every mistake is named before anything is trained."""

import dataclasses
import os
from pathlib import Path

import pytest

from oea_cli.errors import UsageError
from oea_cli.recipe import Model, Recipe, load_recipe, recipe_content

RECIPES = Path(__file__).parent.parent / "recipes"
# The other recipes have loaders, and tests, of their own.
TRAINING = sorted(path for path in RECIPES.rglob("*.yaml") if "\nstages:" in path.read_text())
SMALL = "name: small\nstages:\n  - {name: words, steps: 10, modality: texts}\n"


def write(folder: Path, text: str = SMALL) -> Path:
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_shipped_recipe_loads() -> None:
    assert {"mini.yaml", "smoke.yaml"} <= {path.name for path in TRAINING}
    for path in TRAINING:
        recipe = load_recipe(path)
        assert all(stage.steps or stage.epochs for stage in recipe.stages)


def test_the_compared_recipes_differ_in_what_they_say_they_do() -> None:
    compared = Path(__file__).parent / "benchmarks" / "comparison"
    load_recipe(compared / "backbone.yaml")
    release, paper, ours = (
        load_recipe(compared / f"{name}.yaml") for name in ("release", "paper", "ours")
    )
    assert release.model == paper.model == ours.model
    assert release.sounds == paper.sounds == ours.sounds
    seen = {one.stages[0].steps * one.stages[0].batch_size for one in (release, paper, ours)}
    assert len(seen) == 1
    assert (release.stages[0].negatives_within, paper.stages[0].negatives_within) == (4, 0)
    assert [one.stages[0].masks for one in (release, paper, ours)] == [False, False, True]
    assert [one.texts.exclusion > 0 for one in (release, paper, ours)] == [False, False, True]


def test_every_shipped_recipe_says_how_to_launch_it() -> None:
    for path in TRAINING:
        header = path.read_text(encoding="utf-8").split("name:")[0]
        assert f"oea train recipes/{path.name}" in header
        assert "--set" in header


def test_left_out_keys_take_the_defaults(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path))
    assert recipe.model == Model()
    assert recipe.temperature == 0.07


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("temperatur: 0.1", "temperatur: unknown key; did you mean temperature?"),
        ("model: {hiden_size: 4}", "model.hiden_size: unknown key; did you mean model.hidden_size"),
        ("seed: soon", "seed: needs a whole number, not 'soon'"),
        ("seed: true", "seed: needs a whole number, not True"),
        ("precision: float8", "precision: must be one of float32, bfloat16, not 'float8'"),
        ("temperature: 0", "temperature: must be greater than 0, not 0.0"),
        ("texts: {filler: 1.5}", "texts.filler: must lie between 0 and 1, not 1.5"),
        ("sounds: [1]", "sounds: needs keys and values, not [1]"),
        ("sounds: {folds: 1}", "sounds.folds: needs a list, not 1"),
        ("sounds: {esc10: 7}", "sounds.esc10: needs a folder, not 7"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe(write(tmp_path, SMALL + line + "\n"))
    assert message in str(caught.value)
    assert "1 mistake\n" in str(caught.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    text = "stages:\n  - {name: a, stepps: 3}\n  - {name: b, steps: many}\nsede: 1\n"
    with pytest.raises(UsageError) as caught:
        load_recipe(write(tmp_path, text))
    for message in [
        "name: is missing",
        "stages[0].stepps: unknown key; did you mean stages[0].steps?",
        "stages[1].steps: needs a whole number, not 'many'",
        "sede: unknown key; did you mean seed?",
    ]:
        assert message in str(caught.value)


def test_what_contradicts_itself_is_refused(tmp_path: Path) -> None:
    text = SMALL + "  - {name: words, steps: 1}\nmodel: {hidden_size: 50, text_heads: 4}\n"
    with pytest.raises(UsageError) as caught:
        load_recipe(write(tmp_path, text))
    assert "two are called 'words'" in str(caught.value)
    assert "must be a multiple of model.text_heads" in str(caught.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("model: {base: mini, hidden_size: 64}", "model.hidden_size: is model.base's own"),
        ("model: {lora_rank: 8}", "model.lora_rank: has no meaning without model.base"),
        (
            "model: {base: mini, trainable: some}",
            "model.trainable: must be one of lora, heads, all",
        ),
        ("matryoshka: [1024, 64]", "matryoshka: 1024 does not lie within model.dim"),
        ("stages: [{name: a}]", "stages.a: needs steps or epochs, one of them"),
        ("stages: [{name: a, steps: 1, epochs: 2}]", "stages.a: needs steps or epochs, one of"),
        (
            "stages: [{name: a, steps: 1, batch_size: 10, micro_batch: 4}]",
            "stages.a.micro_batch: 10 pairs cannot be cut into 4s",
        ),
        (
            "stages: [{name: a, steps: 1, batch_size: 10, negatives_within: 4}]",
            "stages.a.negatives_within: 10 pairs cannot be cut into 4s",
        ),
        (
            "stages: [{name: a, steps: 1, data: [{path: c.jsonl}], hard_sounds: 1, "
            "negatives_within: 4}]",
            "stages.a.negatives_within: hard negatives belong to the whole batch",
        ),
        ("stages: [{name: a, steps: 1, patience: 2}]", "stages.a.patience: needs validate_every"),
    ],
)
def test_what_cannot_be_trained_is_refused(tmp_path: Path, more: str, message: str) -> None:
    text = f"name: x\n{more}\n" if "stages:" in more else SMALL + more + "\n"
    with pytest.raises(UsageError) as caught:
        load_recipe(write(tmp_path, text))
    assert message in str(caught.value)
    assert "1 mistake\n" in str(caught.value)


def test_a_base_is_a_folder_beside_the_recipe_or_a_repository(tmp_path: Path) -> None:
    (tmp_path / "encoders" / "mine").mkdir(parents=True)
    path = write(tmp_path, SMALL + "model: {base: encoders/mine}\n")
    assert load_recipe(path).model.base == str(tmp_path / "encoders" / "mine")
    path = write(tmp_path, SMALL + "model: {base: Qwen/Qwen2.5-Omni-3B}\n")
    assert load_recipe(path).model.base == "Qwen/Qwen2.5-Omni-3B"


def test_set_wins_over_environment_over_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, SMALL + "sounds: {esc10: ../clips}\n")
    assert load_recipe(path).sounds.esc10 == tmp_path.parent / "clips"
    # From wherever it is read, it is the same recipe: a run goes on from another folder, too.
    assert load_recipe(Path(os.path.relpath(path))) == load_recipe(path)
    monkeypatch.setenv("OEA_ESC10", str(tmp_path / "elsewhere"))
    assert load_recipe(path).sounds.esc10 == tmp_path / "elsewhere"
    recipe = load_recipe(path, ["sounds.esc10=/mine", "seed=5"])
    assert recipe.sounds.esc10 == Path("/mine")
    assert recipe.seed == 5


def test_set_reaches_a_stage_by_name_and_by_number(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert load_recipe(path, ["stages.words.steps=3"]).stages[0].steps == 3
    recipe = load_recipe(path, ["stages.0.learning_rate=1e-3"])
    assert recipe.stages[0].learning_rate == 0.001


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "--set seed: write key=value"),
        ("sead=3", "sead: unknown key; did you mean seed?"),
        ("stages.verbs.steps=3", "there is no 'stages.verbs' in this recipe"),
        ("seed=[", "not a YAML value"),
    ],
)
def test_a_wrong_override_is_named(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe(write(tmp_path), [override])
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["[1, 2]", "name: [", ""])
def test_what_is_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        load_recipe(write(tmp_path, text))
    with pytest.raises(UsageError, match="cannot be read"):
        load_recipe(tmp_path / "absent.yaml")


def test_a_resolved_recipe_can_be_read_back(tmp_path: Path) -> None:
    import yaml

    recipe = load_recipe(RECIPES / "mini.yaml", ["seed=3"])
    path = tmp_path / "resolved.yaml"
    path.write_text(yaml.safe_dump(recipe_content(recipe)), encoding="utf-8")
    assert load_recipe(path) == recipe


def test_the_model_section_is_what_a_new_model_takes() -> None:
    from oea_cli.encoder.omni.fresh import ModelSizes

    names = {item.name for item in dataclasses.fields(Model)}
    assert {item.name for item in dataclasses.fields(ModelSizes)} <= names
    assert all(dataclasses.is_dataclass(part) for part in (Model, Recipe))
