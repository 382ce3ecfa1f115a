"""The README and the guides, checked: every console block runs, every name in them exists."""
