"""Whatever sentence-transformers loads: `st:BAAI/bge-large-en-v1.5`, or a folder of such a model.

Texts, and sounds where the model takes them (Omni embedders, CLAP). The vectors are those of the
library's own `encode`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from oea_cli.encoder.cut_texts import CutTexts, num_cut
from oea_cli.encoder.hardware import resolve_device, resolve_dtype
from oea_cli.encoder.hub import content_of, fetch_model, loading, runs_remote_code
from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.omni.adapter import ADAPTER_FILE
from oea_cli.encoder.omni.quantization import quantize
from oea_cli.encoder.omni.settings import prompted
from oea_cli.encoder.others.plain import PlainEncoder, at_least_one, fingerprint_of
from oea_cli.encoder.runtime import TorchRuntime
from oea_cli.errors import OeaError, UsageError

OPTIONS = ("revision", "text_prompt", "audio_prompt", "prompt_name", "dim", "max_seconds")
WINDOW_SECONDS = 30.0  # where neither the model nor the user sets a limit


class SentenceEncoder(PlainEncoder):
    """A SentenceTransformer with the prompts it gets."""

    def __init__(
        self,
        name: str,
        fingerprint: str,
        model: Any,
        dim: int,
        prompts: tuple[str | None, str | None],
        max_seconds: float | None,
    ) -> None:
        super().__init__(name, fingerprint, dim, model.device.type)
        self.runtime = TorchRuntime(self.device)
        self.model = model
        self.text_prompt, self.audio_prompt = prompts
        self.takes_audio = "audio" in model.modalities
        extractor = _feature_extractor(model)
        self.sample_rate = int(getattr(extractor, "sampling_rate", None) or self.sample_rate)
        longest = _longest_seconds(extractor)
        self.max_seconds = min(max_seconds or WINDOW_SECONDS, longest or np.inf)
        limit = _token_limit(model)
        self.cut_texts = None if limit is None else CutTexts(limit)
        self._preprocessing = Lock()  # tokenizers keep their padding and truncation as state

    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim)."""
        prompt = self.text_prompt
        if prompt and "{}" in prompt:
            texts, prompt = [prompted(prompt, text) for text in texts], None
        self._count_cut([f"{prompt or ''}{text}" for text in texts])
        # With a model that takes audio, the library reads a text like "bark.wav" as a file.
        items = [{"text": text} for text in texts] if self.takes_audio else list(texts)
        return self._forward(self._inputs(items, prompt))

    def audio_vectors(self, prepared: Any) -> np.ndarray:
        """(n, dim); raises OeaError for a model of texts."""
        if not self.takes_audio:
            return super().audio_vectors(prepared)
        return self._forward(prepared)

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Any:
        """The model's inputs."""
        if not self.takes_audio or not len(waveforms):
            return waveforms
        limit = round(self.max_seconds * self.sample_rate)
        clips = [
            {"array": at_least_one(waveform)[:limit], "sampling_rate": self.sample_rate}
            for waveform in waveforms
        ]
        return self._inputs(clips, self.audio_prompt)

    def _count_cut(self, texts: list[str]) -> None:
        if self.cut_texts is not None:
            with self._preprocessing:
                self.cut_texts.add(num_cut(self.model.tokenizer, texts, self.cut_texts.limit))

    def _inputs(self, items: list[Any], prompt: str | None) -> Any:
        with self._preprocessing:
            return dict(self.model.preprocess(items, prompt=prompt))

    @torch.inference_mode()
    def _forward(self, features: Any) -> np.ndarray:
        from sentence_transformers.util import batch_to_device

        output = self.model(batch_to_device(features, self.model.device))
        rows: np.ndarray = output["sentence_embedding"].float().cpu().numpy()
        return rows[:, : self.dim]


