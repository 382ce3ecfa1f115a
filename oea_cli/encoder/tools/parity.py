"""Whether an encoder gives the right numbers on this machine: measured, with a limit for each.

A Qwen2.5-Omni is compared with what it stands for: the feature extractor that pads every clip to
300 s, the bare model on one clip at a time, and pooling and heads written out in double precision.
Any other encoder has to be independent of the batch. All sounds are generated here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from oea_cli.encoder.names.parsing import Placement
from oea_cli.encoder.omni.folder import load_encoder_folder
from oea_cli.encoder.omni.front_end import Inputs
from oea_cli.encoder.omni.omni import Modality, OmniEncoder
from oea_cli.encoder.omni.prompts import AUDIO_TOKEN, MIN_FRAMES, chat
from oea_cli.encoder.omni.settings import prompted
from oea_cli.encoder.onnx.encoder import OnnxEncoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.errors import OeaError

TEXTS = (
    "a dog barks",
    "rain",
    "thunder over the hills while a bell tolls twice and somebody runs down wooden stairs",
    "a car engine starts, idles, and dies",
    "wind",
    "an old clock ticks in a quiet room; a door opens",
    "children laughing, far away",
    "keyboard typing",
)
SECONDS = (3.0, 0.31, 7.03, 1.0, 5.017, 0.02, 9.4, 2.2)  # mixed, none in order of length
LIMITS = {"float32": 1e-5, "float16": 1e-3, "bfloat16": 5e-3}
"""How far a number of a unit vector may be off. Below float32 the order of sums shows: bfloat16
keeps 8 bits, and a batch takes other kernels than one clip."""
MEL_LIMIT = 1e-6  # the same numbers, but for how a product of another width is summed
MIN_COSINE = {"int8": 0.99, "int4": 0.95}


@dataclass(frozen=True)
class Check:
    """One comparison: the worst value, and the limit that it has to keep."""

    what: str
    value: float
    limit: float
    at_least: bool = False  # the limit is a floor, not a ceiling

    @property
    def holds(self) -> bool:
        """Whether the limit is kept; NaN never does."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def sounds(encoder: Encoder, lengths: Sequence[float] = SECONDS) -> list[np.ndarray]:
    """Tones in noise of these lengths in seconds, at the encoder's rate and within its limit."""
    rng = np.random.default_rng(0)
    rate, made = encoder.sample_rate, []
    for seconds in lengths:
        time = np.arange(max(1, round(min(seconds, encoder.max_seconds) * rate))) / rate
        tone = np.sin(2 * np.pi * rng.uniform(100, 3000) * time)
        noise = rng.standard_normal(len(time))
        made.append((0.2 * tone + 0.05 * noise).astype(np.float32))
    return made


def check(encoder: Encoder, lengths: Sequence[float] = SECONDS) -> Iterator[Check | str]:
    """Every comparison that this kind of encoder allows, as it is made, or why one is left out.

    `lengths` are those of the clips, in seconds.
    """
    clips = sounds(encoder, lengths)
    twin = _with_torch(encoder)
    if twin is not None:
        yield from _against_the_reference(encoder, twin, clips)
        yield _stock_inputs(twin, clips)
        return
    for what, encode, items in (
        ("clips", encoder.encode_audio, clips),
        ("texts", encoder.encode_text, list(TEXTS)),
    ):
        try:
            yield from _in_batches(what, encode, items, LIMITS["float32"])
        except OeaError as error:
            yield f"{what} left out: {error}"


def quantized(encoder: Encoder, other: Encoder, kind: str) -> Iterator[Check]:
    """The lowest cosine between an encoder's vectors and those of itself quantised."""
    clips = sounds(encoder)
    for what, ours, theirs in (
        ("texts", encoder.encode_text(TEXTS), other.encode_text(TEXTS)),
        ("clips", encoder.encode_audio(clips), other.encode_audio(clips)),
    ):
        cosine = float((ours * theirs).sum(1).min())
        yield Check(f"{what}: cosine, {kind} and not", cosine, MIN_COSINE[kind], at_least=True)


def equality(encoder: Encoder, other: Encoder, limit: float = LIMITS["float32"]) -> list[Check]:
    """How far two encoders that should be one are apart."""
    clips = sounds(encoder)
    texts = list(TEXTS)
    return [
        Check("texts", _apart(encoder.encode_text(texts), other.encode_text(texts)), limit),
        Check("clips", _apart(encoder.encode_audio(clips), other.encode_audio(clips)), limit),
    ]


def _with_torch(encoder: Encoder) -> OmniEncoder | None:
    """A Qwen2.5-Omni as torch has it, itself or loaded again; None for any other encoder."""
    if isinstance(encoder, OnnxEncoder):
        return load_encoder_folder(encoder.folder, None, Placement("cpu", "float32"))
    return encoder if isinstance(encoder, OmniEncoder) else None


def _against_the_reference(
    encoder: Encoder, twin: OmniEncoder, clips: list[np.ndarray]
) -> Iterator[Check]:
    """`twin` is the model that the reference is computed with: the encoder itself, if it can."""
    dtype = str(twin.model.backbone.dtype).removeprefix("torch.")
    limit = LIMITS[dtype]
    padded = [_padded_inputs(twin, clip) for clip in clips]
    mel = max(map(partial(_mel_difference, twin), clips, padded))
    yield Check("clips: mel padded to 300 s", mel, MEL_LIMIT)
    reference = np.stack([_reference(twin, inputs, "audio") for inputs in padded])
    yield from _in_batches("clips", encoder.encode_audio, clips, limit, reference)
    texts = list(TEXTS)
    reference = np.stack([_reference(twin, twin.front_end.text_inputs([t]), "text") for t in texts])
    yield from _in_batches("texts", encoder.encode_text, texts, limit, reference)


