"""When a producer has sent too much that is dead; and that no copy of a record counts twice."""

from __future__ import annotations

from assent.intake.producer_window import REMEMBERED, ProducerCaps, ProducerWindow
from assent.intake.standings import SuspensionReason

CAPS = ProducerCaps(window=10, max_dead_share=0.5, max_dead_in_a_row=6)


def noted(window: ProducerWindow, pattern: str, *, prefix: str = "r") -> list[SuspensionReason | None]:
    """`d` is a dead record, `g` a good one; what was exceeded after each."""
    found = []
    for number, kind in enumerate(pattern):
        window.note(f"{prefix}{number}", is_dead=kind == "d")
        found.append(window.exceeded())
    return found


def test_so_many_in_a_row_are_too_many_and_one_less_is_not() -> None:
    assert noted(ProducerWindow(CAPS), "ddddd") == [None] * 5
    assert noted(ProducerWindow(CAPS), "dddddd")[-1] is SuspensionReason.DEAD_IN_A_ROW


def test_a_good_record_ends_the_row() -> None:
    assert noted(ProducerWindow(CAPS), "dddddgddddd")[:9] == [None] * 9


def test_the_share_is_judged_over_a_full_window_alone() -> None:
    found = noted(ProducerWindow(CAPS), "ddgddgddgd")
    assert found == [None] * 9 + [SuspensionReason.DEAD_SHARE]
    assert noted(ProducerWindow(CAPS), "dgdgdgdgdg") == [None] * 10, "half is not more than half"


def test_what_left_the_window_counts_no_more() -> None:
    window = ProducerWindow(CAPS)
    noted(window, "dddddg")
    assert noted(window, "ggggddgg", prefix="later")[-1] is None
    assert len(window.dead()) == 3


def test_a_copy_counts_once_whatever_it_came_to() -> None:
    window = ProducerWindow(CAPS)
    assert window.note("same", is_dead=True)
    assert not any(window.note("same", is_dead=True) for _ in range(20))
    assert not window.note("same", is_dead=False)
    assert (window.exceeded(), window.dead()) == (None, ("same",))


def test_what_led_to_a_suspension_before_never_counts_again() -> None:
    first = ProducerWindow(CAPS)
    noted(first, "dddddd")
    after = ProducerWindow(CAPS, ignored=first.dead())
    assert noted(after, "dddddd") == [None] * 6
    assert noted(after, "dddddd", prefix="new")[-1] is SuspensionReason.DEAD_IN_A_ROW


def test_memory_is_bounded() -> None:
    window = ProducerWindow(CAPS)
    for number in range(REMEMBERED + 5):
        window.note(str(number), is_dead=False)
    assert window.note("0", is_dead=False), "the oldest is forgotten"
    assert not window.note(str(REMEMBERED), is_dead=False)
