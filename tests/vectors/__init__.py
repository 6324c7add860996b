"""Recorded vectors, and what records them."""
