"""Steps, one module each. A new step is a class there and a line here."""

from __future__ import annotations

from flows.steps.base import Branch, Go, StepModel, Uses, Ways
from flows.steps.branch import WhenStep
from flows.steps.call import CallStep
from flows.steps.callback import CallbackStep
from flows.steps.choose import ChooseStep
from flows.steps.collect import CollectStep
from flows.steps.log import LogStep
from flows.steps.say import SayStep
from flows.steps.set import SetStep
from flows.steps.sub_flow import SubFlowStep
from flows.steps.survey import SurveyStep
from flows.steps.verify import VerifyStep
from flows.steps.ways import AskMoreStep, GoToStep, HandoffStep, HangUpStep

STEP_TYPES: dict[str, type[StepModel]] = {
    step.verb: step
    for step in (
        SayStep,
        CollectStep,
        CallStep,
        WhenStep,
        ChooseStep,
        VerifyStep,
        SetStep,
        GoToStep,
        SubFlowStep,
        HandoffStep,
        CallbackStep,
        SurveyStep,
        LogStep,
        AskMoreStep,
        HangUpStep,
    )
}
# Steps that need no settings and may be written as a bare word.
BARE_STEPS = ("ask_more", "hang_up")

__all__ = ["BARE_STEPS", "STEP_TYPES", "Branch", "CallStep", "CollectStep", "Go", "StepModel", "Uses", "Ways"]
