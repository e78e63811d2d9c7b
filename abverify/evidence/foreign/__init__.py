"""Logs of other harnesses, read as evidence that is only as good as what they tell."""
