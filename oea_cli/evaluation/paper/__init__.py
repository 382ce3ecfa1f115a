"""The paper's own tables, measured anew by one recipe and shown beside the published figures."""
