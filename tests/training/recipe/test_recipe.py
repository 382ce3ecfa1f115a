"""Recipes: every file in recipes/ loads, and every mistake is named before anything is trained."""

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from oea_cli.errors import OeaError, UsageError
from oea_cli.evaluation.paper.recipe import PaperRecipe
from oea_cli.records.recipe_files.fields import RecipeFile
from oea_cli.records.recipe_files.reference import json_schema, reference
from oea_cli.records.recipe_files.validation import plain_content
from oea_cli.training.recipe.loading import ENVIRONMENT, load_recipe
from oea_cli.training.recipe.recipe import Model, Recipe
from tests.commands import in_process
from tests.conftest import REPOSITORY

RECIPES = REPOSITORY / "recipes"
# The other recipes have loaders, and tests, of their own.
TRAINING = sorted(path for path in RECIPES.glob("*.yaml") if path.name != "paper-eval.yaml")
BROKEN = yaml.safe_load((Path(__file__).parent / "broken_recipes.yaml").read_text())
SMALL = "name: small\nstages:\n  - {name: words, steps: 10, modality: texts}\n"


def write(folder: Path, text: str = SMALL) -> Path:
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_shipped_recipe_loads() -> None:
    assert {"smoke.yaml", "oea-qwen3b.yaml"} <= {path.name for path in TRAINING}
    for path in TRAINING:
        recipe = load_recipe(path)
        assert all(stage.steps or stage.epochs for stage in recipe.stages)


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
        ("seed: soon", "seed: must be a whole number; got 'soon'"),
        ("seed: true", "seed: must be a whole number; got True"),
        ("precision: float8", "precision: must be one of float32, bfloat16; got 'float8'"),
        ("temperature: 0", "temperature: must be greater than 0; got 0.0"),
        ("augment: {noise: 1.5}", "augment.noise: must be between 0 and 1; got 1.5"),
        ("augment: [1]", "augment: must be keys and values; got [1]"),
        ("matryoshka: 1", "matryoshka: must be a list; got 1"),
        ("folders: {clotho: 7}", "folders.clotho: must be a folder; got 7"),
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
        "stages[1].steps: must be a whole number; got 'many'",
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
    path = write(tmp_path, SMALL + "folders: {clotho: ../clips}\n")
    assert load_recipe(path).folders.clotho == tmp_path.parent / "clips"
    # From wherever it is read, it is the same recipe: a run goes on from another folder, too.
    assert load_recipe(Path(os.path.relpath(path))) == load_recipe(path)
    monkeypatch.setenv("OEA_CLOTHO_FOLDER", str(tmp_path / "elsewhere"))
    assert load_recipe(path).folders.clotho == tmp_path / "elsewhere"
    recipe = load_recipe(path, ["folders.clotho=/mine", "seed=5"])
    assert recipe.folders.clotho == Path("/mine")
    assert recipe.seed == 5


def test_set_reaches_a_stage_by_name_and_by_number(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert load_recipe(path, ["stages.words.steps=3"]).stages[0].steps == 3
    recipe = load_recipe(path, ["stages.0.learning_rate=1e-3"])
    assert recipe.stages[0].learning_rate == 0.001


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "--set seed: must be key=value"),
        ("sead=3", "--set sead=3: unknown key; did you mean seed?"),
        ("stages.words.steps=x", "--set stages.words.steps=x: must be a whole number; got 'x'"),
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
    with pytest.raises(OeaError, match="no such file") as caught:
        load_recipe(tmp_path / "absent.yaml")
    assert caught.value.exit_code == 1, "what is named and not there is no wrong usage"


def test_a_resolved_recipe_can_be_read_back(tmp_path: Path) -> None:
    import yaml

    recipe = load_recipe(RECIPES / "oea-qwen3b.yaml", ["seed=3"])
    path = tmp_path / "resolved.yaml"
    path.write_text(yaml.safe_dump(plain_content(recipe)), encoding="utf-8")
    assert load_recipe(path) == recipe


