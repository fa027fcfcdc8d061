"""Global Privacy Control on our own pages: what a browser asks for its user, and the file that says that it is heeded.

It is a person's wish about her own data. What a site says of its content is none of it, and no crawler sends or reads it.
"""

from __future__ import annotations

from aiohttp import web

from assent.optouts.gpc import has_privacy_signal

PATH = "/.well-known/gpc.json"
HEEDED_SINCE = "2026-11-26"
"""When what follows from the signal was last changed; W3C Global Privacy Control, section 4."""


def asks_for_privacy(request: web.Request) -> bool:
    """The browser of this request asks that nothing be shared: exactly `Sec-GPC: 1`."""
    return has_privacy_signal(request.headers.items())


async def privacy_statement(request: web.Request) -> web.Response:
    """Whoever asks is told, signed in or not."""
    return web.json_response({"gpc": True, "lastUpdate": HEEDED_SINCE})
