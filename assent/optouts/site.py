"""Opt-outs in the files of a site beside robots.txt, asked for one path; a file that could not be fetched refuses."""

from __future__ import annotations

from assent.optouts.ai_txt import ai_txt as ai_txt_signals
from assent.optouts.fetched_file import FetchedFile
from assent.optouts.signal import OptOutSignal
from assent.optouts.tdmrep import tdmrep_json


def site_optouts(path: str, tdmrep: FetchedFile, ai_txt: FetchedFile, *, agent: str) -> tuple[OptOutSignal, ...]:
    """The signals of `/.well-known/tdmrep.json` and `/ai.txt` about `path` (with its query)."""
    return (*tdmrep_json(tdmrep, path), *ai_txt_signals(ai_txt, path, agent=agent))
