"""The parts of an embedded product and the socket that it will listen on, for a test that changes a part before anything runs."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from assent.deployment.build import open_shared
from assent.deployment.shared import Shared
from assent.testing.face_pack import lend_pack
from embedded.layout import EmbeddedLayout
from embedded.system import NEEDS, Progress, listen


@asynccontextmanager
async def opened_parts(layout: EmbeddedLayout, *, host: str, port: int, progress: Progress) -> AsyncIterator[tuple[Shared, socket.socket]]:
    """What `running_system` is given, as `open_system` opens it."""
    with closing(listen(host, port)) as listener:
        lend_pack(layout.model)
        async with open_shared(layout.registry(), service="embedded", needs=NEEDS, is_single_process=True) as shared:
            yield shared, listener
