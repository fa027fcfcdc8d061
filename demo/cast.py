"""The images of the story by the names under which the log knows them; a name is an id, never a face."""

from __future__ import annotations

from dataclasses import dataclass

from assent.ids import ImageId
from assent.intake.producers import CRAWLER
from assent.keys.identifiers import ImageIds
from demo import photos
from demo.site import DemoSite

PRODUCED = "an outside producer's picture"


@dataclass(frozen=True, slots=True)
class Image:
    """One picture: what a person calls it, its id, and the id of its place where it may never be fetched."""

    label: str
    image_id: ImageId
    place_id: str | None = None

    def is_in(self, names: set[str]) -> bool:
        """Whether one of its names is among these."""
        return self.image_id in names or self.place_id in names


class Cast:
    """Every image that the story offers."""

    def __init__(self, site: DemoSite, identifiers: ImageIds) -> None:
        self.produced = photos.stranger_without_place()
        self.images = [_on_site(site, path, identifiers) for path in site.photos]
        self.images.append(Image(PRODUCED, identifiers.image_id(self.produced)))

    def label(self, image_id: str | None, sighting_id: str) -> str:
        """What a person calls it; the start of its id for one that is not of the story."""
        for image in self.images:
            if sighting_id == image.place_id or (image.place_id is None and image.image_id == image_id):
                return image.label
        named = next((image.label for image in self.images if image.image_id == image_id), None)
        return named or f"image {(image_id or sighting_id)[:12]}"

    def have_all_ended(self, names: set[str]) -> bool:
        """Whether each image has an end under one of its names."""
        return all(image.is_in(names) for image in self.images)


def _on_site(site: DemoSite, path: str, identifiers: ImageIds) -> Image:
    image_id = identifiers.image_id(site.photos[path].data)
    place = identifiers.sighting_id(final_url=f"{site.origin}{path}", image_id=None, producer=CRAWLER)
    return Image(path, image_id, place)
