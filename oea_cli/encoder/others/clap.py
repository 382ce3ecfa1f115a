"""CLAP: `clap:laion/clap-htsat-unfused`, or a folder with such a model (transformers' ClapModel).

The stock feature extractor is random: it cuts a long clip at random, and of a batch without long
clips it marks one at random as long. Here clips come as windows that fit, none is marked, and the
same clip always has the same vector.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
import torch
from transformers.models.auto.tokenization_auto import AutoTokenizer
from transformers.models.clap.configuration_clap import ClapConfig
from transformers.models.clap.feature_extraction_clap import ClapFeatureExtractor
from transformers.models.clap.modeling_clap import ClapModel

from oea_cli.encoder.cut_texts import CutTexts, num_cut
from oea_cli.encoder.hardware import resolve_device, resolve_dtype
from oea_cli.encoder.hub import content_of, fetch_model, load_pretrained, loading
from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.omni.settings import prompted
from oea_cli.encoder.others.plain import PlainEncoder, at_least_one, fingerprint_of
from oea_cli.encoder.runtime import TorchRuntime
from oea_cli.errors import OeaError, UsageError


class ClapEncoder(PlainEncoder):
    """A ClapModel with its feature extractor and its tokenizer."""

    def __init__(
        self, name: str, fingerprint: str, model: Any, extractor: Any, tokenizer: Any, prompt: str
    ) -> None:
        super().__init__(name, fingerprint, model.projection_dim, model.device.type)
        self.runtime = TorchRuntime(self.device)
        self.model, self.extractor, self.tokenizer = model, extractor, tokenizer
        self.prompt = prompt
        self.sample_rate = extractor.sampling_rate
        self.max_seconds = extractor.nb_max_samples / extractor.sampling_rate
        text = model.config.text_config
        # Roberta counts positions from the padding's id on.
        positions = text.max_position_embeddings - (text.pad_token_id or 0) - 1
        self._max_tokens = min(tokenizer.model_max_length, positions)
        self.cut_texts = CutTexts(self._max_tokens)
        self._tokenizing = Lock()  # the tokenizer keeps its padding and truncation as state

    @torch.inference_mode()
    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim); texts longer than the model's 512 tokens are cut."""
        asked = [prompted(self.prompt, text) for text in texts]
        with self._tokenizing:
            self.cut_texts.add(num_cut(self.tokenizer, asked, self._max_tokens))
            inputs = self.tokenizer(
                asked,
                padding=True,
                truncation=True,
                max_length=self._max_tokens,
                return_tensors="pt",
            )
        features = self.model.get_text_features(
            input_ids=inputs["input_ids"].to(self.model.device),
            attention_mask=inputs["attention_mask"].to(self.model.device),
        )
        return _rows(features)

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Any:
        """Log-mel (n, 1 or 4, frames, bins) float32; short clips as the checkpoint pads them."""
        if not len(waveforms):
            return waveforms
        limit = self.extractor.nb_max_samples  # a window may be 0.1 s longer: an mp3's padding
        clips = [at_least_one(waveform)[:limit] for waveform in waveforms]
        features = self.extractor(clips, sampling_rate=self.sample_rate, return_tensors="np")
        return torch.from_numpy(np.asarray(features["input_features"], np.float32))

    @torch.inference_mode()
    def audio_vectors(self, prepared: Any) -> np.ndarray:
        """(n, dim) of n log-mels."""
        mel = prepared.to(self.model.device, self.model.dtype)
        is_longer = torch.zeros(len(mel), 1, dtype=torch.bool)
        features = self.model.get_audio_features(input_features=mel, is_longer=is_longer)
        return _rows(features)


def load_clap(name: EncoderName, placement: Placement) -> ClapEncoder:
    """A `Loader`: `clap:PLACE?revision=...&text_prompt=...`."""
    name.allow("revision", "text_prompt")
    if placement.quantize != "none":
        raise UsageError(f"{name}: --quantize does not apply to CLAP, which is small enough")
    device = resolve_device(placement.device)
    # What is published of CLAP was computed in float32.
    dtype = "float32" if placement.dtype == "auto" else placement.dtype
    folder, commit = fetch_model(name)
    with loading(name, folder):
        config = load_pretrained(ClapConfig, folder)
        if config.model_type != "clap":
            raise OeaError(f"{name}: a model of type '{config.model_type}', not 'clap'")
        extractor = load_pretrained(ClapFeatureExtractor, folder)
        tokenizer = load_pretrained(AutoTokenizer, folder)
        model, report = load_pretrained(
            ClapModel,
            folder,
            config=config,
            dtype=resolve_dtype(dtype, device),
            output_loading_info=True,
        )
    if lacking := sorted(set(report["missing_keys"]) & set(dict(model.named_parameters()))):
        raise OeaError(f"{name}: its weights lack {lacking[0]}; they do not fit its config.json")
    prompt = name.options.get("text_prompt", "")
    fingerprint = fingerprint_of("clap", commit or content_of(folder), prompt)
    return ClapEncoder(
        str(name), fingerprint, model.eval().to(device), extractor, tokenizer, prompt
    )


def _rows(features: Any) -> np.ndarray:
    rows: np.ndarray = features.pooler_output.float().cpu().numpy()
    return rows
