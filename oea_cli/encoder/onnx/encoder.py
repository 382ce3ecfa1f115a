"""An encoder of ours run by onnxruntime: the vectors of its torch twin, to 1e-5, without torch."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from oea_cli.encoder.machine import is_large
from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.names.places import encoder_folder
from oea_cli.encoder.omni.fingerprint import fingerprint
from oea_cli.encoder.omni.prompts import Prompts, num_frames, with_enough_frames
from oea_cli.encoder.omni.settings import EncoderSettings, load_settings
from oea_cli.encoder.onnx.form import GRAPHS, WEIGHTS, OnnxForm, open_form
from oea_cli.encoder.onnx.mel import LogMel, load_mel
from oea_cli.encoder.onnx.packing import Inputs, pack, prompt_inputs, token_index
from oea_cli.encoder.runtime import PlainRuntime
from oea_cli.errors import OeaError
from oea_cli.vectors.scan.threads import num_cores


class OnnxRuntime(PlainRuntime):
    """Threads of onnxruntime. Implements `Runtime`.

    A session of a small encoder computes on the thread that calls it: as many batches run side by
    side as there are cores, and nothing has to be limited.
    """

    @property
    def num_threads(self) -> int:
        """The cores of this process, or fewer where OMP_NUM_THREADS says so."""
        limit = os.environ.get("OMP_NUM_THREADS", "")
        return int(limit) if limit.isdecimal() and int(limit) > 0 else num_cores()


class OnnxEncoder:
    """The graphs of a folder with their front end, ready to encode. Implements `Encoder`."""

    device = "cpu"

    def __init__(self, folder: Path, name: str, settings: EncoderSettings, form: OnnxForm) -> None:
        self.name, self.folder = name, folder
        weights = [folder / file for file in WEIGHTS]
        self.fingerprint = fingerprint(settings, weights[:1], weights[1:], folder)
        self.dim, self.sample_rate = settings.dim, settings.sample_rate
        self.max_seconds = settings.max_seconds
        self.runtime = OnnxRuntime()
        # A large one is computed on every core at once, one batch after another.
        cores = self.runtime.num_threads if is_large(weights) else 1
        self.concurrency = None if cores == 1 else 1
        self._sessions = _Sessions(folder, self.runtime, cores)
        self._prompts = _load_prompts(folder, settings)
        self.cut_texts = self._prompts.cut_texts
        self._settings, self._form = settings, form

    @property
    def encoder_id(self) -> str:
        return f"{self.name}:{self.fingerprint}"

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        return self._sessions.run("text", self._prompt_inputs(self._prompts.of_texts(texts)))

    def encode_audio(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        if not len(waveforms):
            return np.zeros((0, self.dim), np.float32)
        return self.encode_prepared(self.prepare_audio(waveforms))

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Inputs:
        hop = self._mel.hop_length
        clips = [with_enough_frames(waveform, hop) for waveform in waveforms]
        ids = self._prompts.of_sounds([num_frames(clip, hop) for clip in clips])
        inputs = self._prompt_inputs(ids)
        index = token_index(inputs["input_ids"], self._prompts.audio_id)
        packed = pack([self._mel(clip) for clip in clips], self._form.chunk_frames)
        return {**inputs, **packed, "token_index": index}

    def encode_prepared(self, prepared: Inputs) -> np.ndarray:
        return self._sessions.run("audio", prepared)

    @cached_property
    def _mel(self) -> LogMel:
        return load_mel(self.folder, self.sample_rate, self._form.mel_bins)

    def _prompt_inputs(self, ids: list[list[int]]) -> Inputs:
        return prompt_inputs(ids, self._prompts.pad_id, self._settings.pooling)


class _Sessions:
    """The two graphs, each opened when it is first needed."""

    def __init__(self, folder: Path, runtime: PlainRuntime, threads: int) -> None:
        self._folder, self._runtime, self._threads = folder, runtime, threads
        self._opened: dict[str, Any] = {}
        self._lock = Lock()

    def run(self, which: str, inputs: Inputs) -> np.ndarray:
        """(B, dim) float32."""
        with self._lock:
            if which not in self._opened:
                self._opened[which] = self._open(which)
        try:
            vectors: np.ndarray = self._opened[which].run(None, inputs)[0]
        except Exception as error:  # onnxruntime has no class of its own for them
            if self._runtime.is_out_of_memory(error):
                raise  # whoever fills the batches makes them smaller
            raise _explained(self._folder / GRAPHS[which], "run", error) from error
        return vectors

    def _open(self, which: str) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads, 1
        options.log_severity_level = 4  # what fails is raised, and shown once
        options.enable_mem_pattern = False  # kept for every shape, and no two batches have one
        # Threads that wait do not spin: a third of the processor time.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = self._folder / GRAPHS[which]
        try:
            # Weights from memory: onnxruntime refuses files that are links, as in the hub's cache.
            weights = [np.memmap(self._folder / name, np.uint8, "r") for name in WEIGHTS]
            options.add_external_initializers_from_files_in_memory(
                list(WEIGHTS), weights, [len(content) for content in weights]
            )
            return onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise _explained(path, "opened", error) from error


def _explained(path: Path, what: str, error: Exception) -> OeaError:
    reason = " ".join(str(error).split())[:300]
    return OeaError(f"{path}: cannot be {what} ({reason})")


def load_named_folder(name: EncoderName, _: Placement) -> OnnxEncoder:
    """A `Loader`: an encoder with an ONNX form, on disk or inside the package."""
    name.allow()
    return load_onnx_folder(encoder_folder(name.place), str(name))


def load_onnx_folder(folder: Path, name: str | None = None) -> OnnxEncoder:
    """The encoder of a folder that has an ONNX form, on the CPU.

    Raises OeaError where a file is missing, damaged, or another than the form was made from.
    """
    settings = load_settings(folder / "encoder.json")
    return OnnxEncoder(folder, name or str(folder), settings, open_form(folder))


def _load_prompts(folder: Path, settings: EncoderSettings) -> Prompts:
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises nothing narrower
        raise OeaError(f"{folder}: tokenizer.json cannot be read ({error})") from error
    return Prompts(tokenizer, settings)
