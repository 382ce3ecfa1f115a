"""The encoder that belongs to the vectors at hand."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.kinds import KINDS
from oea_cli.encoder.names.parsing import WEB, EncoderName, is_server, parse_name
from oea_cli.encoder.names.places import short_names
from oea_cli.encoder.protocol import Encoder
from oea_cli.errors import OeaError
from oea_cli.vectors.opening import same_encoder, split_id

GetEncoder = Callable[[], Encoder]


def matching_encoder(
    encoder_id: str | None, dim: int, where: str, name: str | None, placement: Mapping[str, Any]
) -> Encoder:
    """Load the encoder of the vectors in `where`, by the name in `encoder_id` or by `name`.

    `encoder_id` is what the artefact remembers, NAME:FINGERPRINT; None for vectors that name no
    encoder: these take `name` at its word, if its vectors have their dimension `dim`. `placement`
    is what `load_encoder` takes besides: device, dtype, trust_remote_code.

    Raises OeaError where neither names one, where the encoder of that name is another one (before
    anything is downloaded, where the name tells), and where the artefact's own is a server: an
    artefact from elsewhere must not decide where queries and keys are sent.
    """
    if encoder_id is None:
        return _named_encoder(dim, where, name, placement)
    own_name, _ = split_id(encoder_id)
    if name is None and is_server(own_name):
        raise OeaError(
            f"{where}: its encoder is the server {own_name}, and your queries would be sent "
            "there; if you trust it, pass this name with -m"
        )
    if name is not None and _is_another(parse_name(own_name), parse_name(name)):
        raise OeaError(
            f"{where}: made with {own_name}, not with {name}; leave -m (or OEA_MODEL) out, "
            f"or make an index with {name}"
        )
    encoder = load_encoder(name or own_name, **placement)
    check_encoder(encoder_id, where, encoder.encoder_id)
    return encoder


def check_encoder(encoder_id: str | None, where: str, other: str | None) -> None:
    """Refuse vectors of another encoder than those in `where`; unnamed ones pass on either side."""
    if not same_encoder(encoder_id, other):
        raise OeaError(f"{where}: made with {encoder_id}, but the query was made with {other}")


def _named_encoder(dim: int, where: str, name: str | None, placement: Mapping[str, Any]) -> Encoder:
    """The encoder that the user names for vectors that name none."""
    if name is None:
        raise OeaError(
            f"{where}: its vectors name no encoder, so nothing can be encoded to match them; "
            "name it with -m, or search with --like or with query vectors"
        )
    encoder = load_encoder(name, **placement)
    if encoder.dim != dim:
        raise OeaError(
            f"{where}: holds {dim}-dimensional vectors, those of {name} have {encoder.dim}; "
            "name the encoder that made them with -m"
        )
    return encoder


def _is_another(own: EncoderName, asked: EncoderName) -> bool:
    """Whether two names surely are those of two encoders.

    What lies on this disk or on a server may be the same one, moved; its fingerprint will tell.
    """
    if (own.scheme, own.place) == (asked.scheme, asked.place):
        common = own.options.keys() & asked.options.keys()
        return any(own.options[key] != asked.options[key] for key in common)
    if own.scheme in WEB and asked.scheme in WEB:
        return False
    if not {own.scheme, asked.scheme} <= {"", *KINDS}:
        return False  # a plug-in's: what stands behind its name may decide no vector
    if own.scheme != asked.scheme:
        return True
    if not asked.scheme:
        return asked.place in short_names()
    return not Path(asked.place).expanduser().is_dir()
