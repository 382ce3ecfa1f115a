"""An encoder with random weights, in a folder."""

from pathlib import Path


def save_tiny(folder: Path) -> None:
    """Write the folder of a tiny encoder: the production path, in milliseconds."""
    from oea_cli.encoder.omni.folder import save_encoder_folder
    from oea_cli.encoder.omni.fresh import ModelSizes, new_front_end, new_model, train_tokenizer
    from oea_cli.encoder.omni.settings import EncoderSettings

    sizes = ModelSizes(hidden_size=64, text_layers=2, text_mlp=128, audio_layers=2, audio_mlp=128)
    settings = EncoderSettings(dim=32)
    tokenizer = train_tokenizer(["query: a dog barks, rain falls; system user helpful"], 400)
    front_end = new_front_end(tokenizer, sizes, settings)
    save_encoder_folder(folder, new_model(sizes, front_end, seed=1), front_end, settings)
