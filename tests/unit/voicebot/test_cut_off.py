"""Who is told that a fault of ours ended the last call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from voicebot.cut_off import RINGS_AGAIN, CutOff

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_whoever_rings_again_soon_is_told_once() -> None:
    cut_off = CutOff({"+48600100200": NOON})
    assert not cut_off.took("+48600100201", NOON)
    assert not cut_off.took("", NOON)
    assert cut_off.took("+48600100200", NOON + RINGS_AGAIN)
    assert not cut_off.took("+48600100200", NOON + RINGS_AGAIN)


def test_later_it_is_old_news() -> None:
    assert not CutOff({"+48600100200": NOON}).took("+48600100200", NOON + RINGS_AGAIN + timedelta(seconds=1))


def test_what_is_known_may_change() -> None:
    cut_off = CutOff({"+48600100200": NOON})
    cut_off.know({"+48600100201": NOON})
    cut_off.add("+48600100202", NOON)
    cut_off.add("", NOON)  # the number was withheld
    assert dict(cut_off.ended) == {"+48600100201": NOON, "+48600100202": NOON}
    assert not cut_off.took("+48600100200", NOON)
