"""Opt-outs inside the bytes of an image: XMP and C2PA; nothing is decoded, and metadata that cannot be read refuses."""

from __future__ import annotations

from assent.optouts.c2pa_training import c2pa_signals
from assent.optouts.image_metadata import read_image_metadata
from assent.optouts.licence import xmp_licence
from assent.optouts.plus import plus_signals
from assent.optouts.rsl import rsl_present
from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict
from assent.optouts.tdmrep import tdm_reservation
from assent.optouts.xmp import RSL_NAMESPACE, XmpUnreadableError, xmp_properties


def image_optouts(data: bytes) -> tuple[OptOutSignal, ...]:
    """The signals inside an image file."""
    metadata = read_image_metadata(data)
    broken = (_unreadable("broken_file"),) if metadata.is_broken else ()
    xmp = (signal for packet in metadata.xmp for signal in xmp_optouts(packet))
    return (*broken, *xmp, *c2pa_signals(tuple(metadata.c2pa), data=data))


def xmp_optouts(packet: bytes) -> tuple[OptOutSignal, ...]:
    """The signals of one XMP packet, whatever file or sidecar it came from."""
    try:
        properties = xmp_properties(packet)
    except XmpUnreadableError:
        return (_unreadable("xmp"),)
    reservations = (one.value for one in properties if one.name == "reservation" and "tdmrep" in one.namespace)
    has_rsl = any(RSL_NAMESPACE in one.namespace for one in properties)
    return (
        *plus_signals(properties),
        *xmp_licence(properties),
        *(signal for value in reservations for signal in tdm_reservation(value, source=SignalSource.IMAGE)),
        *((rsl_present("xmp", source=SignalSource.IMAGE),) if has_rsl else ()),
    )


def _unreadable(token: str) -> OptOutSignal:
    return OptOutSignal(SignalKind.IMAGE_METADATA, SignalVerdict.UNKNOWN, SignalSource.IMAGE, token)
