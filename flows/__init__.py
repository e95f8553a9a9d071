"""Conversations written in YAML: loader, validator, engine, understanding. Imports none of our other packages."""

from flows.actions import (
    Action,
    CallSystem,
    Expectation,
    Handoff,
    HangUp,
    Listen,
    Note,
    PromiseCallback,
    Say,
    StopRecording,
)
from flows.commands import Command, Understood, command_name
from flows.errors import FlowError, FlowProblems, Problem, SettingMissing, TemplateFailed
from flows.events import (
    CallStarted,
    Event,
    HandoffFailed,
    Heard,
    Keys,
    NoInput,
    RecognitionDown,
    SystemResult,
    SystemSlow,
)
from flows.spans import Span, plain_text
from flows.state import FlowOption, State, Step, TurnContext, Understanding

__all__ = [
    "Action",
    "CallStarted",
    "CallSystem",
    "Command",
    "Event",
    "Expectation",
    "FlowError",
    "FlowOption",
    "FlowProblems",
    "Handoff",
    "HandoffFailed",
    "HangUp",
    "Heard",
    "Keys",
    "Listen",
    "NoInput",
    "Note",
    "Problem",
    "PromiseCallback",
    "RecognitionDown",
    "Say",
    "SettingMissing",
    "Span",
    "State",
    "Step",
    "StopRecording",
    "SystemResult",
    "SystemSlow",
    "TemplateFailed",
    "TurnContext",
    "Understanding",
    "Understood",
    "command_name",
    "plain_text",
]
