"""Servers as encoders, against a real HTTP server that also fails, waits and lies."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.streaming.stream import stream
from oea_cli.errors import OeaError, UsageError, raise_failure
from tests.commands.in_process import run
from tests.encoder.embeddings_server import DIM, EmbeddingsServer, serving, vector_of

TEXTS = [f"text number {i}" for i in range(150)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingsServer]:
    monkeypatch.delenv("OEA_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving() as running:
        yield running


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("encoding", ["base64", "float"])
def test_texts_in_batches(server: EmbeddingsServer, encoding: str) -> None:
    name = f"{server.address}?encoding={encoding}&model=words"
    encoder = load_encoder(name)
    expected = unit(np.stack([vector_of(text) for text in TEXTS]))
    np.testing.assert_allclose(encoder.encode_text(TEXTS), expected, atol=1e-6)
    assert [len(body["input"]) for body in server.bodies] == [1, 64, 64, 22]
    assert {body["encoding_format"] for body in server.bodies} == {encoding}
    assert encoder.dim == DIM and encoder.encode_text([]).shape == (0, DIM)
    assert encoder.name == name and encoder.device == "cpu"


def test_prompts_and_dimensions(server: EmbeddingsServer) -> None:
    encoder = load_encoder(f"{server.address}?model=words&text_prompt=find: &dim=8")
    expected = unit(vector_of("find: rain")[None, :8])
    np.testing.assert_allclose(encoder.encode_text(["rain"]), expected, atol=1e-6)
    around = load_encoder(f"{server.address}?model=words&text_prompt={{}} in one word")
    expected = unit(vector_of("rain in one word")[None])
    np.testing.assert_allclose(around.encode_text(["rain"]), expected, atol=1e-6)


def test_the_fingerprint_is_of_the_model_not_of_the_host(server: EmbeddingsServer) -> None:
    words = load_encoder(f"{server.address}?model=words")
    with serving() as other:
        assert load_encoder(f"{other.address}?model=words").fingerprint == words.fingerprint
    for options in ("model=slow", "model=words&text_prompt=q", "model=words&texts=messages"):
        assert load_encoder(f"{server.address}?{options}").fingerprint != words.fingerprint


def test_sounds_go_as_wav_in_messages(server: EmbeddingsServer) -> None:
    place = f"{server.address}?model=sounds&audio=messages&audio_prompt=hear {{}}!"
    clips = [np.linspace(-0.5, 0.5, n, dtype=np.float32) for n in (16_000, 800, 1)]
    encoder = load_encoder(f"{place}&sample_rate=8000&wav=pcm16&max_seconds=20")
    assert encoder.encode_audio(clips).shape == (3, DIM) and len(server.bodies) == 4
    assert (encoder.sample_rate, encoder.max_seconds) == (8_000, 20)
    (message,) = server.bodies[1]["messages"]
    before, sound, after = message["content"]
    assert (before["text"], after["text"]) == ("hear ", "!")
    assert sound["type"] == "input_audio" and sound["input_audio"]["format"] == "wav"
    prepared = encoder.prepare_audio(clips[::-1])
    ours = encoder.encode_prepared(prepared)[::-1]
    np.testing.assert_array_equal(ours, encoder.encode_audio(clips))
    assert encoder.encode_audio([]).shape == (0, DIM)
    deaf = load_encoder(f"{server.address}?model=words")
    with pytest.raises(
        OeaError, match="does not take sounds; with audio=messages in its name it does"
    ):
        deaf.encode_audio(clips)


@pytest.fixture(scope="module")
def omni(tiny_encoder: Path) -> Iterator[EmbeddingsServer]:
    """Serves the tiny encoder's backbone, as vLLM does a merged checkpoint."""
    with serving(tiny_encoder) as running:
        yield running


