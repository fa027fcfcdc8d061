"""Every await on a broker: bounded in time, and its many errors turned into the few that the port knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from aiokafka.errors import (
    IllegalOperation,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)

from assent.stream.event_log import LogUnavailableError, RecordTooLargeError, UnknownTopicError

T = TypeVar("T")


async def call(work: Awaitable[T], *, timeout_s: float, what: str) -> T:
    """The result, or LogUnavailableError, RecordTooLargeError, UnknownTopicError."""
    with translated(what):
        async with asyncio.timeout(timeout_s):
            return await work


@contextmanager
def translated(what: str) -> Iterator[None]:
    """The port's errors instead of the client's. A programming mistake stays what it is."""
    try:
        yield
    except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
        raise RecordTooLargeError(f"{what}: the broker takes no record of this size; send a reference instead") from error
    except UnknownTopicOrPartitionError as error:
        raise UnknownTopicError(f"{what}: a topic was never created; create the topics first") from error
    except IllegalOperation:
        raise
    except TimeoutError as error:
        raise LogUnavailableError(f"{what}: no answer in time; check that the brokers are up and reachable") from error
    except (KafkaError, OSError) as error:
        raise LogUnavailableError(f"{what}: {type(error).__name__}; check the brokers and the permissions") from error
