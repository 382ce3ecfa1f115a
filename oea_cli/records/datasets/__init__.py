"""Published caption files, recognised by their keys and turned into plain rows."""
