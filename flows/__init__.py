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
    SurveyAnswered,
)
from flows.commands import Command, Understood, command_name
from flows.engine import Engine
from flows.errors import FlowError, FlowProblems, Problem, SettingMissing, TemplateFailed
from flows.events import (
    CallStarted,
    Event,
    Faulted,
    HandoffFailed,
    Heard,
    Interrupted,
    Keys,
    NoInput,
    PeopleWanted,
    RecognitionDown,
    Returned,
    SystemResult,
    SystemSlow,
)
from flows.loader import load_bot
from flows.model import Bot, Known
from flows.spans import Span, plain_text
from flows.state import FlowOption, State, Step, TurnContext, Understanding
from flows.systems import SystemClient, Systems
from flows.understanding import EmbeddedUnderstanding

__all__ = [
    "Action",
    "Bot",
    "CallStarted",
    "CallSystem",
    "Command",
    "EmbeddedUnderstanding",
    "Engine",
    "Event",
    "Expectation",
    "Faulted",
    "FlowError",
    "FlowOption",
    "FlowProblems",
    "Handoff",
    "HandoffFailed",
    "HangUp",
    "Heard",
    "Interrupted",
    "Keys",
    "Known",
    "Listen",
    "NoInput",
    "Note",
    "PeopleWanted",
    "Problem",
    "PromiseCallback",
    "RecognitionDown",
    "Returned",
    "Say",
    "SettingMissing",
    "Span",
    "State",
    "Step",
    "StopRecording",
    "SurveyAnswered",
    "SystemClient",
    "SystemResult",
    "SystemSlow",
    "Systems",
    "TemplateFailed",
    "TurnContext",
    "Understanding",
    "Understood",
    "command_name",
    "load_bot",
    "plain_text",
]