def test_the_adapters_heads_are_applied_here(omni: EmbeddingsServer, tiny_encoder: Path) -> None:
    whole = load_encoder(str(tiny_encoder), device="cpu")
    encoder = load_encoder(f"{omni.address}?model=tiny-omni&adapter={tiny_encoder}")
    texts = ["a dog barks", "<|AUDIO|> rain"]
    np.testing.assert_allclose(encoder.encode_text(texts), whole.encode_text(texts), atol=1e-5)
    rng = np.random.default_rng(0)
    clips = [0.1 * rng.standard_normal(n).astype(np.float32) for n in (16_000, 50_001, 1)]
    np.testing.assert_allclose(encoder.encode_audio(clips), whole.encode_audio(clips), atol=1e-5)
    assert (encoder.dim, encoder.max_seconds) == (whole.dim, whole.max_seconds)


def test_heads_that_do_not_fit_the_server(server: EmbeddingsServer, tiny_encoder: Path) -> None:
    with pytest.raises(
        OeaError, match="its heads take vectors of 64 numbers, the server's have 16"
    ):
        load_encoder(f"{server.address}?model=words&adapter={tiny_encoder}")
    with pytest.raises(OeaError, match=r"encoder\.json: cannot be read"):
        load_encoder(f"{server.address}?model=words&adapter=nowhere")


def test_many_requests_are_under_way_and_order_is_kept(server: EmbeddingsServer) -> None:
    encoder = load_encoder(f"{server.address}?model=slow")
    records = [{"id": str(i), "text": text} for i, text in enumerate(TEXTS)]
    started = time.monotonic()
    batches = list(stream(encoder, records, batch_size=5, report=raise_failure))
    elapsed = time.monotonic() - started
    assert 4 <= server.most_at_once <= 8
    assert elapsed < 0.6 * 30 * 0.2, "30 requests of 0.2 s, one after the other, take 6 s"
    assert [r["id"] for batch in batches for r in batch.records] == [r["id"] for r in records]
    vectors = np.concatenate([batch.vectors for batch in batches])
    expected = unit(np.stack([vector_of(text) for text in TEXTS]))
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_a_busy_server_is_waited_for(server: EmbeddingsServer) -> None:
    encoder = load_encoder(f"{server.address}?model=flaky")
    started = time.monotonic()
    np.testing.assert_allclose(
        encoder.encode_text(["rain"]), unit(vector_of("rain")[None]), atol=1e-6
    )
    assert time.monotonic() - started >= 1.0, "Retry-After is honoured"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nothing", r"has no model 'nothing', or no such address \(404: The model `nothing`"),
        ("locked", r"needs a key \(401\); set OEA_API_KEY or OPENAI_API_KEY$"),
        ("html", "the answer contains no embeddings; is it the address of an OpenAI-compatible"),
        ("strange", "the answer contains no embeddings"),
        ("few", "sent 0 vectors for 1 inputs"),
        ("down", "answered 500: out of memory"),
        ("elsewhere", "redirects to http://127.0.0.1:9/v1/embeddings, which is not followed"),
    ],
)  # fmt: skip
def test_failures_are_one_line(server: EmbeddingsServer, model: str, message: str) -> None:
    with pytest.raises(OeaError, match=message) as caught:
        load_encoder(f"{server.address}?model={model}")
    assert str(caught.value).startswith(f"{server.address}: ")
    assert "\n" not in str(caught.value)


def test_wrong_addresses(server: EmbeddingsServer) -> None:
    with pytest.raises(OeaError, match="has no model 'words', or no such address"):
        load_encoder(f"{server.address}/v2?model=words")
    started = time.monotonic()
    with pytest.raises(OeaError, match=r"^http://127.0.0.1:9/v1: cannot be reached \(.*refused"):
        load_encoder("http://127.0.0.1:9/v1?model=words")
    assert time.monotonic() - started < 5, "what is not there is not waited for"