def load_sentence_transformer(name: EncoderName, placement: Placement) -> SentenceEncoder:
    """A `Loader`: `st:PLACE?prompt_name=query&dim=256...`."""
    name.allow(*OPTIONS)
    if "{}" in name.options.get("audio_prompt", ""):
        raise UsageError(
            f"{name}: an audio_prompt of st: must not contain {{}}; the library gets it as it is"
        )
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        reason = f" ({error})" if error.name != "sentence_transformers" else ""
        raise OeaError(
            f"{name}: needs sentence-transformers: pip install 'oea[st]'{reason}"
        ) from error
    if "/" not in name.place and not Path(name.place).is_dir():
        # The library's own short names: st:all-MiniLM-L6-v2.
        name = EncoderName(name.scheme, f"sentence-transformers/{name.place}", name.options)
    device = resolve_device(placement.device)
    folder, commit = fetch_model(name)
    trusted = runs_remote_code(name, folder, placement)
    with loading(name, folder):
        model = SentenceTransformer(
            str(folder),
            device=str(device),
            trust_remote_code=trusted,
            local_files_only=True,
            model_kwargs={"dtype": _dtype(placement, device)},
        )
        check_adapter(name, folder, model)
        quantize(model[0], placement.quantize)
    prompts = _text_prompt(name, model), name.options.get("audio_prompt")
    dim = _dimension(name, model)
    fingerprint = fingerprint_of("st", commit or content_of(folder), *prompts, dim)
    seconds = name.positive("max_seconds")
    return SentenceEncoder(str(name), fingerprint, model.eval(), dim, prompts, seconds)


def check_adapter(name: EncoderName, folder: Path, model: torch.nn.Module) -> None:
    """Raise OeaError unless the LoRA of the folder and that of the model are the same tensors.

    The library only warns: of an adapter that was trained on a larger model, whose modules have
    other names, and of one that lacks a tensor.
    """
    files = {path: load_file(path) for path in sorted(folder.rglob(ADAPTER_FILE))}
    if not files:
        return
    own = {key: p.detach().cpu() for key, p in model.named_parameters() if ".lora_" in key}
    for path, stored in files.items():
        if unused := [k for k, tensor in stored.items() if not _is_in(tensor, own.values())]:
            raise OeaError(
                f"{name}: {len(unused)} of {len(stored)} tensors in {path} have no place in the "
                f"model, such as {unused[0]}; it was trained on another one"
            )
    every = [tensor for stored in files.values() for tensor in stored.values()]
    if missing := [key for key, tensor in own.items() if not _is_in(tensor, every)]:
        raise OeaError(
            f"{name}: {path} lacks {len(missing)} of the model's {len(own)} LoRA tensors, such as "
            f"{missing[0]}; is it whole?"
        )


def _is_in(tensor: Tensor, others: Iterable[Tensor]) -> bool:
    """Whether one of the others is the same, in the less precise of two number formats."""
    return any(tensor.shape == other.shape and _are_equal(tensor, other) for other in others)


def _are_equal(one: Tensor, other: Tensor) -> bool:
    dtype = min(one.dtype, other.dtype, key=lambda kind: kind.itemsize)
    return torch.equal(one.to(dtype), other.to(dtype))


def _dtype(placement: Placement, device: torch.device) -> Any:
    """On a GPU `auto` is the checkpoint's own; elsewhere float32."""
    if placement.dtype == "auto" and device.type == "cuda":
        return "auto"
    return resolve_dtype(placement.dtype, device)


def _text_prompt(name: EncoderName, model: Any) -> str | None:
    """The prompt given in full, the one named, or the model's default."""
    given = name.options.get("text_prompt")
    if given is not None:
        return given
    wanted = name.options.get("prompt_name", model.default_prompt_name)
    if wanted is None:
        return None
    if wanted not in model.prompts:
        known = ", ".join(sorted(model.prompts)) or "none"
        raise UsageError(f"{name}: the model has no prompt '{wanted}'; it has {known}")
    return str(model.prompts[wanted])


def _dimension(name: EncoderName, model: Any) -> int:
    """The model's, or fewer: the first numbers of a vector, for models trained so (Matryoshka)."""
    full = model.get_embedding_dimension()
    if full is None:
        full = model.encode(["?"], show_progress_bar=False).shape[1]
    wanted = name.positive("dim") or full
    if wanted > full or wanted != int(wanted):
        raise UsageError(f"{name}: dim={name.options['dim']}, but its vectors have {full} numbers")
    return int(wanted)


def _token_limit(model: Any) -> int | None:
    """Beyond how many tokens the library cuts texts; None where it does not say."""
    limit = getattr(model, "max_seq_length", None)
    return int(limit) if limit and callable(getattr(model, "tokenizer", None)) else None


def _feature_extractor(model: Any) -> Any:
    processor = getattr(model[0], "processor", None)
    return getattr(processor, "feature_extractor", processor)


def _longest_seconds(extractor: Any) -> float | None:
    """What the model's front end takes without cutting: CLAP's window, Whisper's chunk."""
    for attribute in ("max_length_s", "chunk_length"):
        if seconds := getattr(extractor, attribute, None):
            return float(seconds)
    return None
