"""The bench: engines, sandbox, oracles and the agent loop. It cannot see records."""
