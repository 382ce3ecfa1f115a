"""One HTML file that shows what was measured, with the sounds behind it."""
