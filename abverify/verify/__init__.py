"""The deciding: eligibility, criteria, verdicts and statistics, all pure functions."""
