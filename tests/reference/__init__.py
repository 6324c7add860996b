"""A second implementation of exile/1, for checking the first."""
