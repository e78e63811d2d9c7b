"""Rendering: a report value in, a string out, one format a module."""
