"""A causal language model that answers a conversation: what writes queries, beside the encoders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from oea_cli.encoder.hardware import resolve_device, resolve_dtype
from oea_cli.errors import OeaError


@dataclass(frozen=True)
class Said:
    """A model's answer and the tokens it took."""

    text: str
    tokens_in: int
    tokens_out: int


class TextGenerator:
    """Answers conversations, greedily, one at a time."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model, self._tokenizer = model, tokenizer

    @torch.inference_mode()
    def answer(self, messages: Sequence[Mapping[str, str]], max_new_tokens: int) -> Said:
        """What the model says next; `messages` are {"role", "content"}, the last one the user's."""
        prompt = self._prompt(messages)
        # A chat template writes the special tokens itself.
        has_template = bool(self._tokenizer.chat_template)
        inputs = self._tokenizer(
            prompt, return_tensors="pt", add_special_tokens=not has_template
        ).to(self._model.device)
        length = inputs["input_ids"].shape[1]
        out = self._model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=self._padding(),
        )
        new = out[0, length:]
        text = self._tokenizer.decode(new, skip_special_tokens=True)
        return Said(text, length, int(new.shape[0]))

    def _padding(self) -> int | None:
        own: int | None = self._tokenizer.pad_token_id
        end: int | None = self._tokenizer.eos_token_id
        return end if own is None else own

    def _prompt(self, messages: Sequence[Mapping[str, str]]) -> str:
        if self._tokenizer.chat_template:
            return str(
                self._tokenizer.apply_chat_template(
                    list(messages), tokenize=False, add_generation_prompt=True
                )
            )
        turns = [f"{message['role'].capitalize()}: {message['content']}" for message in messages]
        return "\n\n".join([*turns, "Assistant:"])


def load_text_generator(name: str, device: str = "auto", dtype: str = "auto") -> TextGenerator:
    """Load a causal language model from the Hugging Face hub, its cache, or a folder.

    Raises OeaError where there is none of that name, or its weights are no safetensors.
    """
    target = resolve_device(device)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(
            name, dtype=resolve_dtype(dtype, target), use_safetensors=True
        )
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise OeaError(f"hf:{name}: cannot be loaded; {reason}") from error
    model.to(target)
    model.eval()
    return TextGenerator(model, tokenizer)
