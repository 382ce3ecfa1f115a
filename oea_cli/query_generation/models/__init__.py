"""Models that write queries: servers, a model on this machine, and the answers that they gave."""
