"""Who has the floor: pure turn-taking for one call.

`Turns` is told what is seen (voice activity, a guess of the words, keys, the bot's own speech, the passing of audio)
and answers with effects for others to carry out. It opens nothing, reads no clock, and counts time in samples of the
caller's audio.

    NOBODY -> CALLER      the caller begins to speak
    NOBODY -> BOT         the bot begins to speak
    BOT -> CONTESTED      the caller speaks into the bot's speech (output is ducked)
    CONTESTED -> CALLER   it was words or went on: the bot is stopped
    CONTESTED -> BOT      it was a cough, noise or "mhm": the bot goes on
    CALLER -> THINKING    the turn has ended, the answer is on its way
    THINKING -> BOT       the answer begins
    THINKING -> CALLER    the caller goes on before it
    BOT -> NOBODY         the bot has finished
"""

from __future__ import annotations

from enum import StrEnum

from voicebot.signals import (
    BotFinished,
    BotStarted,
    CallerPaused,
    CallerStarted,
    Decode,
    DropDecode,
    Duck,
    Effect,
    Elapsed,
    EndTurn,
    Expect,
    Guess,
    KeyPressed,
    NoInput,
    Patience,
    Signal,
    StopBot,
    Unduck,
)

MARGIN_MS = 200  # kept before the first and after the last voiced sample: recognition loses cut edges


class Floor(StrEnum):
    NOBODY = "nobody"
    BOT = "bot"
    CONTESTED = "contested"
    CALLER = "caller"
    THINKING = "thinking"


FLOOR_MOVES: dict[Floor, frozenset[Floor]] = {
    Floor.NOBODY: frozenset({Floor.CALLER, Floor.BOT, Floor.THINKING}),
    Floor.BOT: frozenset({Floor.CONTESTED, Floor.CALLER, Floor.NOBODY, Floor.THINKING}),
    Floor.CONTESTED: frozenset({Floor.CALLER, Floor.BOT, Floor.THINKING}),
    Floor.CALLER: frozenset({Floor.THINKING, Floor.CONTESTED, Floor.BOT, Floor.NOBODY}),
    Floor.THINKING: frozenset({Floor.BOT, Floor.CALLER, Floor.NOBODY}),
}


