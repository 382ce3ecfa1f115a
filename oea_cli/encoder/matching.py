"""The encoder that belongs to the vectors at hand."""

from collections.abc import Callable, Mapping
from typing import Any

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.parsing import is_server
from oea_cli.encoder.protocol import Encoder
from oea_cli.errors import OeaError
from oea_cli.vectors.opening import same_encoder

GetEncoder = Callable[[], Encoder]


def matching_encoder(
    encoder_id: str | None, where: str, name: str | None, placement: Mapping[str, Any]
) -> Encoder:
    """Load the encoder of the vectors in `where`, by the name in `encoder_id` or by `name`.

    `encoder_id` is what the artefact remembers, NAME:FINGERPRINT; `placement` is what
    `load_encoder` takes besides: device, dtype, trust_remote_code.

    Raises OeaError where the artefact names none, where the encoder of that name is another one,
    and where it is a server: an artefact from elsewhere must not decide where queries and keys are
    sent.
    """
    if encoder_id is None:
        raise OeaError(
            f"{where}: its vectors name no encoder, so nothing can be encoded to match "
            "them; search with --like or with query vectors"
        )
    own_name = encoder_id.rpartition(":")[0]
    if name is None and is_server(own_name):
        raise OeaError(
            f"{where}: its encoder is the server {own_name}, and your queries would be sent "
            "there; if you trust it, pass this name with -m"
        )
    encoder = load_encoder(name or own_name, **placement)
    check_encoder(encoder_id, where, encoder.encoder_id)
    return encoder


def check_encoder(encoder_id: str | None, where: str, other: str | None) -> None:
    """Refuse vectors of another encoder than those in `where`; unnamed ones pass on either side."""
    if not same_encoder(encoder_id, other):
        raise OeaError(f"{where}: made with {encoder_id}, but the query was made with {other}")