def _in_batches(
    what: str,
    encode: Callable[[Sequence[Any]], np.ndarray],
    items: list[Any],
    limit: float,
    reference: np.ndarray | None = None,
) -> Iterator[Check]:
    """One at a time, all eight together, and all in another order."""
    alone = np.concatenate([encode([item]) for item in items])
    if reference is None:
        reference = alone
    else:
        yield Check(f"{what}: one at a time", _apart(alone, reference), limit)
    yield Check(f"{what}: {len(items)} together", _apart(encode(items), reference), limit)
    order = np.random.default_rng(1).permutation(len(items))
    shuffled = encode([items[i] for i in order])
    yield Check(f"{what}: in another order", _apart(shuffled, reference[order]), limit)


def _apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours.astype(np.float64) - theirs).max())


def _mel_difference(encoder: OmniEncoder, clip: np.ndarray, padded: Inputs) -> float:
    ours = encoder.front_end.audio_inputs([clip])["input_features"]
    return float((ours - padded["input_features"][:, :, : ours.shape[2]]).abs().max())


def _padded_inputs(encoder: OmniEncoder, clip: np.ndarray) -> Inputs:
    """The model's inputs with the features that the extractor itself pads to its 300 s window."""
    ours = encoder.front_end.audio_inputs([clip])
    frames = int(ours["feature_attention_mask"].sum())
    stock = encoder.front_end.extractor(
        clip, sampling_rate=encoder.sample_rate, padding="max_length", return_tensors="pt"
    )
    features = stock["input_features"]
    mask = torch.zeros((1, features.shape[2]), dtype=torch.int64)
    mask[:, :frames] = 1
    return {**ours, "input_features": features, "feature_attention_mask": mask}


@torch.inference_mode()
def _reference(encoder: OmniEncoder, inputs: Inputs, modality: Modality) -> np.ndarray:
    """(dim,) float64: the last hidden layer, pooled, normalised, through the head, normalised."""
    model = encoder.model
    # One input alone: nothing is padding, and the model finds the positions by itself.
    on_device = {n: t.to(model.device) for n, t in inputs.items() if n != "attention_mask"}
    hidden = model.backbone(**on_device, use_cache=False).last_hidden_state[0]
    rows = hidden.double().cpu().numpy()
    pooled = rows[-1] if model.pooling == "last" else rows.mean(0)
    pooled = pooled / np.linalg.norm(pooled)
    head = model.text_head if modality == "text" else model.audio_head
    if head is None:
        return np.asarray(pooled)
    weight, gain, bias = (
        tensor.double().cpu().numpy()
        for tensor in (head.linear.weight, head.norm.weight, head.norm.bias)
    )
    projected = weight @ pooled
    spread = np.sqrt(projected.var() + head.norm.eps)
    projected = gain * (projected - projected.mean()) / spread + bias
    return np.asarray(projected / np.linalg.norm(projected))


def _stock_inputs(encoder: OmniEncoder, clips: list[np.ndarray]) -> Check | str:
    """The inputs made here against those of Qwen2_5OmniProcessor, where that can be had."""
    processor = _stock_processor(encoder)
    if processor is None:
        return "stock processor left out: it needs pillow and torchvision"
    settings = encoder.front_end.settings
    clip = prompted(settings.audio_prompt, f"<|audio_bos|>{AUDIO_TOKEN}<|audio_eos|>")
    text = chat(settings.system_prompt, clip, settings.generation_prompt)
    worst = 0.0
    for sound in clips:
        if len(sound) <= MIN_FRAMES * encoder.front_end.extractor.hop_length:
            continue  # the stock processor gives it no audio token at all
        stock = processor(text=text, audio=[sound], return_tensors="pt")
        ours = encoder.front_end.audio_inputs([sound])
        if stock["input_ids"].tolist() != ours["input_ids"].tolist():
            worst = float("inf")
            break
        features = stock["input_features"][:, :, : ours["input_features"].shape[2]]
        worst = max(worst, float((features - ours["input_features"]).abs().max()))
    return Check("clips: the stock processor's inputs", worst, MEL_LIMIT)


def _stock_processor(encoder: OmniEncoder) -> Any:
    if not all(map(find_spec, ("PIL", "torchvision"))):
        return None
    from transformers import PreTrainedTokenizerFast
    from transformers.models.qwen2_5_omni.processing_qwen2_5_omni import Qwen2_5OmniProcessor
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=encoder.front_end.tokenizer,
        pad_token="<|endoftext|>",
        extra_special_tokens={
            "image_token": "<|IMAGE|>",
            "audio_token": AUDIO_TOKEN,
            "video_token": "<|VIDEO|>",
            "vision_bos_token": "<|vision_bos|>",
            "vision_eos_token": "<|vision_eos|>",
            "audio_bos_token": "<|audio_bos|>",
            "audio_eos_token": "<|audio_eos|>",
        },
    )
    return Qwen2_5OmniProcessor(
        image_processor=Qwen2VLImageProcessor(),
        video_processor=Qwen2VLVideoProcessor(),
        feature_extractor=encoder.front_end.extractor,
        tokenizer=tokenizer,
    )
