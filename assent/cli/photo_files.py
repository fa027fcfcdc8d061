"""Photos named on the command line; a file that is none of the kinds that are taken is left where it is and said so."""

from __future__ import annotations

from pathlib import Path

from assent.cli.command import CommandError

ENDINGS = frozenset({".heic", ".heif", ".jpg", ".jpeg", ".png", ".webp"})


def read_photo(path: Path) -> bytes:
    """The bytes of one file. Raises CommandError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror}); name a JPEG, PNG, WebP or HEIC file") from error
    if not data:
        raise CommandError(f"{path} is empty; name a JPEG, PNG, WebP or HEIC file")
    return data


def photos_in(paths: list[Path]) -> list[Path]:
    """The files, and those of folders with a photo's ending, by name. Raises CommandError where there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(sorted(item for item in path.rglob("*") if item.is_file() and item.suffix.lower() in ENDINGS))
        elif path.is_file():
            found.append(path)
        else:
            raise CommandError(f"there is no file or folder {path}")
    if not found:
        raise CommandError("there is no JPEG, PNG, WebP or HEIC file in what was named")
    return found
