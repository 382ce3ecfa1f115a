"""A causal language model on this machine that answers a conversation."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from oea_cli.encoder.hardware import resolve_device, resolve_dtype
from oea_cli.encoder.hub import load_pretrained, loading
from oea_cli.encoder.names.parsing import EncoderName
from oea_cli.query_generation.models.answers import Answer


class TextGenerator:
    """Answers conversations, greedily, one at a time."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Both of transformers: a causal language model and its tokenizer."""
        self._model, self._tokenizer = model, tokenizer

    @torch.inference_mode()
    def answer(self, messages: Sequence[Mapping[str, str]], max_new_tokens: int) -> Answer:
        """The model's next message; `messages` are {"role", "content"}, the last one the user's."""
        # A chat template writes the special tokens itself.
        inputs = self._tokenizer(
            self._prompt(messages),
            return_tensors="pt",
            add_special_tokens=not self._tokenizer.chat_template,
        ).to(self._model.device)
        tokens_in = inputs["input_ids"].shape[1]
        generated = self._model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=self._padding(),
        )
        new = generated[0, tokens_in:]
        text = self._tokenizer.decode(new, skip_special_tokens=True)
        return Answer(text, tokens_in, int(new.shape[0]))

    def _padding(self) -> int | None:
        padding: int | None = self._tokenizer.pad_token_id
        end: int | None = self._tokenizer.eos_token_id
        return end if padding is None else padding

    def _prompt(self, messages: Sequence[Mapping[str, str]]) -> str:
        if self._tokenizer.chat_template:
            return str(
                self._tokenizer.apply_chat_template(
                    list(messages),
                    tokenize=False,
                    add_generation_prompt=True,
                    enable_thinking=False,  # templates that know no such thing ignore it
                )
            )
        turns = [f"{message['role'].capitalize()}: {message['content']}" for message in messages]
        return "\n\n".join([*turns, "Assistant:"])


def load_text_generator(name: str, device: str = "auto", dtype: str = "auto") -> TextGenerator:
    """Load a causal language model from the Hugging Face hub, its cache, or a folder.

    Raises OeaError where the model does not exist, or its weights are not safetensors.
    """
    target = resolve_device(device)
    with loading(EncoderName("hf", name), Path(name)):
        tokenizer = load_pretrained(AutoTokenizer, name)
        model = load_pretrained(
            AutoModelForCausalLM, name, dtype=resolve_dtype(dtype, target), use_safetensors=True
        )
    return TextGenerator(model.to(target).eval(), tokenizer)
