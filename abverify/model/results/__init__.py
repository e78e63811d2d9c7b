"""The shapes of results in `--format json`: what a program may rely on.

The reports write plain data; these models say which, for the published schema alone. Nothing
that answers a question imports them.
"""
