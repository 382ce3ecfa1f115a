"""The recipe of the paper's evaluation: checked in full, cut into units, compared."""

from pathlib import Path

import orjson
import pytest

from oea_cli.errors import UsageError
from oea_cli.evaluation.paper.published import DATASETS, paper_table
from oea_cli.evaluation.paper.recipe import PaperRecipe, load_paper_recipe, missing_inputs
from oea_cli.evaluation.paper.units import SETTINGS_KEY, Unit, beside_paper, units
from tests.conftest import REPOSITORY

RECIPES = REPOSITORY / "recipes"
PAPER = [path for path in sorted(RECIPES.rglob("*.yaml")) if "\ntasks:" in path.read_text()]
SMALL = """
name: small
output: results
datasets: [{name: clotho, records: clotho.csv}]
encoders: [{name: mini}]
tasks: [{name: captions, kind: text-to-audio, metrics: [r@1, r@5, r@10], tables: [2]}]
"""


@pytest.fixture(autouse=True)
def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's folders."""
    for name in (*DATASETS, "uiq"):
        monkeypatch.delenv(f"OEA_{name.upper()}", raising=False)


def load(folder: Path, text: str = SMALL, *overrides: str) -> PaperRecipe:
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return load_paper_recipe(path, overrides)


def refused(folder: Path, text: str = SMALL, *overrides: str) -> str:
    with pytest.raises(UsageError) as caught:
        load(folder, text, *overrides)
    return str(caught.value)


def finish(unit: Unit) -> None:
    unit.folder.mkdir(parents=True, exist_ok=True)
    unit.result.write_bytes(orjson.dumps({SETTINGS_KEY: unit.settings}))


class TestShipped:
    def test_it_loads_and_covers_the_tables(self) -> None:
        assert [path.name for path in PAPER] == ["paper-eval.yaml"]
        recipe = load_paper_recipe(PAPER[0])
        tables = {number for task in recipe.tasks for number in task.tables}
        assert tables == {2, 3, 4, 12, 13, 14, 15, 16, 17}
        assert [dataset.name for dataset in recipe.datasets] == list(DATASETS)
        assert {encoder.row for encoder in recipe.encoders} == {
            row for row in paper_table(2).encoders if not row.endswith("clap")
        }
        assert len(units(recipe)) == 9 * 3

    def test_its_header_explains_it(self) -> None:
        header = PAPER[0].read_text(encoding="utf-8").split("\nname:")[0]
        for word in ("--set", "OEA_UIQ", "OUTPUT/ENCODER/DATASET", "paper_tables.yaml"):
            assert word in header

    def test_what_is_missing_is_named_at_once(self) -> None:
        missing = missing_inputs(load_paper_recipe(PAPER[0]))
        assert missing == [
            *(
                f"{name}: no records; --set datasets.{name}.records=FILE or OEA_{name.upper()} "
                "gives its captions"
                for name in DATASETS
            ),
            "uiq: not set; --set uiq=DIR or OEA_UIQ names the folder of the UIQ release",
        ]


