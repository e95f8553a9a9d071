"""When a service that fails is left alone, and when it is tried again: a circuit breaker, pure.

TRUSTED --bad, three in a row--> LEFT_ALONE --after 30 s, one question--> ON_TRIAL --good--> TRUSTED
                                     ^-----------------bad-------------------'
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

PATIENCE = 3
LEFT_ALONE_S = 30.0


class State(StrEnum):
    TRUSTED = "trusted"
    LEFT_ALONE = "left_alone"
    ON_TRIAL = "on_trial"


class Verdict(StrEnum):
    """How a question ended. NONE: nobody waited for the answer, or silence was right."""

    GOOD = "good"
    BAD = "bad"
    NONE = "none"


@dataclass(frozen=True)
class Breaker:
    """`faults` in a row while trusted; `since`: when it was left alone last, in the caller's clock, seconds."""

    state: State = State.TRUSTED
    faults: int = 0
    since: float = 0.0

    def may_ask(self, now: float) -> bool:
        return self.state is State.TRUSTED or (self.state is State.LEFT_ALONE and now - self.since >= LEFT_ALONE_S)

    def asked(self) -> Breaker:
        """A question that `may_ask` allowed goes out; while one is on trial no other does."""
        return replace(self, state=State.ON_TRIAL) if self.state is State.LEFT_ALONE else self

    def ended(self, verdict: Verdict, now: float) -> Breaker:
        """A question is over. What was asked before the service was left alone changes nothing any more."""
        alone = Breaker(State.LEFT_ALONE, since=now)
        match self.state, verdict:
            case State.TRUSTED, Verdict.BAD:
                return alone if self.faults + 1 >= PATIENCE else replace(self, faults=self.faults + 1)
            case State.TRUSTED | State.ON_TRIAL, Verdict.GOOD:
                return Breaker()
            case State.ON_TRIAL, Verdict.BAD:
                return alone
            case State.ON_TRIAL, Verdict.NONE:
                return replace(alone, since=self.since)  # the next question is the trial
        return self
