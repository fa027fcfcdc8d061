"""Calls to a running Assent from the command line; the token travels in a header and is never printed."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from assent.cli.command import CommandError, ExitCode

DEFAULT_URL = "http://127.0.0.1:8080"
OPERATOR_TOKEN_FILE = "operator.token"  # noqa: S105  a file name
TIMEOUT_S = 60
JsonObject = dict[str, Any]

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")


class RefusedError(CommandError):
    """Raised when the service answers no; `details` is its answer."""

    def __init__(self, message: str, code: ExitCode, details: JsonObject) -> None:
        super().__init__(message, code)
        self.details = details


class Answer(JsonObject):
    """A JSON object of an answer. What is missing in it means that something else than Assent answered."""

    def __missing__(self, name: str) -> Any:
        raise CommandError(f"the answer holds no {name}; is --url the right service?", ExitCode.UNAVAILABLE)


def add_url_argument(parser: argparse.ArgumentParser) -> None:
    """Where the service is."""
    default = os.environ.get("ASSENT_URL", DEFAULT_URL)
    parser.add_argument("--url", type=service_url, default=default, help=f"the service (else ASSENT_URL, else {DEFAULT_URL})")


def add_api_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the service is and whose token to use."""
    add_url_argument(parser)
    parser.add_argument("--token-file", type=Path, help="file with the token to use (else ASSENT_TOKEN, else the operator's)")
    parser.add_argument("--data", type=Path, default=Path("assent-data"), help="data folder with the operator's token")


def identifier(text: str) -> str:
    """An id as part of a path, for argparse: what could lead elsewhere is refused."""
    if _IDENTIFIER.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no id; copy it as it was shown")
    return text


def token_from(arguments: argparse.Namespace) -> str:
    """The token of --token-file, ASSENT_TOKEN or the data folder. Raises CommandError."""
    if arguments.token_file is None and os.environ.get("ASSENT_TOKEN"):
        return os.environ["ASSENT_TOKEN"]
    path: Path = arguments.token_file or arguments.data / OPERATOR_TOKEN_FILE
    return read_secret(path, "token")


def read_secret(path: Path, what: str) -> str:
    """The first line of a file. Raises CommandError when it cannot be read."""
    try:
        return path.read_text().strip().splitlines()[0]
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise CommandError(f"no {what} can be read from {path}; name the file that holds it") from error


def call(
    arguments: argparse.Namespace,
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: JsonObject | None = None,
    form: dict[str, str] | None = None,
    image: bytes | None = None,
    headers: dict[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    """One request; the JSON answer. Raises CommandError with the service's own words, RefusedError where it refuses."""
    sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    if not all(value.isascii() and value.isprintable() for value in sent.values()):
        raise CommandError("the token or secret holds a character that none has; check the file or variable it comes from")
    return asyncio.run(_call(arguments.url, method, path, headers=sent, body=body, form=form, image=image, timeout_s=timeout_s))


async def _call(
    url: str,
    method: str,
    path: str,
    *,
    headers: dict[str, str],
    body: JsonObject | None,
    form: dict[str, str] | None,
    image: bytes | None,
    timeout_s: float,
) -> Answer:
    data: aiohttp.FormData | None = None
    if form is not None or image is not None:
        # Fields first: the service refuses by them before it takes the picture from the connection.
        data = aiohttp.FormData(default_to_multipart=True)
        for name, value in (form or {}).items():
            data.add_field(name, value)
    if data is not None and image is not None:
        data.add_field("image", image, filename="image", content_type="application/octet-stream")
    try:
        async with (
            aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=timeout_s)) as session,
            # A redirection is not followed: it would carry secrets to wherever it points.
            session.request(method, url + path, headers=headers, json=body, data=data, allow_redirects=False) as response,
        ):
            return _answer(response.status, await response.read())
    except aiohttp.InvalidURL as error:
        raise CommandError(f"{url} is not a URL; write it like {DEFAULT_URL}") from error
    except TimeoutError as error:
        raise CommandError(f"no answer from {url} in {timeout_s:g} s; it is busy, try again later", ExitCode.UNAVAILABLE) from error
    except aiohttp.ClientError as error:
        raise CommandError(f"nothing answers at {url}; start it with `assent up`, or name it with --url", ExitCode.UNAVAILABLE) from error


def _answer(status: int, text: bytes) -> Answer:
    try:
        answer = json.loads(text, object_hook=Answer)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"the answer (status {status}) is not JSON; is --url the right service?", ExitCode.UNAVAILABLE) from error
    if not isinstance(answer, Answer):
        raise CommandError(f"the answer (status {status}) is no JSON object; is --url the right service?", ExitCode.UNAVAILABLE)
    if status < 300:
        return answer
    message = " ".join(str(answer.get(part, "")) for part in ("message", "remedy")).strip()
    raise RefusedError(f"{message} (status {status})", ExitCode.UNAVAILABLE if status >= 500 else ExitCode.REFUSED, answer)


def service_url(text: str) -> str:
    """The address of a service, for argparse."""
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
        is_url = is_url and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL; write it like {DEFAULT_URL}")
    return text.rstrip("/")
