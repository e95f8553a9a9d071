"""The contract of legs, for browsers: all of it that is not about telephones (numbers, keys, hold, dialling, REFER)."""

from __future__ import annotations

import pytest

from tests.contract.telephony.browser_far_end import BrowserFarEnd
from tests.contract.telephony.far_end import FarEnd
from tests.contract.telephony.test_leg_contract import (  # noqa: F401
    test_a_flush_drops_what_is_not_on_the_wire,
    test_a_peer_whose_audio_stops_is_given_up,
    test_a_read_gives_no_more_than_was_asked_for,
    test_hanging_up_ends_the_call_at_both_ends,
    test_more_calls_than_fit_are_told_busy,
    test_more_than_two_seconds_are_not_queued,
    test_nothing_is_done_by_a_leg_that_has_ended,
    test_speech_goes_both_ways,
    test_two_consumers_of_events_at_once_are_a_mistake,
)

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def far_end() -> FarEnd:
    return BrowserFarEnd()
