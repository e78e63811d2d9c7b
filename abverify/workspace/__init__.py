"""The repository on disk: contracts, pins, corpora, evidence and ledger."""