class TestMistakes:
    @pytest.mark.parametrize(
        ("override", "message"),
        [
            ("ouput=x", "--set ouput=x: unknown key; did you mean output?"),
            (
                "datasets.clotho.record=x",
                "--set datasets.clotho.record=x: unknown key; did you mean data",
            ),
            ("datasets.0.name=cloto", "datasets.cloto.name: 'cloto' is unknown; did you mean 'clo"),
            (
                "datasets.clotho.clips=0",
                "--set datasets.clotho.clips=0: must be greater than 0; got 0",
            ),
            ("encoders=[]", "encoders: needs at least one"),
            ("encoders=[{name: a}, {name: a}]", "encoders: two are called 'a'"),
            ("encoders=[{name: ../a}]", "encoders: '../a' names a folder of results"),
            (
                "encoders.mini.paper=OEA-Qwen3",
                "encoders.mini.paper: 'OEA-Qwen3' is unknown; did you mean 'oea-qwen",
            ),
            ("tasks.captions.kind=t2a", "tasks.captions.kind: 't2a' is unknown"),
            ("tasks.captions.captions=two", "captions: 'two' is unknown; did you mean 'one'?"),
            ("tasks.captions.types=[question]", "a task of kind uiq needs query types, and no ot"),
            ("tasks.captions.kind=uiq", "a task of kind uiq needs query types, and no other has"),
            ("tasks.captions.datasets=[mecat]", "datasets: 'mecat' is unknown; did you mean 'clo"),
            ("tasks.captions.metrics=[r@1]", "tables: Table 2 needs r@5, r@10 among the metrics"),
            (
                "tasks.captions.tables=[5]",
                "tasks.captions.tables: Table 5 of the paper is not included",
            ),
        ],
    )
    def test_a_mistake_is_named(self, tmp_path: Path, override: str, message: str) -> None:
        said = refused(tmp_path, SMALL, override)
        assert message in said
        assert said.startswith((f"{tmp_path / 'small.yaml'}: 1 mistake\n", f"--set {override}: "))

    @pytest.mark.parametrize(
        ("metric", "message"),
        [
            ("hsnr@10", "hsnr@10: no such metric; did you mean hnsr@10?"),
            ("r@0", "r@0: a cutoff must be 1 or more"),
            ("r", "r: r needs a cutoff; write r@10"),
            ("delta-rnk", "delta-rnk: no such metric; did you mean delta-rank?"),
        ],
    )
    def test_metrics(self, tmp_path: Path, metric: str, message: str) -> None:
        said = refused(tmp_path, SMALL.replace("r@10]", f"r@10, {metric}]"))
        assert f": 1 mistake\n  tasks.captions.metrics: {message}" in said

    def test_all_at_once(self, tmp_path: Path) -> None:
        text = SMALL.replace("clotho", "cloto").replace("r@1,", "hsnr@1,") + "sed: 1\n"
        lines = refused(tmp_path, text).splitlines()
        assert lines[1] == "  sed: unknown key; did you mean seed?"
        rest = refused(tmp_path, text.replace("sed: 1\n", "")).splitlines()
        assert len(rest) == 4  # the dataset, the metric, the table without its metric
        assert lines[2:] == rest[1:]

    def test_what_is_no_recipe_of_this_kind(self, tmp_path: Path) -> None:
        assert "stages: unknown key" in refused(tmp_path, SMALL + "stages: []\n")
        assert "name: is missing" in refused(tmp_path, "output: x\n")


class TestWhereValuesComeFrom:
    def test_the_files_own_paths_are_relative_to_it(self, tmp_path: Path) -> None:
        recipe = load(tmp_path, SMALL + "uiq: UIQ\n")
        assert recipe.output == tmp_path / "results"
        assert recipe.uiq == tmp_path / "UIQ"
        assert recipe.datasets[0].records == str(tmp_path / "clotho.csv")

    def test_set_wins_over_environment_over_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OEA_CLOTHO", "mine.csv")
        monkeypatch.setenv("OEA_UIQ", "/uiq")
        monkeypatch.setenv("HOME", "/home/me")
        recipe = load(tmp_path)
        assert (recipe.datasets[0].records, recipe.uiq) == (
            str(Path.cwd() / "mine.csv"),
            Path("/uiq"),
        )
        recipe = load(tmp_path, SMALL, "datasets.clotho.records=~/c.csv", "uiq=~/u")
        assert recipe.datasets[0].records == "/home/me/c.csv"
        assert recipe.uiq == Path("/home/me/u")
        remote = load(tmp_path, SMALL, "datasets.clotho.records=s3://bucket/c.csv")
        assert remote.datasets[0].records == "s3://bucket/c.csv"
        assert missing_inputs(remote) == []

    def test_files_that_are_not_there(self, tmp_path: Path) -> None:
        task = "{name: q, kind: uiq, types: [question, negative], metrics: [r@5], tables: []}"
        text = SMALL.replace("tasks: [", f"uiq: UIQ\ntasks: [{task}, ")
        said = missing_inputs(load(tmp_path, text))
        assert len(said) == 3
        assert said[0].startswith(f"clotho: {tmp_path / 'clotho.csv'} does not exist; --set data")
        assert said[2].startswith(f"{tmp_path / 'UIQ/clotho'}: no *_negative_queries.jsonl in it; ")
        (tmp_path / "clotho.csv").touch()
        (tmp_path / "UIQ/clotho").mkdir(parents=True)
        for type in ("question", "imperative", "negative"):
            (tmp_path / f"UIQ/clotho/clotho_evaluation_{type}_queries.jsonl").touch()
        recipe = load(tmp_path, text)
        assert missing_inputs(recipe) == []
        # The negative rows' hard negatives are found by the captions in all positive files.
        assert [path.name.split("_")[2] for path in units(recipe)[0].query_files] == [
            "question",
            "imperative",
            "negative",
        ]


