"""What `--model` says, and where the encoders of those names lie."""
