"""The names that `--model` takes, and where those encoders lie."""
