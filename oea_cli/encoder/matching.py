"""The encoder that belongs to the vectors at hand."""

from collections.abc import Callable, Mapping
from typing import Any

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.parsing import is_remote
from oea_cli.encoder.protocol import Encoder
from oea_cli.errors import OeaError
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.opening import same_encoder

GetEncoder = Callable[[], Encoder]


def matching_encoder(index: VectorIndex, name: str | None, placement: Mapping[str, Any]) -> Encoder:
    """Load the encoder that made the index, by the name it remembers or by `name`.

    `placement` is what `load_encoder` takes besides: device, dtype, trust_remote_code.

    Raises OeaError where the index names none, where the encoder of that name is another one, and
    where it is a server: an index from elsewhere must not decide where queries and keys are sent.
    """
    if index.encoder is None:
        raise OeaError(
            f"{index.folder}: its vectors name no encoder, so nothing can be encoded to match "
            "them; search with --like or with query vectors"
        )
    own_name = index.encoder.rpartition(":")[0]
    if name is None and is_remote(own_name):
        raise OeaError(
            f"{index.folder}: its encoder is the server {own_name}, and your queries would be sent "
            "there; if you trust it, say so with -m and this name"
        )
    encoder = load_encoder(name or own_name, **placement)
    check_encoder(index, encoder.stamp)
    return encoder


def check_encoder(index: VectorIndex, stamp: str | None) -> None:
    """Refuse vectors of another encoder than the index's; unnamed ones pass on either side."""
    if not same_encoder(stamp, index.encoder):
        raise OeaError(f"{index.folder}: made with {index.encoder}, the query is of {stamp}")