def test_the_model_section_is_what_a_new_model_takes() -> None:
    from oea_cli.encoder.omni.fresh import ModelSizes

    assert {item.name for item in dataclasses.fields(ModelSizes)} <= set(Model.model_fields)


# --- every mistake, as it has always been named ---


@pytest.fixture(autouse=True)
def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's folders."""
    for name in ENVIRONMENT.values():
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: "; ".join(case["says"][1:])[:60])
def test_what_is_said_about_a_broken_recipe(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(case["recipe"], encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_recipe(path, [case["set"]] if "set" in case else [])
    lines = str(caught.value).replace(str(tmp_path), "FOLDER").splitlines()
    assert [line.strip() for line in lines] == case["says"]


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    """Ten aliases of ten aliases, ten times over."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for i in range(1, 10):
        lines.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]")
    text = "\n".join([*lines, "name: x", "model: *a9", "never: *a9", "stages: []", ""])
    with pytest.raises(UsageError) as caught:
        load_recipe(write(tmp_path, text))
    assert "its aliases stand for more than 100,000 values" in str(caught.value)
    assert len(str(caught.value)) < 200


def test_no_file_is_read_without_end(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"extends: must be the name of a file; got '/dev/zero'"):
        load_recipe(write(tmp_path, "extends: /dev/zero\n"))
    with pytest.raises(UsageError, match=r"/dev/zero: is larger than 1,000,000 bytes"):
        load_recipe(Path("/dev/zero"))


# --- as a value of Python ---


def test_a_changed_recipe_is_checked_anew(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path))
    assert recipe.changed(seed=9).seed == 9 and recipe.seed == 0
    with pytest.raises(ValidationError, match="greater than 0"):
        recipe.changed(temperature=0.0)
    with pytest.raises(ValidationError, match=r"stages\.words\.patience: needs validate_every"):
        recipe.changed(stages=(recipe.stages[0].changed(patience=2),))


# --- what is made from it for editors and people ---


@pytest.mark.parametrize(
    ("name", "kind"), [("recipe", Recipe), ("paper-eval", PaperRecipe)], ids=["recipe", "paper"]
)
def test_the_stored_schema_is_that_of_the_recipes(name: str, kind: type[RecipeFile]) -> None:
    stored = (RECIPES / f"{name}.schema.json").read_text(encoding="utf-8")
    assert stored == json_schema(kind), "run `python tests/recipe_schemas.py`"


def test_every_recipe_names_its_schema() -> None:
    for path in [*RECIPES.glob("*.yaml"), *RECIPES.glob("mini/*.yaml")]:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        prefix, _, schema = first.partition("=")
        assert prefix == "# yaml-language-server: $schema" and (path.parent / schema).is_file()


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: path.stem)
def test_every_key_of_a_shipped_recipe_is_in_the_schema(path: Path) -> None:
    schema = json.loads((RECIPES / "recipe.schema.json").read_text(encoding="utf-8"))
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(tree) <= set(schema["properties"])
    for stage in tree.get("stages", ()):
        assert set(stage) <= set(schema["$defs"]["Stage"]["properties"])


@pytest.mark.parametrize("kind", [Recipe, PaperRecipe])
def test_the_reference_describes_every_key(kind: type[RecipeFile]) -> None:
    page, lines = reference(kind), reference(kind, markdown=False)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 20
    for row in rows:
        key, holds, _, meaning = (cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1])
        assert holds and meaning.endswith("."), row
        assert meaning.replace("\\|", "|") in lines and f"{key.strip('`')}  (" in lines


def test_the_verb_explains_a_recipe() -> None:
    done = in_process.run(["train", "--explain"])
    assert done.returncode == 0, done.stderr
    assert done.stdout == reference(Recipe, markdown=False)
    assert "stages[].learning_rate  (number above 0, 0.002)" in done.stdout
