"""Models that write queries: servers, a model on this machine, and their stored answers."""
