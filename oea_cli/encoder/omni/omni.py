"""The Qwen2.5-Omni Thinker with mean pooling and one projection head per modality (OEA, section 3).

One frozen or trained multimodal language model reads texts and sounds alike; no talker, no vision
tower and no language-model head are held in memory.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oea_cli.encoder.omni.chunk_attention import CHUNKS
from oea_cli.encoder.omni.front_end import FrontEnd, Inputs
from oea_cli.encoder.omni.settings import EncoderSettings
from oea_cli.encoder.runtime import TorchRuntime

Modality = Literal["text", "audio"]


class ProjectionHead(nn.Module):
    """(B, hidden) -> (B, dim): Linear without bias, dropout, LayerNorm."""

    def __init__(self, hidden_size: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(hidden_size, dim, bias=False)
        self.dropout = nn.Dropout(0.1)
        self.norm = nn.LayerNorm(dim)

    def forward(self, pooled: Tensor) -> Tensor:
        projected: Tensor = self.norm(self.dropout(self.linear(pooled)))
        return projected


class OmniModel(nn.Module):
    """Backbone, text head and audio head; without heads, the pooled vectors are the embeddings."""

    backbone: Any
    text_head: Any
    audio_head: Any

    def __init__(self, backbone: Any, dim: int | None = 512, pooling: str = "mean") -> None:
        super().__init__()
        self.backbone = backbone  # a Qwen2_5OmniThinkerModel, or one that PEFT has wrapped
        self.pooling = pooling
        hidden_size = backbone.get_input_embeddings().embedding_dim
        self.text_head = ProjectionHead(hidden_size, dim) if dim else None
        self.audio_head = ProjectionHead(hidden_size, dim) if dim else None

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        weight: Tensor = self.backbone.get_input_embeddings().weight
        return weight.device

    def pool(self, inputs: Inputs) -> Tensor:
        """(B, hidden) float32: of the last hidden layer the mean over the attention mask, or the
        last token."""
        mask = inputs["attention_mask"]
        # Given explicitly, positions do not depend on the padding, and the model need not look
        # for images and videos.
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        hidden = self.backbone(
            **self._unmasked(inputs), position_ids=positions, use_cache=False
        ).last_hidden_state
        if self.pooling == "last":
            rows = torch.arange(len(mask), device=mask.device)
            last: Tensor = hidden[rows, mask.sum(1) - 1].float()
            return last
        weights = mask.unsqueeze(-1).float()  # (B, T, 1)
        pooled: Tensor = (hidden.float() * weights).sum(1) / weights.sum(1)
        return pooled

    def _unmasked(self, inputs: Inputs) -> Inputs:
        """Without the mask, where it hides nothing: padding on the right of a model that only looks
        left. So attention needs no (B, T, T) mask, and the fused kernels that take none will do."""
        layer = self.backbone.language_model.layers[0]
        if not layer.self_attn.is_causal or not inputs["attention_mask"][:, 0].all():
            return inputs
        return {name: tensor for name, tensor in inputs.items() if name != "attention_mask"}

    def project(self, pooled: Tensor, modality: Modality) -> Tensor:
        """(B, dim) float32, unit length. The pooled vector is normalised before the head, too."""
        unit = F.normalize(pooled.float(), dim=-1)
        head = self.text_head if modality == "text" else self.audio_head
        return F.normalize(head(unit).float(), dim=-1) if head else unit

    def forward(self, inputs: Inputs, modality: Modality) -> Tensor:
        """(B, dim) embeddings of a batch from `FrontEnd.text_inputs` or `.audio_inputs`."""
        return self.project(self.pool(inputs), modality)


class OmniEncoder:
    """An OmniModel with its front end, ready to encode. Implements `Encoder`."""

    concurrency: int | None = None

    def __init__(
        self,
        name: str,
        fingerprint: str,
        model: OmniModel,
        front_end: FrontEnd,
        settings: EncoderSettings,
    ) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.model, self.front_end = model.eval(), front_end
        if self.device != "cpu":
            model.backbone.audio_tower.config._attn_implementation = CHUNKS
        self.dim, self.sample_rate = settings.dim, settings.sample_rate
        self.max_seconds = settings.max_seconds
        self.cut_texts = front_end.cut_texts
        self.runtime = TorchRuntime(self.device)

    @property
    def device(self) -> str:
        return str(self.model.device.type)

    @property
    def encoder_id(self) -> str:
        return f"{self.name}:{self.fingerprint}"

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        return self._embed(self.front_end.text_inputs(texts), "text")

    def encode_audio(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        if not len(waveforms):
            return np.zeros((0, self.dim), np.float32)
        return self.encode_prepared(self.prepare_audio(waveforms))

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Inputs:
        inputs = self.front_end.audio_inputs(waveforms)
        if self.device != "cuda":
            return inputs
        # Pinned here, in a background thread, its transfer need not wait for the model.
        return {name: tensor.pin_memory() for name, tensor in inputs.items()}

    def encode_prepared(self, prepared: Inputs) -> np.ndarray:
        return self._embed(prepared, "audio")

    @torch.inference_mode()
    def _embed(self, inputs: Inputs, modality: Modality) -> np.ndarray:
        device = self.model.device
        on_device = {key: value.to(device, non_blocking=True) for key, value in inputs.items()}
        vectors: np.ndarray = self.model(on_device, modality).cpu().numpy()
        return vectors
