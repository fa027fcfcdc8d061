"""An empty mount point never passes for an empty store: who makes a store, who waits for it, and what a start says when it is not there."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest

from assent.blobs.store_mark import MARK, StoreMarkError, make_mark, read_mark
from assent.deployment.service_settings import ServiceSettings
from assent.deployment.start_errors import StartError
from assent.deployment.stores_in_place import WITNESS, stores_in_place

BOTH = ("blobs", "grant-keys")


class Home:
    """A data folder and two stores, each of which may stand on a disk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = ServiceSettings(
            data_folder=folder / "data", blobs_url=f"file:{folder / 'blobs'}", keys_url=(folder / "grant-keys").as_uri()
        )

    async def start(self) -> None:
        await stores_in_place(self.settings, makes=True)

    async def join(self, awaited_s: float = 0.0) -> None:
        await stores_in_place(self.settings, makes=False, awaited_s=awaited_s)

    def put(self, place: str) -> None:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sealed")

    def remembered(self) -> dict[str, str]:
        return dict(json.loads((self.folder / "data" / WITNESS).read_text()))

    def unmount(self, store: str) -> None:
        """The disk goes and its mount point stays."""
        (self.folder / store).rename(self.folder / f"{store}-away")
        (self.folder / store).mkdir()

    def mount(self, store: str) -> None:
        (self.folder / store).rmdir()
        (self.folder / f"{store}-away").rename(self.folder / store)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


async def test_the_first_start_of_a_home_makes_its_stores_and_the_next_one_knows_them(home: Home) -> None:
    await home.start()
    marks = {store: read_mark(home.folder / store) for store in BOTH}
    assert None not in marks.values()
    assert home.remembered() == {"blobs_url": marks["blobs"], "keys_url": marks["grant-keys"]}
    assert {(home.folder / store).stat().st_mode & 0o777 for store in BOTH} == {0o700}
    await home.start()
    await home.join()
    assert {store: read_mark(home.folder / store) for store in BOTH} == marks


@pytest.mark.parametrize(("store", "setting"), [("blobs", "blobs_url"), ("grant-keys", "keys_url")])
async def test_a_store_whose_disk_is_missing_ends_the_start_and_nothing_is_made_in_its_place(home: Home, store: str, setting: str) -> None:
    await home.start()
    home.unmount(store)
    place = re.escape(str(home.folder / store))
    with pytest.raises(
        StartError, match=rf"^{setting}: {place} is not the .* store of this home, for there is no file \{MARK} in it; mount"
    ):
        await home.start()
    with pytest.raises(StartError, match=rf"^{setting}: no .* store at {place}"):
        await home.join()
    assert not list((home.folder / store).iterdir())
    (home.folder / store).rmdir()
    with pytest.raises(StartError, match=rf"^{setting}: .* no folder {place}; mount or restore it"):
        await home.start()
    assert not (home.folder / store).exists()
    (home.folder / store).mkdir()
    home.mount(store)
    await home.start()


async def test_another_homes_disk_is_not_taken(home: Home, tmp_path: Path) -> None:
    await home.start()
    stranger = Home(tmp_path / "stranger")
    await stranger.start()
    shutil.rmtree(home.folder / "blobs")
    shutil.copytree(stranger.folder / "blobs", home.folder / "blobs")
    with pytest.raises(StartError, match=rf"its \{MARK} names another store"):
        await home.start()


async def test_what_the_line_says_mends_it(home: Home) -> None:
    await home.start()
    (home.folder / "blobs" / MARK).unlink()
    with pytest.raises(StartError) as refused:
        await home.start()
    told = re.search(r"write ([0-9a-f]{32}) into (\S+);.*take blobs_url out of (\S+)", str(refused.value))
    assert told is not None
    mark, place, witness = told.groups()
    assert (place, witness) == (str(home.folder / "blobs" / MARK), str(home.folder / "data" / WITNESS))
    (home.folder / "blobs" / MARK).write_text(mark)
    await home.start()
    (home.folder / "blobs" / MARK).unlink()
    known = home.remembered()
    del known["blobs_url"]
    (home.folder / "data" / WITNESS).write_text(json.dumps(known))
    await home.start()
    assert read_mark(home.folder / "blobs") not in (None, mark)


OLDER = {
    "in use": ("blobs/grants/g-1/f-1", "grant-keys/wrapped/g-1", "grant-keys/producers/p"),
    "nothing in them": (),
    "on a disk of its own": ("blobs/lost+found/x",),
}


@pytest.mark.parametrize("name", OLDER)
async def test_stores_from_before_there_were_marks_are_taken_with_what_they_hold(home: Home, name: str) -> None:
    for store in BOTH:
        (home.folder / store).mkdir()
    for place in OLDER[name]:
        home.put(place)
    await home.start()
    assert [place for place in OLDER[name] if (home.folder / place).read_bytes() != b"sealed"] == []
    await home.join()


async def test_a_folder_that_holds_something_else_is_not_taken(home: Home) -> None:
    home.put("blobs/holiday.jpg")
    with pytest.raises(StartError, match=r"^blobs_url: .*/blobs is no blob store and not empty, for it holds holiday.jpg; "):
        await home.start()
    assert [path.name for path in (home.folder / "blobs").iterdir()] == ["holiday.jpg"]


async def test_keys_are_no_blobs(home: Home) -> None:
    """Two settings that were mixed up."""
    home.put("blobs/wrapped/g-1")
    with pytest.raises(StartError, match="for it holds wrapped"):
        await home.start()


async def test_a_service_that_starts_first_waits_for_the_registry_and_makes_nothing(home: Home) -> None:
    waiting = asyncio.create_task(home.join(awaited_s=30))
    await asyncio.sleep(0)
    assert not (home.folder / "blobs").exists()
    assert not waiting.done()
    await home.start()
    await asyncio.wait_for(waiting, 10)


async def test_a_service_alone_says_who_makes_the_stores(home: Home) -> None:
    with pytest.raises(StartError, match="or start the registry, which makes it at its first start"):
        await home.join()
    assert list(home.folder.iterdir()) == []


async def test_stores_that_are_no_folders_are_left_alone(home: Home) -> None:
    home.settings = ServiceSettings(data_folder=home.folder, blobs_url="s3://assent-blobs", keys_url="s3://assent-keys")
    await home.start()
    await home.join()
    assert list(home.folder.iterdir()) == []


async def test_a_home_that_was_moved_without_its_memory_remembers_again(home: Home) -> None:
    await home.start()
    marks = {store: read_mark(home.folder / store) for store in BOTH}
    (home.folder / "data" / WITNESS).unlink()
    await home.start()
    assert sorted(home.remembered().values()) == sorted(filter(None, marks.values()))


async def test_damage_is_told(home: Home) -> None:
    await home.start()
    (home.folder / "data" / WITNESS).write_text("{")
    with pytest.raises(StartError, match=f"{WITNESS} cannot be read"):
        await home.start()
    (home.folder / "blobs" / MARK).write_text("")
    with pytest.raises(StoreMarkError, match="does not hold the id of a store"):
        await home.join()


def test_of_two_that_make_a_mark_at_once_the_first_one_counts(tmp_path: Path) -> None:
    first = make_mark(tmp_path)
    assert make_mark(tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == [MARK]
