"""Experiments: what differs between arms, what came of it, and what may be concluded. Pure."""
