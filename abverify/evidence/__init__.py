"""Evidence: run locks, journal rows, manifests, and the scores recomputed from them."""
