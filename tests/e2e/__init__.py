"""Whole stories: a real model, a real sandbox, real signatures, and what goes wrong on the way."""
