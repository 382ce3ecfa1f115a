"""Files -> rows -> records, and back."""
