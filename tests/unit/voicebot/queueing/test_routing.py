"""To whom a caller goes: the first rule that fits; and when the bot has to let go."""

from __future__ import annotations

from typing import Any

import pytest

from voicebot.people_settings import RuleSettings
from voicebot.queueing.routing import Facts, Routed, Routing


def routing(*rules: dict[str, Any]) -> Routing:
    return Routing([RuleSettings.model_validate(rule) for rule in rules])


def test_the_first_rule_that_fits_decides_over_the_queue_of_the_flow() -> None:
    rules = routing(
        {"when": {"reason": "system_down"}, "queue": "technicians", "priority": 5, "skills": ["network"]},
        {"when": {"language": "pl"}, "priority": 1},
        {"when": {}, "queue": "rest"},
    )
    first = rules.route(Facts(reason="system_down", language="pl", queue="service"))
    assert first == Routed("technicians", 5, frozenset({"network"}), 0)
    assert rules.route(Facts(language="pl", queue="service")) == Routed("service", 1, frozenset(), 1)
    assert rules.route(Facts(language="en", queue="service")) == Routed("rest", None, frozenset(), 2)
    assert routing().route(Facts(queue="service")) == Routed("service")


@pytest.mark.parametrize(
    ("when", "fits", "fails"),
    [
        ({"reason": ["a", "b"]}, {"reason": "b"}, {"reason": "c"}),
        ({"mood": "angry"}, {"mood": "angry"}, {"mood": "impatient"}),
        ({"bot": "shop"}, {"bot": "shop"}, {"bot": "clinic"}),
        ({"flow": "complaint"}, {"flow": "complaint"}, {}),
        ({"queue": "service"}, {"queue": "service"}, {"queue": "sales"}),
        ({"interruptions": 3}, {"interruptions": 3}, {"interruptions": 2}),
        ({"no_match": 2}, {"no_match": 4}, {"no_match": 1}),
        ({"says": "prawnik"}, {"said": ["proszę", "z moim PRAWNIKIEM"]}, {"said": ["prawo"]}),
        ({"says": "żądam zwrot"}, {"said": ["ja zadam zwrotu"]}, {"said": ["żądam natychmiast zwrotu", "zwrot"]}),
        ({"says": "wniosek"}, {"said": ["Wniosek!"]}, {"said": ["przedwniosek"]}),
        ({"caller": "+4860"}, {"caller": "601 234 567"}, {"caller": "+49601234567"}),
        ({"caller": ["601"]}, {"caller": "601234567"}, {"caller": ""}),
        ({"slots": {"plan": "Business", "paid": True}}, {"slots": {"plan": "business", "paid": True}}, {"slots": {}}),
        ({"slots": {"lines": 3}}, {"slots": {"lines": "3"}}, {"slots": {"lines": None}}),
        ({"mood": "angry", "language": "pl"}, {"mood": "angry", "language": "pl"}, {"mood": "angry"}),
    ],
)
def test_conditions(when: dict[str, Any], fits: dict[str, Any], fails: dict[str, Any]) -> None:
    rules = routing({"when": when, "queue": "there"})
    assert rules.route(Facts(**fits)).rule == 0
    assert rules.route(Facts(**fails)).rule is None


def test_the_bot_lets_go_when_a_rule_says_so_whatever_stands_before_it() -> None:
    rules = routing(
        {"when": {"language": "pl"}, "priority": 1},
        {"when": {"mood": "angry"}, "priority": 10, "hand_over": True},
    )
    assert rules.hand_over(Facts(language="pl")) is None
    assert rules.hand_over(Facts(language="pl", mood="angry", queue="service")) == Routed("service", 10, frozenset(), 1)
