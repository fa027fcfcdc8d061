"""Whether the folders of blobs and of wrapped keys are the stores they were: an empty mount point must never pass for an empty store."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from assent.blobs.store_mark import MARK, content, make_mark, read_mark
from assent.deployment.service_settings import ServiceSettings
from assent.deployment.start_errors import StartError
from assent.keys.key_files import write_new_file

AWAITED_S = 30.0
ASKED_EVERY_S = 0.5
WITNESS = "stores.json"
"""In the data folder of the registry, or of the one process: which stores it made, by setting. It stands on another disk than they may."""


@dataclass(frozen=True, slots=True)
class _Store:
    setting: str
    name: str
    areas: frozenset[str]
    folder: Path


async def stores_in_place(settings: ServiceSettings, *, makes: bool, awaited_s: float = AWAITED_S) -> None:
    """Return when every store in a folder carries its mark. Raises StartError: what is missing, where, and what to do.

    `makes` is for the registry and for one process alone: at the first start of a home they make the stores. Everybody else waits a
    while for them, because machines that start together start in any order.
    """
    stores = [store for store in _stores(settings) if store is not None]
    if makes:
        _made(stores, settings.data_folder / WITNESS)
        return
    deadline = time.monotonic() + awaited_s
    while missing := [store for store in stores if read_mark(store.folder) is None]:
        if time.monotonic() > deadline:
            store = missing[0]
            raise StartError(
                f"{store.setting}: no {store.name} at {store.folder}, for there is no file {MARK} in it; mount it, "
                "or start the registry, which makes it at its first start"
            )
        await asyncio.sleep(ASKED_EVERY_S)


def local_folder(url: str) -> Path | None:
    """The folder of `file:FOLDER` or `file:///FOLDER`; None for a store that is none."""
    if not url.startswith("file:"):
        return None
    return Path(unquote(urlsplit(url).path)) if url.startswith("file:///") else Path(url.removeprefix("file:")).absolute()


def _stores(settings: ServiceSettings) -> list[_Store | None]:
    def store(setting: str, name: str, *areas: str) -> _Store | None:
        folder = local_folder(getattr(settings, setting))
        return None if folder is None else _Store(setting, name, frozenset(areas), folder)

    return [
        store("keys_url", "key store", "wrapped", "destroyed", "producers"),
        store("blobs_url", "blob store", "quarantine", "intake", "grants", "standings"),
    ]


def _made(stores: list[_Store], witness: Path) -> None:
    """Compare what is known, make what is new, and remember it."""
    known = _remembered(witness)
    found = {store.setting: _known_store(store, known[store.setting], witness) for store in stores if store.setting in known}
    made = {store.setting: _new_store(store) for store in stores if store.setting not in known}
    if made:
        witness.parent.mkdir(parents=True, exist_ok=True)
        later = json.dumps({**known, **found, **made}, indent=2, sort_keys=True) + "\n"
        witness.unlink(missing_ok=True)
        write_new_file(witness, later.encode(), mode=0o600)


def _remembered(witness: Path) -> dict[str, str]:
    """The mark of each store that was made, by setting."""
    if not witness.exists():
        return {}
    try:
        return dict(json.loads(witness.read_text()))
    except ValueError as error:
        raise StartError(f"{witness} cannot be read; restore it, or remove it when the stores are mounted") from error


def _known_store(store: _Store, mark: str, witness: Path) -> str:
    told = read_mark(store.folder)
    if told == mark:
        return mark
    if not store.folder.is_dir():
        raise StartError(f"{store.setting}: the {store.name} is not there, no folder {store.folder}; mount or restore it")
    wrong = f"there is no file {MARK} in it" if told is None else f"its {MARK} names another store"
    raise StartError(
        f"{store.setting}: {store.folder} is not the {store.name} of this home, for {wrong}; mount the right one. "
        f"If it is the right one, write {mark} into {store.folder / MARK}; "
        f"if a new, empty one shall take its place, take {store.setting} out of {witness}"
    )


def _new_store(store: _Store) -> str:
    """The mark of a store that is remembered nowhere: there from before, or made now."""
    mark = read_mark(store.folder)
    if mark is not None:
        return mark
    strange = content(store.folder) - store.areas
    if strange:
        names = ", ".join(sorted(strange)[:3])
        raise StartError(
            f"{store.setting}: {store.folder} is no {store.name} and not empty, for it holds {names}; "
            "mount the right folder or name an empty one"
        )
    return make_mark(store.folder)
