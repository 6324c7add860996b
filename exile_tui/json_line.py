"""One JSON object on one line that can neither break the line nor move a terminal's cursor."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_UNSAFE = re.compile(
    "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""What JSON lets through and a terminal obeys; C0 is always escaped in JSON."""


def json_line(record: Mapping[str, Any]) -> str:
    """Encode a record as one line of JSON, Hangul readable, nothing lost; no line break."""
    text = json.dumps(record, ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
