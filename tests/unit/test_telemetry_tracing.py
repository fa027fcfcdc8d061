"""`traceparent`: what the W3C text calls valid is continued, everything else starts a new trace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.telemetry.tracing import TraceContext, is_unrecorded

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def test_a_valid_header_is_read_and_written_back() -> None:
    header = f"00-{TRACE}-{SPAN}-01"
    context = TraceContext.parse(header)
    assert context == TraceContext(trace_id=TRACE, span_id=SPAN, is_sampled=True)
    assert context is not None
    assert context.header() == header


def test_only_the_sampled_flag_is_continued() -> None:
    context = TraceContext.parse(f"00-{TRACE}-{SPAN}-fe")
    assert context is not None
    assert context.header().endswith("-00")


def test_a_later_version_may_have_more_parts() -> None:
    assert TraceContext.parse(f"01-{TRACE}-{SPAN}-01-what-the-future-will-say") is not None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_an_invalid_header_is_no_context(header: str | None) -> None:
    assert TraceContext.parse(header) is None
    assert not is_unrecorded(header)
    assert TraceContext.follow(header).trace_id != TRACE


@pytest.mark.parametrize(
    ("header", "unrecorded"),
    [
        (f"00-{TRACE}-{SPAN}-00", True),
        (f"00-{TRACE}-{SPAN}-fe", True),
        (f"00-{TRACE}-{SPAN}-01", False),
        (f"00-{TRACE}-{SPAN}-ff", False),
        (f"00-{'0' * 32}-{SPAN}-00", False),
        (f"00-{TRACE}-{'0' * 16}-00", False),
        (f"01-{TRACE}-{SPAN}-00-more", False),
        (f"00-{TRACE}-{SPAN}-00\n", False),
    ],
)
def test_only_a_whole_context_without_the_sampled_flag_is_unrecorded(header: str, unrecorded: bool) -> None:
    assert is_unrecorded(header) is unrecorded


def test_a_child_keeps_the_trace_and_changes_the_span() -> None:
    child = TraceContext.follow(f"00-{TRACE}-{SPAN}-00")
    assert child.trace_id == TRACE
    assert child.span_id != SPAN
    assert not child.is_sampled


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    TraceContext.parse(text)


def test_new_traces_differ_and_can_be_read() -> None:
    headers = {TraceContext.start().header() for _ in range(50)}
    assert len(headers) == 50
    assert all(TraceContext.parse(header) is not None for header in headers)
