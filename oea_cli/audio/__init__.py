"""Decoding: any source -> mono float32 at the encoder's rate, cut into windows.

libsndfile decodes; what it cannot decode (m4a, webm, wma and the like) goes through PyAV where the
extra `oea[formats]` is installed. soxr resamples. Everything streams: memory depends on the length
of a window, never on the length of a file or on what its header claims.
"""
