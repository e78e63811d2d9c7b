"""Signed records: statements, envelopes, keys, the trust root, the chain of each gate, the fold."""
