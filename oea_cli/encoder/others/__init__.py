"""Other people's encoders: CLAP, sentence-transformers, servers, plug-ins."""
