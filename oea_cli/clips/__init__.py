"""What a clip is, and what is said and asked about it."""
