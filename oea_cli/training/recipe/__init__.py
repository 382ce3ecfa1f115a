"""What a training recipe holds, and how it is read."""