def test_vectors_that_change_their_length_or_are_no_numbers(server: EmbeddingsServer) -> None:
    grows = load_encoder(f"{server.address}?model=grows")
    with pytest.raises(OeaError, match=r"gave vectors of shape \(1, 32\), not \(n, 16\)"):
        grows.encode_text(["rain"])
    failures: list[str] = []
    encoder = load_encoder(f"{server.address}?model=nan")
    records = [{"id": text, "text": text} for text in ("rain", "bad", "snow")]
    batches = stream(encoder, records, report=lambda f: failures.append(str(f)))
    assert [r["id"] for batch in batches for r in batch.records] == ["rain", "snow"]
    assert failures == ["bad: the encoder gives no finite vector for it"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("http://127.0.0.1:9/v1", r"name one of the server's models: .*\?model=NAME"),
        ("http://127.0.0.1:9/v1?model=a&texts=loud", "texts must be input or messages; got 'loud'"),
        ("http://127.0.0.1:9/v1?model=a&key=b", "no option 'key'"),
        ("http://127.0.0.1:9/v1?model=a&dim=1.5", "dim must be a whole number"),
    ],
)
def test_names_that_make_no_sense(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_encoder(name)


def test_no_password_in_an_address() -> None:
    with pytest.raises(UsageError) as caught:
        load_encoder("http://me:secret@127.0.0.1:9/v1?model=a")
    assert "secret" not in str(caught.value) and "OEA_API_KEY" in str(caught.value)


def test_the_key_is_sent_and_told_to_nobody(
    server: EmbeddingsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OEA_API_KEY", "sk-secret\n")
    encoder = load_encoder(f"{server.address}?model=words")
    assert server.keys == {"Bearer sk-secret"}
    assert "secret" not in encoder.encoder_id
    with pytest.raises(OeaError, match=r"refuses the key \(401\)$"):
        load_encoder(f"{server.address}?model=locked")
    monkeypatch.setenv("OEA_API_KEY", "sk secret")
    with pytest.raises(UsageError, match="OEA_API_KEY contains characters that no key contains"):
        load_encoder(f"{server.address}?model=words")


def test_an_index_cannot_send_queries_anywhere(server: EmbeddingsServer, tmp_path: Path) -> None:
    key = {"OPENAI_API_KEY": "sk-secret"}
    name = f"{server.address}?model=words"
    done = run(["embed", "--text", "rain", "snow", "-m", name], env=key)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["encoder"].startswith(name)
    index = tmp_path / "x.oea"
    assert run(["index", "-o", index], input=done.stdout).returncode == 0
    assert not [p for p in index.iterdir() if b"sk-secret" in p.read_bytes()]
    asked = len(server.bodies)
    refused = run(["search", "rain", "-i", index], env=key)
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
    assert f"its encoder is the server {name}" in refused.stderr
    questions = '{"id": "q", "text": "rain", "target": "rain"}\n'
    evaluated = ["eval", "--queries", "-", "-i", index, "-M", "r@1"]
    refused = run(evaluated, input=questions, env=key)
    assert refused.returncode == 1 and "pass this name with -m" in refused.stderr
    assert len(server.bodies) == asked, "nothing was sent"
    found = run(["search", "rain", "-i", index, "-m", name, "-f", "jsonl", "-k", "1"], env=key)
    assert json.loads(found.stdout)["score"] == pytest.approx(1), found.stderr


def test_the_verbs_options_join_the_name(server: EmbeddingsServer) -> None:
    name = f"{server.address}?model=words"
    asked = ["embed", "--text", "rain", "-m", name]
    done = run([*asked, "--text-prompt", "find: "])
    assert server.bodies[-1]["input"] == ["find: rain"], done.stderr
    assert json.loads(done.stdout)["encoder"].startswith(f"{name}&text_prompt=find: :")
    for wrong in (["--pooling", "last"], ["--quantize", "int8"], ["--revision", "v1"]):
        done = run([*asked, *wrong])
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1


def test_a_query_without_a_vector_is_named(server: EmbeddingsServer, tmp_path: Path) -> None:
    name, index = f"{server.address}?model=nan", tmp_path / "x.oea"
    vectors = run(["embed", "--text", "rain", "snow", "-m", name]).stdout
    assert run(["index", "-o", index], input=vectors).returncode == 0
    done = run(["search", "bad", "-i", index, "-m", name])
    assert done.returncode == 1 and "gives no finite vector for 'bad'" in done.stderr
    done = run(["search", "--queries", "-", "-i", index, "-m", name], input="rain\nbad\n")
    assert done.returncode == 3 and len(done.stdout.splitlines()) == 2, done.stderr
    assert "the encoder gives no finite vector for it" in done.stderr
