"""Early verdicts: what the completions of a bench can still say, and where it may stop."""
