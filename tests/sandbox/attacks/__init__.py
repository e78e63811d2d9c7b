"""Attempts to get out of the sandbox, run inside it as `python3 -m attacks NAME FACTS`.

Each function tries one thing against the host whose facts it is given (paths,
ports, process ids) and returns a true value when it got what it wanted. Standard
library only: the package is copied into the workspace.
"""
