"""Inputs that once went wrong, one file a kind: the reported input and at least two like it.

Every input is made by code. `run` of tests/commands/in_process.py where no process matters, the
`oea` fixture where one does.
"""
