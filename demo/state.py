"""What the demonstration must find again after it was stopped or killed: whose grants it made; the secrets stay in a private file."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ValidationError

from assent.faces.whole_file import write_whole

FILE = "demo.json"


class HeldGrant(BaseModel):
    """A grant of the story with the secret that its subject holds."""

    grant_id: str
    secret: str


class DemoState(BaseModel):
    """The subject, her grants by what they cover, the outside producer's key, and the port that the site had."""

    site_port: int = 0
    subject_id: str = ""
    grants: dict[str, HeldGrant] = {}
    producer_key: str = ""
    erasures: dict[str, str] = {}

    @classmethod
    def read(cls, folder: Path) -> DemoState:
        """What was left, or an empty state where nothing readable is there."""
        try:
            return cls.model_validate_json((folder / FILE).read_bytes())
        except (OSError, ValidationError):
            return cls()

    def write(self, folder: Path) -> None:
        """Whole or not at all, for the owner alone."""
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / FILE, self.model_dump_json().encode(), mode=0o600)
