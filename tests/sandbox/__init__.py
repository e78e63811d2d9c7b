"""The sandbox, tested by what code inside it can and cannot do."""
