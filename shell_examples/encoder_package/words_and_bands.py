"""An encoder for oea in one module: `--model words-and-bands:CHECKPOINT` (safetensors).

Put your own model (MGA-CLAP, M2D-CLAP ...) where this one has two linear layers: over counts of
words, and over the mean energies of frequency bands.
"""

from zlib import crc32

import torch
from safetensors.torch import load_file

from oea_cli.encoder.hardware import resolve_device
from oea_cli.encoder.others.plain import PlainEncoder, fingerprint_of

WORDS, BANDS, DIM = 512, 128, 32


class WordsAndBands(PlainEncoder):
    sample_rate, max_seconds = 32_000, 10.0  # how oea resamples and cuts what it hands over

    def __init__(self, name, fingerprint, weights, device):
        super().__init__(name, fingerprint, DIM, device.type)
        self.words = torch.nn.Linear(WORDS, DIM)
        self.bands = torch.nn.Linear(BANDS, DIM)
        for part, layer in (("words", self.words), ("bands", self.bands)):
            layer.load_state_dict({key: weights[f"{part}.{key}"] for key in ("weight", "bias")})
            layer.to(device)

    @torch.inference_mode()
    def text_vectors(self, texts):
        counts = torch.zeros(len(texts), WORDS)
        for row, text in zip(counts, texts, strict=True):
            for word in text.lower().split():
                row[crc32(word.encode()) % WORDS] += 1
        return self.words(counts.to(self.words.weight.device)).cpu().numpy()

    @torch.inference_mode()
    def audio_vectors(self, waveforms):
        rows = [torch.fft.rfft(torch.from_numpy(w), n=2 * BANDS * 100).abs() for w in waveforms]
        bands = torch.stack([row[:-1].reshape(BANDS, 100).mean(1).log1p() for row in rows])
        return self.bands(bands.to(self.bands.weight.device)).cpu().numpy()


def load(name, placement):
    """What the entry point names: an encoder from `name.place` on `placement.device`."""
    name.allow()  # takes no ?options
    weights = load_file(name.place)
    fingerprint = fingerprint_of("words-and-bands", {k: v.tolist() for k, v in weights.items()})
    return WordsAndBands(str(name), fingerprint, weights, resolve_device(placement.device))
