"""Trials on a Ray cluster: each worker holds one engine, the driver alone writes the journal."""
