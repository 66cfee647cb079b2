"""The marks."""
