"""Batches as strangers write them: the good records come out, a bad place is told, and reading always goes on behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiokafka.consumer import fetcher

from assent.events.envelope import UnreadableEventError, decode
from assent.events.topics import Topic
from assent.stream import kafka_consumers
from assent.stream.bounded_codecs import UninflatableError, inflated
from assent.stream.event_log import DamagedRecordError
from assent.stream.kafka_batches import DAMAGED, MARKER, CarefulRecords
from tests.integration.raw_batches import GZIP, LZ4, SNAPPY, ZSTD, batch, compressed, record

CODECS = {"gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD}


def read(data: bytes) -> tuple[list[Any], int]:
    """What the client would hand out, and where it would go on."""
    records, found, position = CarefulRecords(data), [], 0
    while records.has_next():
        one = records.next_batch()
        assert one is not None
        assert one.validate_crc()
        found += [told(item) for item in one]
        position = one.next_offset
    return found, position


def told(item: Any) -> tuple[int, str]:
    name, value = item.headers[0] if item.headers else ("", None)
    if name is DAMAGED:
        return item.offset, (value or b"").decode()
    return item.offset, "marker" if name is MARKER else item.value.decode()


def three(codec: int = 0, **changes: Any) -> bytes:
    return batch(b"".join(record(index, b"k", f"v{index}".encode()) for index in range(3)), 3, codec=codec, **changes)


@pytest.mark.parametrize("codec", [0, *CODECS.values()])
def test_sound_records_come_out_whatever_packed_them(codec: int) -> None:
    assert read(three(codec)) == ([(0, "v0"), (1, "v1"), (2, "v2")], 3)


def test_snappy_in_the_blocks_of_the_java_library() -> None:
    blocks = b"".join(len(part).to_bytes(4, "big") + part for part in (compressed(b"one ", SNAPPY), compressed(b"two", SNAPPY)))
    header = b"\x82SNAPPY\0" + (1).to_bytes(4, "big") * 2
    assert inflated(header + blocks, codec=SNAPPY) == b"one two"
    for wrong in (b"\0\0\0\x09", b"\xff\xff\xff\xff1234", b"\0\0"):
        with pytest.raises(UninflatableError, match="damaged_batch"):
            inflated(header + wrong, codec=SNAPPY)


def test_gzip_of_several_members_and_one_that_is_cut_off() -> None:
    packed = compressed(b"one ", GZIP) + compressed(b"two", GZIP)
    assert inflated(packed, codec=GZIP) == b"one two"
    with pytest.raises(UninflatableError, match="damaged_batch"):
        inflated(packed[:-4], codec=GZIP)


@pytest.mark.parametrize("name", CODECS)
def test_nothing_is_inflated_beyond_the_limit(name: str) -> None:
    packed = compressed(b"a" * 100_001, CODECS[name])
    assert len(inflated(packed, codec=CODECS[name], limit=100_001)) == 100_001
    with pytest.raises(UninflatableError, match="inflates_too_far"):
        inflated(packed, codec=CODECS[name], limit=100_000)


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("rubbish", [b"", b"\0" * 50, b"\xff" * 50, b"rubbish" * 9])
def test_rubbish_is_a_damaged_batch(name: str, rubbish: bytes) -> None:
    with pytest.raises(UninflatableError, match=r"damaged_batch|inflates_too_far"):
        inflated(rubbish, codec=CODECS[name])


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (three(is_intact=False), "damaged_batch"),
        (three(attributes=7), "unknown_codec"),
        (three(attributes=ZSTD), "damaged_batch"),
        (three(attributes=0x20), "marker"),
    ],
    ids=["broken", "codec", "rubbish", "marker"],  # the bytes hold the time at which they were made
)
def test_a_batch_that_cannot_be_read_is_one_place_at_its_end(data: bytes, cause: str) -> None:
    assert read(data + three()) == ([(2, cause), (0, "v0"), (1, "v1"), (2, "v2")], 3)
    assert read(data)[1] == 3


def test_an_old_format_is_passed_message_by_message() -> None:
    assert read(three(magic=1)) == ([(0, "old_format")], 1)


def test_too_many_records_are_not_unpacked() -> None:
    many = b"".join(record(index, b"", b"") for index in range(50_001))
    assert read(batch(many, 50_001, codec=ZSTD)) == ([(50_000, "too_many_records")], 50_001)


def test_a_bad_record_between_good_ones_is_the_only_one_lost() -> None:
    records = record(0, b"k", b"v0") + record(1, b"k", b"v1", [(b"\xff", b"")]) + record(2, b"k", b"v2")
    assert read(batch(records, 3)) == ([(0, "v0"), (1, "damaged_record"), (2, "v2")], 3)


@pytest.mark.parametrize("tail", [b"", b"\0", b"\xff" * 9, b"\x7f12"])
def test_where_records_have_no_end_the_rest_is_one_place(tail: bytes) -> None:
    assert read(batch(record(0, b"k", b"v0") + tail, 3)) == ([(0, "v0"), (2, "damaged_batch")], 3)


def test_what_a_fetch_cut_off_is_left_for_the_next() -> None:
    whole = three()
    assert read(whole + whole[:-1]) == ([(0, "v0"), (1, "v1"), (2, "v2")], 3)
    assert read(whole[:11]) == ([], 0)


def test_the_client_reads_through_it() -> None:
    assert fetcher.MemoryRecords is CarefulRecords


def test_a_stranger_cannot_make_a_place_by_its_name() -> None:
    """The names are told by identity: a header that is spelt like ours is a header."""
    spelt = batch(record(0, b"k", b"v", [(DAMAGED.encode(), b"x"), (MARKER.encode(), b"y")]), 1)
    (only,) = kafka_consumers.stored({"at": [fetched(item) for item in batches(spelt)]})
    assert (only.damage, only.is_marker, len(only.headers)) == (None, False, 2)


def test_a_reader_that_must_miss_nothing_stops_at_a_damaged_place() -> None:
    found = kafka_consumers.stored({"at": [fetched(item) for item in batches(three(is_intact=False))]})
    with pytest.raises(DamagedRecordError, match="up to offset 2"):
        kafka_consumers.whole(found)
    assert kafka_consumers.whole(kafka_consumers.stored({"at": [fetched(item) for item in batches(three(attributes=0x20))]})) == []


def test_a_damaged_place_where_strangers_write_is_handed_on_to_every_reader() -> None:
    """A table that broke over it would be a switch in their hands."""
    (place,) = kafka_consumers.stored({"at": [fetched(item) for item in batches(three(is_intact=False))]})
    strangers = replace(place, topic=Topic.IMAGES_SCRAPED.value)
    assert kafka_consumers.whole([strangers]) == [strangers]
    with pytest.raises(UnreadableEventError, match="damaged_batch"):
        decode(strangers)


def batches(data: bytes) -> list[Any]:
    one = CarefulRecords(data).next_batch()
    assert one is not None
    return list(one)


def fetched(item: Any) -> Any:
    """As the client hands a record out."""
    partition = fetcher.TopicPartition("topic", 0)
    whole = fetcher.PartitionRecords(partition, CarefulRecords(b""), [], 0, None, None, True, 0)
    return whole._consumer_record(partition, item)
