"""Recipe files: YAML that is checked in full against pydantic models, every mistake at once."""
