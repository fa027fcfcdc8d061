"""Calls to a running Assent from the command line; the token travels in a header and is never printed."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import Any

import aiohttp

from assent.cli.command import CommandError, ExitCode

DEFAULT_URL = "http://127.0.0.1:8080"
OPERATOR_TOKEN_FILE = "operator.token"  # noqa: S105  a file name
JsonObject = dict[str, Any]


class RefusedError(CommandError):
    """Raised when the service answers no; `details` is its answer."""

    def __init__(self, message: str, code: ExitCode, details: JsonObject) -> None:
        super().__init__(message, code)
        self.details = details


def add_api_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the service is and whose token to use."""
    parser.add_argument("--url", default=os.environ.get("ASSENT_URL", DEFAULT_URL), help=f"the service (default {DEFAULT_URL})")
    parser.add_argument("--data", type=Path, default=Path("assent-data"), help="data folder with the operator's token")
    parser.add_argument("--token-file", type=Path, help="file with the token to use (default: the operator's, in the data folder)")


def token_from(arguments: argparse.Namespace) -> str:
    """The token of ASSENT_TOKEN, --token-file or the data folder. Raises CommandError."""
    if os.environ.get("ASSENT_TOKEN"):
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
) -> JsonObject:
    """One request; the JSON answer. Raises CommandError with the service's own words, RefusedError where it refuses."""
    return asyncio.run(_call(arguments.url, method, path, token=token, body=body, form=form, image=image, headers=headers))


async def _call(
    url: str,
    method: str,
    path: str,
    *,
    token: str | None,
    body: JsonObject | None,
    form: dict[str, str] | None,
    image: bytes | None,
    headers: dict[str, str] | None,
) -> JsonObject:
    sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    data: aiohttp.FormData | None = None
    if image is not None:
        data = aiohttp.FormData()
        for name, value in (form or {}).items():
            data.add_field(name, value)
        data.add_field("image", image, filename="image", content_type="application/octet-stream")
    try:
        async with (
            aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=60)) as session,
            session.request(method, url + path, headers=sent, json=body, data=data) as response,
        ):
            text = await response.text()
            return _answer(response.status, text)
    except (aiohttp.ClientConnectionError, TimeoutError) as error:
        raise CommandError(f"nothing answers at {url}; start it with `assent up`, or name it with --url", ExitCode.UNAVAILABLE) from error
    except aiohttp.InvalidURL as error:
        raise CommandError(f"{url} is not a URL") from error


def _answer(status: int, text: str) -> JsonObject:
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise CommandError(f"the answer (status {status}) is not JSON; is --url the right service?", ExitCode.UNAVAILABLE) from error
    if status < 400 and isinstance(answer, dict):
        return answer
    details = answer if isinstance(answer, dict) else {"message": text}
    message = " ".join(str(details.get(part, "")) for part in ("message", "remedy")).strip()
    raise RefusedError(f"{message} (status {status})", ExitCode.UNAVAILABLE if status >= 500 else ExitCode.REFUSED, details)