class Turns:
    """The decider of one call. `rate` is that of the caller's audio, in Hz."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._floor = Floor.NOBODY
        self._patience = Patience()
        self._interruptible = True
        self._speaking = False  # by voice activity
        self._start = 0  # first sample of the turn under way
        self._paused_at: int | None = None  # last voiced sample, while the caller pauses
        self._utterance = 0
        self._pending: int | None = None  # utterance whose guess is awaited or known
        self._guess: Guess | None = None
        self._contested_at = 0
        self._probe_at = 0  # when the speech into the bot's is recognised next
        self._silent_since: int | None = None  # the no-input clock; None: stopped

    @property
    def floor(self) -> Floor:
        return self._floor

    @property
    def deadline(self) -> int | None:
        """Sample at which `Elapsed` should be signalled, if nothing else comes before."""
        candidates = (
            self._turn_end(), self._confirm_at(), self._next_probe(), self._longest_at(), self._no_input_at()
        )  # fmt: skip
        return min((at for at in candidates if at is not None), default=None)

    def handle(self, signal: Signal, now: int) -> tuple[Effect, ...]:
        """Effects of `signal` at sample `now`."""
        match signal:
            case CallerStarted(at):
                effects = self._caller_started(at)
            case CallerPaused(at):
                effects = self._caller_paused(at)
            case Guess():
                effects = self._guessed(signal, now)
            case BotStarted(interruptible):
                effects = self._bot_started(interruptible, now)
            case BotFinished():
                effects = self._bot_finished(now)
            case KeyPressed():
                effects = self._key_pressed()
            case Expect(patience):
                effects = self._expect(patience, now)
            case Elapsed():
                effects = []
        return tuple(effects + self._due(now))

    # The caller

    def _caller_started(self, at: int) -> list[Effect]:
        resumed = self._paused_at is not None
        self._speaking, self._paused_at = True, None
        self._silent_since = None
        if self._floor in (Floor.NOBODY, Floor.THINKING):
            self._begin_turn(at)
            return []
        if self._floor is Floor.BOT:
            self._start = self._with_margin(at)
            if not self._interruptible:
                return []
            return self._contest(at)
        return self._drop_pending() if resumed else []

    def _caller_paused(self, at: int) -> list[Effect]:
        self._speaking = False
        if self._floor is Floor.BOT or self._floor is Floor.NOBODY or self._floor is Floor.THINKING:
            return []
        self._paused_at = at
        return [self._decode(at + self._samples(MARGIN_MS))]

    def _guessed(self, guess: Guess, now: int) -> list[Effect]:
        if guess.utterance != self._pending:
            return []
        self._guess = guess
        if self._floor is Floor.CONTESTED:
            return self._weigh_probe(guess) if self._speaking else self._settle_contest(guess)
        if self._floor is Floor.CALLER and not guess.words and self._was_short():
            self._end_noise(now)
        return []

    def _weigh_probe(self, guess: Guess) -> list[Effect]:
        """The caller still speaks: only words that the flow can act on stop the bot before the time is up."""
        self._pending, self._guess = None, None
        if not guess.answers or guess.back_channel:
            return []
        self._move(Floor.CALLER)
        return [StopBot()]

    def _settle_contest(self, guess: Guess) -> list[Effect]:
        if guess.words and not guess.back_channel:
            self._move(Floor.CALLER)
            return [StopBot()]
        self._paused_at, self._pending = None, None
        self._move(Floor.BOT)
        return [Unduck()]

    def _key_pressed(self) -> list[Effect]:
        self._silent_since = None
        stop: list[Effect] = []
        if self._floor in (Floor.BOT, Floor.CONTESTED) and self._interruptible:
            self._move(Floor.THINKING)
            stop = [StopBot()]
        return stop

    # The bot

    def _bot_started(self, interruptible: bool, now: int) -> list[Effect]:
        self._interruptible = interruptible
        self._silent_since = None
        if self._floor is Floor.CALLER and self._speaking and interruptible:
            return self._contest(now)
        if self._floor is Floor.CONTESTED and not interruptible:
            self._end_pause()
            self._move(Floor.BOT)
            return [Unduck()]
        # What the caller has said into the preparation of this answer is a turn of its own, not lost.
        effects = self._end_turn("bot_started") if self._floor is Floor.CALLER and self._paused_at is not None else []
        if self._floor is not Floor.CONTESTED:
            self._move(Floor.BOT)
        return effects

    def _bot_finished(self, now: int) -> list[Effect]:
        if self._floor is Floor.CONTESTED:
            self._move(Floor.BOT)  # nothing is left to contest
        if self._floor is not Floor.BOT:
            return []
        self._move(Floor.NOBODY)
        self._silent_since = now
        if self._speaking:
            self._begin_turn(self._start + self._samples(MARGIN_MS))
            self._silent_since = None
        elif self._paused_at is not None:
            self._move(Floor.CALLER)
            self._silent_since = None
        return []

    def _expect(self, patience: Patience, now: int) -> list[Effect]:
        self._patience = patience
        if self._floor is Floor.THINKING:
            self._move(Floor.NOBODY)
        if self._floor is Floor.NOBODY:
            self._silent_since = now
        return []

    # Time

    def _due(self, now: int) -> list[Effect]:
        """Everything whose time has come, in order."""
        effects: list[Effect] = []
        while due := self._next_due(now):
            effects += due
        return effects

    def _next_due(self, now: int) -> list[Effect]:
        if (end := self._turn_end()) is not None and now >= end:
            answered = self._guess is not None and self._guess.answers
            return self._end_turn("answered" if answered else "pause")
        if (confirm := self._confirm_at()) is not None and now >= confirm:
            self._pending, self._guess = None, None
            self._move(Floor.CALLER)
            return [StopBot()]
        if (probe := self._next_probe()) is not None and now >= probe:
            self._probe_at = now + self._samples(self._patience.probe_ms)
            return [self._decode(now)]
        if (longest := self._longest_at()) is not None and now >= longest:
            decode = self._decode(now)
            return [decode, *self._end_turn("longest")]
        if (silent := self._no_input_at()) is not None and now >= silent:
            self._silent_since = None
            return [NoInput()]
        return []

    def _turn_end(self) -> int | None:
        if self._floor is not Floor.CALLER or self._paused_at is None:
            return None
        answered = self._guess is not None and self._guess.answers
        return self._paused_at + self._samples(self._patience.answered_ms if answered else self._patience.open_ms)

    def _confirm_at(self) -> int | None:
        if self._floor is not Floor.CONTESTED or not self._speaking:
            return None
        return self._contested_at + self._samples(self._patience.confirm_ms)

    def _next_probe(self) -> int | None:
        return self._probe_at if self._confirm_at() is not None else None

    def _longest_at(self) -> int | None:
        if self._floor is not Floor.CALLER or not self._speaking:
            return None
        return self._start + self._samples(self._patience.longest_ms)

    def _no_input_at(self) -> int | None:
        if self._floor is not Floor.NOBODY or self._silent_since is None:
            return None
        return self._silent_since + self._samples(self._patience.no_input_ms)

    # Steps

    def _contest(self, at: int) -> list[Effect]:
        self._move(Floor.CONTESTED)
        self._contested_at = at
        self._probe_at = at + self._samples(self._patience.probe_ms)
        return [Duck()]

    def _begin_turn(self, at: int) -> None:
        self._start = self._with_margin(at)
        self._paused_at, self._pending, self._guess = None, None, None
        self._move(Floor.CALLER)

    def _decode(self, end: int) -> Decode:
        self._utterance += 1
        self._pending, self._guess = self._utterance, None
        return Decode(self._utterance, self._start, end)

    def _drop_pending(self) -> list[Effect]:
        if self._pending is None:
            return []
        dropped, self._pending, self._guess = self._pending, None, None
        return [DropDecode(dropped)]

    def _end_turn(self, reason: str) -> list[Effect]:
        assert self._pending is not None
        ended = EndTurn(self._pending, reason)
        self._end_pause()
        self._move(Floor.THINKING)
        return [ended]

    def _end_pause(self) -> None:
        self._paused_at, self._pending, self._guess = None, None, None

    def _end_noise(self, now: int) -> None:
        self._end_pause()
        self._move(Floor.NOBODY)
        self._silent_since = now

    def _was_short(self) -> bool:
        return self._paused_at is not None and self._paused_at - self._start < self._samples(1000 + MARGIN_MS)

    def _move(self, to: Floor) -> None:
        if to is not self._floor and to not in FLOOR_MOVES[self._floor]:
            raise AssertionError(f"the floor cannot go from {self._floor} to {to}")
        self._floor = to

    def _with_margin(self, at: int) -> int:
        return max(0, at - self._samples(MARGIN_MS))

    def _samples(self, ms: int) -> int:
        return ms * self._rate // 1000
