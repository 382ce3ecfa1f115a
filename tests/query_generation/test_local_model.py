"""Queries from a model on this machine: a real one, tiny, that has learnt nothing."""

import json
from pathlib import Path

import pytest

from tests.commands.in_process import run


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal language model with random weights, saved as transformers saves any."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=["<unk>", "<end>"], show_progress=False
    )
    tokenizer.train_from_iterator(
        ["find a dog barking in the rain, system user assistant"], trainer
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<end>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer.get_vocab()), hidden_size=32, intermediate_size=48,
        num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
        max_position_embeddings=2048, eos_token_id=1, bos_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    path = tmp_path / "clips.jsonl"
    rows = [{"id": name, "captions": [f"a {name} barking in the rain"]} for name in ("dog", "seal")]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_model_that_says_nothing_is_named(clips: Path, tiny_model: Path) -> None:
    rejects = clips.parent / "rejects.jsonl"
    command = ["gen-queries", clips, "-t", "question", "--llm", f"hf:{tiny_model}",
               "--ask-again", "1", "--rejects", rejects,
               "-o", clips.parent / "uiq.jsonl"]  # fmt: skip
    done = run(command)
    assert done.returncode == 1 and "none of 2 queries was accepted" in done.stderr
    assert done.stderr.count(": the answer is empty") == 2
    assert "0 queries; 2 answers requested, 0 reused" in done.stderr
    assert rejects.read_text() == ""
    again = run(command)
    assert again.returncode == 1


def test_the_same_conversation_gets_the_same_answer(tiny_model: Path) -> None:
    from oea_cli.query_generation.models.text_generation import load_text_generator

    model = load_text_generator(str(tiny_model), "cpu")
    messages = [{"role": "user", "content": "find a dog"}]
    first = model.answer(messages, 8)
    assert first == model.answer(messages, 8)
    assert 0 < first.tokens_out <= 8 and first.tokens_in > 3
    assert model.answer([{"role": "user", "content": "rain"}], 8).tokens_in < first.tokens_in


def test_a_chat_template_is_used(tiny_model: Path) -> None:
    from oea_cli.query_generation.models.text_generation import TextGenerator, load_text_generator

    plain = load_text_generator(str(tiny_model), "cpu")
    template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"
    plain._tokenizer.chat_template = template
    assert plain._prompt([{"role": "user", "content": "hi"}]) == "<user>hi<assistant>"
    assert isinstance(plain, TextGenerator)


def test_a_model_that_is_not_there_is_named(clips: Path) -> None:
    done = run(
        ["gen-queries", clips, "-t", "question", "--llm", "hf:no/such-model"],
        env={"HF_HUB_OFFLINE": "1"}, cwd=clips.parent,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "hf:no/such-model: cannot be loaded" in done.stderr.splitlines()[-1]
