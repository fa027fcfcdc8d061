"""The name under which sites address this crawler; a rule for another name is never taken for ours, nor ours for another's."""

from __future__ import annotations

import re

AGENT_NAME = "AssentBot"
"""Product token in the User-Agent header and in robots.txt (RFC 9309 section 2.2.1)."""

EVERYONE = "*"


def product_token(name: str) -> str:
    """The token of a user-agent value in lower case: `AssentBot/1.0 (+https://...)` is `assentbot`."""
    return re.split(r"[\s/;(]", name.strip())[0].lower()


def is_addressed(name: str, *, agent: str) -> bool:
    """True when a rule written for `name` is meant for `agent`, or for everyone."""
    return product_token(name) in (EVERYONE, product_token(agent))