class TestUnits:
    def test_one_per_encoder_and_dataset_each_in_its_folder(self, tmp_path: Path) -> None:
        text = SMALL.replace("[{name: clotho", "[{name: mecat}, {name: clotho")
        text = text.replace("[{name: mini}]", "[{name: mini}, {name: oea-qwen3b}]")
        second = "{name: t, kind: text-to-text, metrics: [r@1, r@5, r@10], tables: [3]}"
        text = text.replace("tables: [2]}]", f"tables: [2], datasets: [clotho]}}, {second}]")
        found = units(load(tmp_path, text))
        assert [unit.folder.relative_to(tmp_path).as_posix() for unit in found] == [
            "results/mini/mecat",
            "results/mini/clotho",
            "results/oea-qwen3b/mecat",
            "results/oea-qwen3b/clotho",
        ]
        assert [[task.name for task in unit.tasks] for unit in found[:2]] == [
            ["t"],
            ["captions", "t"],
        ]

    def test_what_is_done_is_done_from_any_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (first,) = units(load(tmp_path))
        finish(first)
        monkeypatch.chdir(tmp_path)
        (again,) = units(load_paper_recipe(Path("small.yaml")))
        assert again.is_done() and again.folder == first.folder
        (other,) = units(load(tmp_path, SMALL, "datasets.clotho.records=clotho.csv"))
        assert other.is_done()

    def test_what_is_done_stays_done_until_its_settings_change(self, tmp_path: Path) -> None:
        text = SMALL.replace("[{name: mini}]", "[{name: mini}, {name: other}]")
        first, second = units(load(tmp_path, text))
        assert not first.is_done() and not second.is_done()
        finish(first)
        assert [unit.is_done() for unit in units(load(tmp_path, text))] == [True, False]
        moved = units(load(tmp_path, text, "encoders.other.model=x"))[0]
        assert moved.is_done(), "another encoder's settings are none of its own"
        for change in ("seed=1", "encoders.mini.revision=abc", "tasks.captions.captions=one"):
            assert not units(load(tmp_path, text, change))[0].is_done(), change

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"settings": "0"}'])
    def test_half_a_result_is_none(self, tmp_path: Path, content: bytes) -> None:
        (unit,) = units(load(tmp_path))
        unit.folder.mkdir(parents=True)
        unit.result.write_bytes(content)
        assert not unit.is_done()


class TestBesideThePaper:
    def test_all_tables_from_the_papers_own_figures(self) -> None:
        """What the paper prints, put in as ours, comes out with no difference anywhere."""
        recipe = load_paper_recipe(PAPER[0])
        encoder = "oea-qwen3b-cl"
        results = {(encoder, dataset): paper_figures(encoder, dataset) for dataset in DATASETS}
        rows = beside_paper(recipe, results)
        assert {row.encoder for row in rows} == {"OEA-Qwen3B(+Cl)"}
        counts = {number: sum(row.table == number for row in rows) for number in range(2, 18)}
        per_dataset = dict.fromkeys((2, 3, 12, 13, 14, 15), 12)
        assert {n: c for n, c in counts.items() if c} == {**per_dataset, 4: 6, 17: 7}
        for row in rows:
            assert row.difference == pytest.approx(0, abs=0.0101), row

    def test_parts_that_are_not_measured_yet(self) -> None:
        recipe = load_paper_recipe(PAPER[0])
        figures = paper_figures("oea-qwen3b", "clotho")
        rows = beside_paper(recipe, {("oea-qwen3b", "clotho"): figures})
        assert {row.dataset for row in rows} == {"clotho"}
        assert {row.table for row in rows} == {2, 3, 12, 13, 14, 15}
        assert beside_paper(recipe, {}) == []

    def test_cost(self) -> None:
        recipe = load_paper_recipe(PAPER[0])
        measured = {"cost": {"audio ms": 273.0, "text ms": 46.6}}
        rows = beside_paper(recipe, {("oea-qwen3b", "clotho"): measured})
        assert [(row.metric, row.ours, row.paper, row.unit) for row in rows] == [
            ("audio ms", 273.0, 539.3, "ms per clip"),
            ("text ms", 46.6, 2.6, "ms per query"),
        ]


def paper_figures(encoder: str, dataset: str) -> dict[str, dict[str, float]]:
    """The figures of one encoder and dataset as tasks would measure them: fractions."""
    recalls = ("r@1", "r@5", "r@10")

    def cells(number: int, prefix: str = "") -> dict[str, float]:
        table = paper_table(number).cells
        return {f"{prefix}{m}": table[encoder, dataset, m] / 100 for m in recalls}

    types = {12: "question", 13: "imperative", 14: "paraphrase", 15: "tagging"}
    queries: dict[str, float] = {}
    for number, type in types.items():
        queries |= cells(number, f"{type} ")
    negative = {
        f"negative {metric}": value if metric == "delta-rank" else value / 100
        for (name, _, metric), value in paper_table(17).cells.items()
        if name == encoder
    }
    return {
        "captions": cells(2),
        "captions-to-captions": cells(3),
        "queries": queries,
        "exclusions": negative,
    }
