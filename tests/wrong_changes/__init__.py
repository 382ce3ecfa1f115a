"""Wrong changes to the code that no test once noticed; each must be noticed now."""
