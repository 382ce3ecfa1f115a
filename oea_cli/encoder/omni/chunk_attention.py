"""The audio tower's attention: short chunks of equal length, all of them in one call.

The tower attends within chunks of two seconds (100 positions). transformers' own `sdpa` cuts the
packed sequence apart in every layer and calls the kernel once per chunk: for 64 clips of 10 s some
10,000 launches a pass, and the processor waits for the GPU in each layer to learn the lengths. Here
the chunks become the batch dimension of a single call; where some are shorter, padding is masked.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

CHUNKS = "chunk_flash"
"""Its name among transformers' attention functions; what has "flash" in it is handed the packed
sequence and the edges of its chunks instead of the chunks one by one."""


def chunk_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float,
    cu_seq_lens_q: Tensor,
    max_length_q: int,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention within chunks. query, key, value: (1, heads, positions, width), chunk after chunk.

    `cu_seq_lens_q` holds the (chunks + 1,) edges. Returns (1, positions, heads, width).
    """
    layout = _Layout(cu_seq_lens_q, max_length_q, query.shape[2])
    q, k, v = (layout.spread(packed[0]) for packed in (query, key, value))
    attended = scaled_dot_product_attention(q, k, v, layout.mask, scale=scaling)
    return layout.gather(attended).unsqueeze(0), None


class _Layout:
    """Packed positions <-> (chunks, longest). Nothing here waits for a GPU to answer."""

    def __init__(self, edges: Tensor, longest: int, positions: int) -> None:
        self.chunks, self.longest = len(edges) - 1, longest
        self.mask: Tensor | None = None  # (chunks, 1, 1, longest), True where there is a key
        if self.chunks * longest == positions:
            return
        column = torch.arange(longest, device=edges.device)
        there = column < (edges[1:] - edges[:-1]).unsqueeze(1)
        self.mask = there[:, None, None, :]
        self._source = (edges[:-1].unsqueeze(1) + column).clamp(max=positions - 1).flatten()
        position = torch.arange(positions, device=edges.device)
        chunk = torch.searchsorted(edges, position, right=True) - 1
        self._target = chunk * longest + position - edges[chunk]

    def spread(self, packed: Tensor) -> Tensor:
        """(heads, positions, width) -> (chunks, heads, longest, width)."""
        if self.mask is not None:
            packed = packed.index_select(1, self._source)
        heads, _, width = packed.shape
        return packed.reshape(heads, self.chunks, self.longest, width).transpose(0, 1)

    def gather(self, attended: Tensor) -> Tensor:
        """(chunks, heads, longest, width) -> (positions, heads, width)."""
        rows = attended.transpose(1, 2).flatten(0, 1)
        return rows if self.mask is None else rows.index_select(0, self._target)


AttentionInterface.register(CHUNKS, chunk_attention)
