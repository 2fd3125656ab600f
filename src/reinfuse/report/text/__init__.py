"""Sentences, names, numbers and references."""
