"""Published caption files, recognised by their keys, as rows like anyone's."""
