"""The log over the records: an RFC 6962 tree, C2SP checkpoints and tiles, and what both prove.

The chains say what follows what within a gate. The log says what there is at
all: it puts the records of every gate in one order and authenticates the set.
"""
