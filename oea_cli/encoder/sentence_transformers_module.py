"""The module through which sentence-transformers runs an encoder of this project.

    model = SentenceTransformer("DIR", trust_remote_code=True)  # `oea models export` made DIR
    model.encode(["rain on a roof"]); model.encode(["rain.wav"], modality="audio")

`trust_remote_code` is that library's word for any module that is not its own. The vectors are those
of `oea embed`, since the work is done by the same code; the whole clip is one vector.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import soxr
import torch
from sentence_transformers.base.modality import infer_batch_modality
from sentence_transformers.base.modules import InputModule
from sentence_transformers.util import load_dir_path
from torch import Tensor

from oea_cli.audio.windows import read_audio
from oea_cli.encoder.names.parsing import Placement
from oea_cli.encoder.omni.folder import load_encoder_folder, save_encoder_folder
from oea_cli.encoder.omni.omni import OmniEncoder
from oea_cli.errors import OeaError


class OeaModule(InputModule):  # type: ignore[misc]  # the library may not be installed
    """Text and audio to unit vectors: front end, backbone, pooling and heads in one."""

    def __init__(self, encoder: OmniEncoder) -> None:
        super().__init__()
        self.model = encoder.model  # so that .to(device) reaches it
        self.front_end = encoder.front_end
        self.tokenizer = encoder.front_end.tokenizer

    @property
    def modalities(self) -> list[str]:
        """What it takes."""
        return ["text", "audio"]

    @property
    def max_seq_length(self) -> int:
        """Tokens of a text, its chat layout included."""
        return self.front_end.settings.max_text_tokens

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return self.front_end.settings.dim

    def preprocess(
        self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any
    ) -> dict[str, Tensor]:
        """The model's inputs for texts, or for sounds: paths, arrays, or both with their rate.

        A prompt stands before a text, after the encoder's own.
        """
        modality = kwargs.get("modality") or infer_batch_modality(
            inputs, supported_modalities=self.modalities
        )
        if modality == "text":
            texts = [item["text"] if isinstance(item, dict) else item for item in inputs]
            return self.front_end.text_inputs([(prompt or "") + text for text in texts])
        if modality == "audio":
            return self.front_end.audio_inputs([self._waveform(item) for item in inputs])
        raise OeaError(f"texts or sounds are encoded, not {modality}")

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Add `sentence_embedding`, (B, dim)."""
        names = ("input_ids", "attention_mask", "input_features", "feature_attention_mask")
        inputs = {name: features[name] for name in names if name in features}
        modality = "audio" if "input_features" in inputs else "text"
        return {**features, "sentence_embedding": self.model(inputs, modality)}

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        """Write the encoder's folder; the library writes modules.json."""
        settings = self.front_end.settings
        save_encoder_folder(Path(output_path), self.model, self.front_end, settings)

    @classmethod
    def load(
        cls, model_name_or_path: str, subfolder: str = "", model_kwargs: Any = None, **kwargs: Any
    ) -> Self:
        """Read a folder or repository; `model_kwargs={"dtype": "bfloat16"}` is honoured."""
        known = ("token", "cache_folder", "revision", "local_files_only")
        where = {name: kwargs[name] for name in known if name in kwargs}
        folder = load_dir_path(model_name_or_path, subfolder=subfolder, **where)
        dtype = (model_kwargs or {}).get("dtype", torch.float32)
        placement = Placement(device="cpu", dtype=str(dtype).removeprefix("torch."))
        return cls(load_encoder_folder(Path(folder), None, placement))

    def _waveform(self, item: Any) -> np.ndarray:
        rate = self.front_end.settings.sample_rate
        if isinstance(item, dict) and "audio" in item:
            item = item["audio"]
        if isinstance(item, str | Path):
            return read_audio(item, rate)
        from_rate = rate
        if isinstance(item, dict):
            item, from_rate = item["array"], item["sampling_rate"]
        samples = np.asarray(item, np.float32)
        if samples.ndim == 2:  # channels first, as torchaudio has them
            samples = samples.mean(0)
        if from_rate != rate:
            samples = soxr.resample(samples, from_rate, rate)
        return samples
