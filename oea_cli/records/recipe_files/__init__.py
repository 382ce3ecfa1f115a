"""Recipe files: YAML checked in full against pydantic models, with every mistake named at once."""
