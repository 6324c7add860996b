"""The relay's OpenAPI 3.1 document, shipped beside this file and served at /openapi.json."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def document() -> bytes:
    """Return the document, JSON in UTF-8."""
    return Path(__file__).with_name("openapi.json").read_bytes()
