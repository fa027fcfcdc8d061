"""Asks an operator's tables of addresses (MaxMind DB files) in which country the server of a connection stands; keeps no address."""

from __future__ import annotations

import hashlib
import io
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import maxminddb
from maxminddb.errors import InvalidDatabaseError

from assent.deployment.start_errors import StartError
from assent.events.evidence import PageEvidence
from assent.fetching.address_guard import embedded_v4
from assent.geofence.server import SHARED_NETWORKS, country_of, network_number, server_statement
from assent.ids import Jurisdiction
from assent.stream.clock import Clock

MAX_AGE = timedelta(days=90)
"""Addresses are sold and moved: an older table is no evidence."""


class ServerTableError(StartError):
    """Raised when a table of addresses cannot be read, at start or later; the message names the file."""


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """What the tables say of one address: its country, or why none is told. `network` is the number of the autonomous system."""

    country: Jurisdiction | None
    network: int | None
    is_shared: bool
    is_stale: bool


class _Table:
    """One file, read once into memory: what is written over on disk meanwhile changes no answer, and `digest` is of what answers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            data = path.read_bytes()
            self._reader = maxminddb.open_database(io.BytesIO(data), maxminddb.MODE_FD)
            self.built_at = datetime.fromtimestamp(self._reader.metadata().build_epoch, UTC)
        except OSError as error:
            raise ServerTableError(f"{path} cannot be read ({error.strerror}); name a MaxMind DB file, or unset it") from error
        except (InvalidDatabaseError, ValueError, OverflowError) as error:
            raise ServerTableError(f"{path} is no MaxMind DB file, or is cut off; fetch it again") from error
        self.digest = hashlib.sha256(data).hexdigest()

    def record(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Any:
        """What the table holds of an address, or None. Raises ServerTableError."""
        if address.version == 6 and self._reader.metadata().ip_version == 4:
            return None
        try:
            return self._reader.get(address)
        except (InvalidDatabaseError, ValueError, IndexError) as error:
            raise ServerTableError(f"{self._path} is damaged; fetch it again and start anew") from error


class ServerPlaces:
    """Tells the place of a server, if there is a table. `version` names the tables by their content."""

    def __init__(self, *, places: Path | None, networks: Path | None, clock: Clock) -> None:
        self._places = None if places is None else _Table(places)
        self._networks = self._places if networks is None or self._places is None else _Table(networks)
        self._clock = clock

    @property
    def version(self) -> str | None:
        """A name for both tables together, or None without one."""
        if self._places is None or self._networks is None:
            return None
        return f"servers-{hashlib.sha256((self._places.digest + self._networks.digest).encode()).hexdigest()[:12]}"

    @property
    def age_s(self) -> float:
        """Seconds since the older of the tables was built; 0 without one."""
        return max(((self._clock.now() - table.built_at).total_seconds() for table in self._tables()), default=0.0)

    def told(self, address: str | None) -> tuple[PageEvidence, ...]:
        """What is known of the server at this numeric address, as evidence: its country, or nothing. Raises ServerTableError."""
        version = self.version
        if address is None or version is None:
            return ()
        country = self.place(address).country
        return () if country is None else (server_statement(country, version),)

    def place(self, address: str) -> ServerPlace:
        """The same with the reason. Raises ServerTableError, and ValueError for what is no address."""
        known = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(known, ipaddress.IPv6Address):
            known = embedded_v4(known) or known
        if self._places is None or self._networks is None:
            return ServerPlace(None, None, is_shared=False, is_stale=False)
        place, network = self._places.record(known), self._networks.record(known)
        number = network_number(network)
        is_stale = self.age_s > MAX_AGE.total_seconds()
        country = None if is_stale else country_of(place, network)
        return ServerPlace(country, number, is_shared=number in SHARED_NETWORKS, is_stale=is_stale)

    def _tables(self) -> list[_Table]:
        return [table for table in (self._places, self._networks) if table is not None]
