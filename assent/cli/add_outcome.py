"""What the gates decided about photos that were just sent, asked as their subject; it shows her own grant's decisions only."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

from assent.cli.api import JsonObject, call
from assent.cli.command import ExitCode
from assent.cli.photo_files import read_photo
from assent.cli.secrets import session_token

WAIT_S = 60.0
AGAIN_WAIT_S = 5.0
"""A photo that was decided before: the same decision is not made a second time, so a new one may never come."""

POLL_S = 0.5
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class _Sent:
    path: Path
    known: frozenset[int]
    sent_at: float = field(default_factory=time.monotonic)


class OutcomeWatch:
    """There is no route that tells an upload's end by its number: the service is asked about the very bytes (`/v1/explain`)."""

    def __init__(self, arguments: argparse.Namespace, secret: str) -> None:
        self._arguments = arguments
        self._token = session_token(arguments, secret)
        self._known: frozenset[int] = frozenset()
        self._photos: list[_Sent] = []

    def before(self, image: bytes) -> None:
        """Remember what was decided about these bytes earlier."""
        self._known = frozenset(decision["number"] for decision in self._decisions(image))

    def sent(self, path: Path) -> None:
        """The photo was taken."""
        self._photos.append(_Sent(path, self._known))

    def tell(self) -> ExitCode:
        """One line per photo, when it is decided; 4 where one was refused, 3 where one is still under way."""
        codes = [self._told(photo) for photo in self._photos]
        return max(codes, default=ExitCode.DONE)

    def _told(self, photo: _Sent) -> ExitCode:
        decision = self._waited(photo)
        if decision is None:
            print(f"waiting  {photo.path}: not decided yet; it will be on your page, {self._arguments.url}/me")
            return ExitCode.UNAVAILABLE
        if decision["outcome"] == EMBEDDED:
            print(f"embedded {photo.path}")
            return ExitCode.DONE
        said = "; ".join(decision["words"]) or decision["outcome"]
        print(f"refused  {photo.path}: {said} ({decision['stage']}: {' '.join(decision['rules'])})")
        for remedy in decision["remedies"]:
            print(f"         what can be done: {remedy}")
        return ExitCode.REFUSED

    def _waited(self, photo: _Sent) -> JsonObject | None:
        image = read_photo(photo.path)
        limit_s = AGAIN_WAIT_S if photo.known else WAIT_S
        while True:
            found = self._decisions(image)
            new = [decision for decision in found if decision["number"] not in photo.known]
            is_late = time.monotonic() - photo.sent_at > limit_s
            if new or is_late:
                return max(new or found, key=lambda decision: int(decision["number"]), default=None)
            time.sleep(POLL_S)

    def _decisions(self, image: bytes) -> list[JsonObject]:
        answer = call(self._arguments, "POST", "/v1/explain", token=self._token, image=image)
        return [decision for decision in answer["decisions"] if decision["grant_id"] == self._arguments.grant]
