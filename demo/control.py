"""The site shows that its controller controls it, as any site does: it asks for the line and serves it; no proof is written by hand."""

from __future__ import annotations

from typing import Protocol

from demo.api import DemoApi, JsonObject
from demo.requests import CONTROLLER


class KeptSite(Protocol):
    """A site whose keeper writes into its control file."""

    control_lines: list[str]

    @property
    def origin(self) -> str:
        """Scheme, address and port."""
        ...


async def show_control(api: DemoApi, site: KeptSite, operator_token: str, *, controller: str = CONTROLLER, folder: str = "/") -> JsonObject:
    """The proof, shown over HTTP: the operator asks for the line, the site serves it, the registry looks."""
    at = f"{api.addresses.registry}/v1/control-proofs"
    asked = await api.need("POST", at, token=operator_token, json={"controller": controller, "place": f"{site.origin}{folder}"})
    if asked["line"] not in site.control_lines:
        site.control_lines.append(asked["line"])
    return await api.need("POST", f"{at}/{asked['proof_id']}/check", token=operator_token)
