"""The text that goes with an invite into another messenger: how to install, the link, its limits.

Pure: it is in the language asked for, whatever language the screen has.
"""

from __future__ import annotations

import ipaddress
from datetime import tzinfo

from exile_tui.errors import N_
from exile_tui.locale import dates, in_language, tr

INSTALL = "python3 -m venv .venv && .venv/bin/pip install ."
START = ".venv/bin/exile-tui"
"""The README's first command in two, so that each can be pasted by itself."""

TEXT = N_(
    "Let's talk on exile-tui. It is an end-to-end encrypted messenger for the terminal (Linux or "
    "macOS, Python 3.11 or later; on Debian and Ubuntu first: sudo apt install python3-venv).\n"
    "\n"
    "1. Install and start it, in the exile-tui folder (ask me for it if you don't have it):\n"
    "{install}\n"
    "{start}\n"
    "\n"
    "2. When it asks for a relay, choose 'I was given an invite link' and paste this line. If you "
    "use exile-tui already, press Ctrl+O and paste it there:\n"
    "\n"
    "{link}\n"
    "\n"
    "It works for one person, until {date}, {time} ({zone}).\n"
    "\n"
    "Whoever reads this text first can open the link in your place. So once we are connected we "
    "compare the safety number (F3), face to face or in a call.\n"
    "\n"
    "Protected: what we write, our names, and who talks to whom. The relay in between has nothing "
    "of it that it could hand over.\n"
    "Not protected: a device that is taken unlocked, a screenshot by one of us, and that you have "
    "this program. A relay that notes its connections sees when you are online, and from where."
)


def hand_over_text(
    link: str,
    expires_ms: int,
    language: str,
    *,
    hours_24: bool = False,
    zone: tzinfo | None = None,
) -> str:
    """Return the text, ending in a newline.

    Args:
        link: The invite's link.
        expires_ms: When the invite ends, milliseconds since the epoch.
        language: "ko" or "en".
        hours_24: 15:05 in place of 3:05 PM.
        zone: Whose time is told, and named, since the reader may live in another; None for the
            machine's own.
    """
    offset = dates.local(expires_ms, zone).strftime("%z")
    with in_language(language):
        text = tr(
            TEXT,
            install=INSTALL,
            start=START,
            link=link,
            date=dates.full_date(expires_ms, zone),
            time=dates.time_of_day(expires_ms, hours_24=hours_24, zone=zone),
            zone=f"UTC{offset[:3]}:{offset[3:5]}",
        )
    return text + "\n"


def reaches_others(host: str) -> bool:
    """Tell whether a relay at this host can be reached from another computer."""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")
