"""Looking at encoders: list, measure, compare, export."""
