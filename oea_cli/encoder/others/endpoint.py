"""A server with OpenAI's embeddings interface: `http://localhost:8000/v1?model=NAME`.

Texts go as `input`, some at a time, or each as a chat message (`texts=messages`); sounds only as
chat messages with `input_audio`, as vLLM takes them (`audio=messages`). With `adapter=DIR` the
server computes the backbone's pooled vectors and the adapter's heads are applied here:

vllm serve MERGED --runner pooling --convert embed --pooler-config '{"pooling_type": "MEAN"}'

MERGED being a checkpoint with the adapter's LoRA in it, because vLLM ignores LoRA on audio towers.
"""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.omni.settings import EncoderSettings, load_settings, prompted
from oea_cli.encoder.others.embeddings_server import Endpoint, RequestStyle
from oea_cli.encoder.others.plain import PlainEncoder, at_least_one, fingerprint_of
from oea_cli.errors import OeaError, UsageError

CHOICES = {
    "texts": ("input", "messages"),
    "audio": ("none", "messages"),
    "encoding": ("base64", "float"),
    "wav": ("float", "pcm16"),
}
OPTIONS = ("model", "adapter", "text_prompt", "audio_prompt", "dim", "sample_rate", "max_seconds")
CONCURRENCY = 8
WAV = {"float": "FLOAT", "pcm16": "PCM_16"}

Heads = Callable[[np.ndarray, str], np.ndarray]


class EndpointEncoder(PlainEncoder):
    """An Endpoint with the prompts it gets and, perhaps, the heads that are applied here."""

    concurrency: int | None = CONCURRENCY

    def __init__(
        self,
        name: str,
        fingerprint: str,
        dim: int,
        endpoint: Endpoint,
        settings: EncoderSettings,
        heads: Heads | None,
    ) -> None:
        super().__init__(name, fingerprint, dim)
        self.endpoint, self.settings, self.heads = endpoint, settings, heads
        self.sample_rate, self.max_seconds = settings.sample_rate, settings.max_seconds

    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim)."""
        # In a chat, a text must not be able to say <|im_end|> or <|AUDIO|>.
        in_chat = self.endpoint.style.texts == "messages"
        plain = [text.replace("<|", "< |") if in_chat else text for text in texts]
        rows = self.endpoint.texts([prompted(self.settings.text_prompt, text) for text in plain])
        return self.heads(rows, "text") if self.heads else rows

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Any:
        """WAV files in memory; raises OeaError for a server that is not asked for sounds."""
        if self.endpoint.style.audio == "none" and len(waveforms):
            raise OeaError(
                f"{self.name} does not take sounds; with audio=messages in its name it does"
            )
        kind = WAV[self.endpoint.style.wav]
        return [_wav(waveform, self.sample_rate, kind) for waveform in waveforms]

    def audio_vectors(self, prepared: Any) -> np.ndarray:
        """(n, dim) of n WAV files."""
        rows = self.endpoint.sounds(prepared, self.settings.audio_prompt)
        return self.heads(rows, "audio") if self.heads else rows


def load_endpoint(name: EncoderName, placement: Placement) -> EndpointEncoder:
    """A `Loader`: `http://HOST/v1?model=NAME&audio=messages&adapter=DIR...`.

    Asks for one vector: whether the server answers, and how long its vectors are.
    """
    _check(name, placement)
    settings, heads, of_heads = _adapter(name)
    style = _request_style(name, settings)
    endpoint = Endpoint(name.place, name.options["model"], style)
    width = endpoint.probe(prompted(settings.text_prompt, "?")).shape[1]
    if style.dimensions and width != style.dimensions:
        raise OeaError(f"{name}: asked for dim={style.dimensions}, but its vectors have {width}")
    dim = width if heads is None else settings.dim
    if heads is not None:
        heads(np.zeros((1, width), np.float32), "text")  # raises where they do not fit
    identity = [settings.text_prompt, settings.audio_prompt, settings.sample_rate, style.texts]
    fingerprint = fingerprint_of("server", endpoint.model, dim, identity, of_heads)
    return EndpointEncoder(str(name), fingerprint, dim, endpoint, settings, heads)


def _check(name: EncoderName, placement: Placement) -> None:
    name.allow(*OPTIONS, *CHOICES)
    if not name.options.get("model"):
        raise UsageError(f"{name}: name one of the server's models: {name.place}?model=NAME")
    if placement.quantize != "none":
        raise UsageError(f"{name}: --quantize is up to the server")
    try:
        import openai  # noqa: F401
    except ImportError as error:
        raise OeaError(f"{name.place}: needs the openai client: pip install 'oea[llm]'") from error
    from oea_cli.encoder.others.openai_client import check_address

    check_address(name.place, "OEA_API_KEY")


def _adapter(name: EncoderName) -> tuple[EncoderSettings, Heads | None, str | None]:
    """Prompts and front end by the name's options, else the adapter's, and the adapter's heads."""
    heads, of_heads, settings = None, None, EncoderSettings(text_prompt="", max_seconds=30.0)
    if place := name.options.get("adapter"):
        from oea_cli.encoder.others.remote_heads import load_remote_heads

        settings = load_settings(Path(place) / "encoder.json")
        heads, of_heads = load_remote_heads(Path(place))
    given = {
        "text_prompt": name.options.get("text_prompt", settings.text_prompt),
        "audio_prompt": name.options.get("audio_prompt", settings.audio_prompt),
        "sample_rate": int(name.positive("sample_rate") or settings.sample_rate),
        "max_seconds": name.positive("max_seconds") or settings.max_seconds,
    }
    return EncoderSettings(**{**vars(settings), **given}), heads, of_heads


def _request_style(name: EncoderName, settings: EncoderSettings) -> RequestStyle:
    has_adapter = "adapter" in name.options
    chosen = {"texts": "messages", "audio": "messages"} if has_adapter else {}
    for option, choices in CHOICES.items():
        value = name.options.get(option, chosen.get(option, choices[0]))
        if value not in choices:
            raise UsageError(f"{name}: {option} must be {' or '.join(choices)}; got '{value}'")
        chosen[option] = value
    dim = name.positive("dim")
    if dim and (has_adapter or dim != int(dim)):
        raise UsageError(f"{name}: dim must be a whole number, and an adapter has its own")
    system = settings.system_prompt if has_adapter else None
    return RequestStyle(**chosen, system_prompt=system, dimensions=int(dim) if dim else None)


def _wav(waveform: np.ndarray, sample_rate: int, kind: str) -> bytes:
    stream = BytesIO()
    soundfile.write(stream, at_least_one(waveform), sample_rate, format="WAV", subtype=kind)
    return stream.getvalue()
