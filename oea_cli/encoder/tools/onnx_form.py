"""Giving an encoder's folder its ONNX form."""

import json
from pathlib import Path

from oea_cli.encoder.names.places import FORM_FILE
from oea_cli.encoder.omni.settings import load_settings
from oea_cli.encoder.onnx.form import GRAPHS, WEIGHTS, OnnxForm, save_form
from oea_cli.encoder.tools.graph import stored_tensors
from oea_cli.encoder.tools.onnx_model import audio_graph, check_supported, text_graph
from oea_cli.errors import OeaError
from oea_cli.records.artefacts import write_whole


def write_onnx_form(folder: Path) -> None:
    """Write text.onnx, audio.onnx and onnx.json into a whole encoder's folder.

    Raises OeaError for an adapter, for a configuration that the graphs cannot follow, and without
    the library `onnx`, which is needed here and never to run them.
    """
    settings = load_settings(folder / "encoder.json")
    if settings.base:
        raise OeaError(
            f"{folder}: an adapter has no ONNX form of its own; name another folder with -o, and "
            "it is merged with its backbone there"
        )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    check_supported(config, str(folder / "config.json"))
    tensors = {
        name: tensor for file in WEIGHTS for name, tensor in stored_tensors(folder / file).items()
    }
    (folder / FORM_FILE).unlink(missing_ok=True)
    try:
        graphs = {
            "text": text_graph(config, tensors, settings.dim),
            "audio": audio_graph(config, tensors, settings.dim),
        }
    except ImportError as error:
        raise OeaError(f"an ONNX form needs onnx: pip install 'oea[onnx]' ({error})") from error
    for which, content in graphs.items():
        write_whole(folder / GRAPHS[which], content)
    audio = config["audio_config"]
    save_form(folder, OnnxForm(audio["num_mel_bins"], 2 * audio["n_window"]))
