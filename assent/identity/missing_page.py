"""The page that a browser gets where there is none; it repeats nothing of the address, and programs get JSON there as everywhere."""

from __future__ import annotations

from aiohttp import web

from assent.wording.language import colon, language_of, weight

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_TEXTS = {
    "en": ("There is no such page", "Go to", "your own page", "the console"),
    "fr": ("Cette page n'existe pas", "Aller à", "votre page", "la console"),
}


def asks_for_a_page(request: web.Request) -> bool:
    """Whether this is a person's browser that opens an address: it names HTML itself, which programs that take anything do not.

    A weight of nought is no wish, and a header that is sent twice counts as one (RFC 9110 sections 12.4.2 and 5.3).
    """
    named = ",".join(request.headers.getall("Accept", [])).split(",")
    wanted = (part for part in named if part.partition(";")[0].strip().lower() == "text/html")
    return request.method in ("GET", "HEAD") and any(weight(part) > 0 for part in wanted)


def missing_page(request: web.Request) -> web.Response:
    """404 in English or French, with where to go from here."""
    lang = language_of(request.query.get("lang"), request.headers.get("Accept-Language", ""))
    title, go_to, her_page, console = _TEXTS[lang]
    html = (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title} – Assent</title>\n</head>\n<body>\n'
        f"<main>\n<h1>{title}</h1>\n"
        f'<p>{go_to}{colon(lang)}<a href="/me">{her_page}</a>, <a href="/">{console}</a></p>\n</main>\n</body>\n</html>\n'
    )
    return web.Response(text=html, content_type="text/html", status=404, headers=_HEADERS)
