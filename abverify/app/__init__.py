"""The use cases: each verb's work, from the repository to a report value."""
