"""What an evaluation is given: judgments, runs, vectors, an index."""
