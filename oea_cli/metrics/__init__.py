"""What a ranking is worth: metrics, their intervals, tests of differences."""
