"""The way from records to vectors: decoding ahead, batches of one length, sizes that fit."""
