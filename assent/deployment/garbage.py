"""How the interpreter looks for cycles of garbage: not through the tables, again and again, while records are being decided on.

A ledger is millions of objects that live as long as the process and hold no cycle. The collector walks through all of them each time
it looks at its oldest generation, which took a third of the consent filter's time with 10 000 grants, and made pauses of 5 ms.
"""

from __future__ import annotations

import contextlib
import gc

from assent.deciding.tables import DecisionTables
from assent.stream.table import TableStaleError

YOUNG_OBJECTS = 100_000
"""New objects before the collector looks at them. A batch makes tens of thousands and lets go of all of them."""
READY_TIMEOUT_S = 3_600.0


async def spare_the_tables(tables: DecisionTables) -> None:
    """Once the tables are ready, leave what is in memory then out of every later search for cycles."""
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    with contextlib.suppress(TableStaleError):
        await tables.table.ready(READY_TIMEOUT_S)
        gc.collect()
        gc.freeze()
