"""The options of the verbs; those that several verbs share are declared once."""
