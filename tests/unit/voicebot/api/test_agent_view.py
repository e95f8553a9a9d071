"""What an agent's desk shows in moments that pass quickly."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from voicebot.api.agent_view import AgentViews
from voicebot.people.talk import TalkState, Worker
from voicebot.queueing.model import Entry, EntryState, Kind


@pytest.fixture
def entry() -> Mock:
    return Mock(spec=Entry, id="1", state=EntryState.TALKING, kind=Kind.CALL)


def test_a_talk_that_is_over_is_no_call_any_more_though_the_queue_has_not_heard_yet(
    entry: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AgentViews, "_known", lambda self, entry: Mock())
    desk = Mock()
    desk.case_about.return_value.talk = Mock(worker=Worker("anna", "Anna", ""), state=TalkState.OVER)
    assert AgentViews(desk, Mock())._call("anna", entry) is None
