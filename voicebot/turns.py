"""Who has the floor: pure turn-taking for one call.

`Turns` is told what is seen (voice activity, a guess of the words, keys, the bot's own speech, the passing of audio)
and answers with effects for others to carry out. It opens nothing, reads no clock, and counts time in samples of the
caller's audio.

    NOBODY -> CALLER      the caller begins to speak
    NOBODY -> BOT         the bot begins to speak
    BOT -> CONTESTED      the caller speaks into the bot's speech (which is ducked at the first suspicion, then held)
    CONTESTED -> CALLER   it was words or went on: the bot is stopped
    CONTESTED -> BOT      it was a cough, noise or "mhm": the bot goes on from where it was
    CALLER -> THINKING    the turn has ended, the answer is on its way
    THINKING -> BOT       the answer begins
    THINKING -> CALLER    the caller goes on before it
    BOT -> NOBODY         the bot has finished

A turn ends when a pause has lasted as long as `Patience` allows for how far the words have come, and longer for a
caller who is known to pause (`Pace`).
"""

from __future__ import annotations

from enum import StrEnum

from voicebot.patience import Pace
from voicebot.signals import (
    BotFinished,
    BotStarted,
    CallerDismissed,
    CallerPaused,
    CallerStarted,
    CallerSuspected,
    Decode,
    DropDecode,
    Duck,
    Effect,
    Elapsed,
    EndTurn,
    Expect,
    Follow,
    Guess,
    Hold,
    KeyPressed,
    NoInput,
    PartialGuess,
    Patience,
    Progress,
    Resume,
    Signal,
    StopBot,
    Unduck,
)

MARGIN_MS = 200  # kept before the first and after the last voiced sample: recognition loses cut edges
SUSTAINED_MS = 900  # speech into the bot's that lasts so long is an interruption, whatever the words
HELD_MS = 1500  # a voice that is held goes on so long after the pause, if nothing says what was said
SHORT_MS = 1000  # what is no longer and has no words was a noise
WENT_ON_MS = 2000  # who speaks again so soon after the last word of a turn that was ended had not finished
# After so many false alarms in a row the voice is only ducked at first, and what interrupts it must be longer.
FALSE_ALARMS = 3
WARY_HOLD_MS = 400
WARY_SUSTAINED_MS = 1500


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
        self._pace = Pace()
        self._interruptible = True
        self._speaking = False  # by voice activity
        self._suspicion = False  # that the caller has just begun to
        self._start = 0  # first sample of the turn under way
        self._paused_at: int | None = None  # last voiced sample, while the caller pauses
        self._said_at: int | None = None  # last voiced sample of the turn that ended last
        self._utterance = 0
        self._pending: int | None = None  # utterance whose guess is awaited or known
        self._guess: Guess | None = None
        self._contested_at = 0
        self._ducked = False  # on suspicion
        self._held = False
        self._alarms = 0  # false ones, in a row
        self._silent_since: int | None = None  # the no-input clock; None: stopped

    @property
    def floor(self) -> Floor:
        return self._floor

    @property
    def speaking(self) -> bool:
        """The caller is, by voice activity."""
        return self._speaking

    @property
    def deadline(self) -> int | None:
        """Sample at which `Elapsed` should be signalled, if nothing else comes before."""
        candidates = (
            *(self._turn_end(), self._hold_at(), self._sustained_at(), self._held_until()),
            *(self._longest_at(), self._no_input_at()),
        )
        return min((at for at in candidates if at is not None), default=None)

    def handle(self, signal: Signal, now: int) -> tuple[Effect, ...]:
        """Effects of `signal` at sample `now`."""
        match signal:
            case CallerSuspected():
                effects = self._suspected()
            case CallerDismissed():
                self._suspicion = False
                effects = self._unduck()
            case CallerStarted(at):
                effects = self._caller_started(at)
            case CallerPaused(at):
                effects = self._caller_paused(at)
            case Guess():
                effects = self._guessed(signal, now)
            case PartialGuess():
                effects = self._guessed_in_part(signal)
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

    def _suspected(self) -> list[Effect]:
        """Ducked for the moment that it takes to be sure; no turn is ended in it."""
        self._suspicion = True
        if self._floor is not Floor.BOT or not self._interruptible or self._ducked:
            return []
        self._ducked = True
        return [Duck()]

    def _unduck(self) -> list[Effect]:
        ducked, self._ducked = self._ducked, False
        return [Unduck()] if ducked else []

    def _caller_started(self, at: int) -> list[Effect]:
        paused_at, self._paused_at = self._paused_at, None
        self._speaking, self._suspicion = True, False
        self._silent_since = None
        if self._said_at is not None and at - self._said_at < self._samples(WENT_ON_MS):
            self._pace.cut_off()
        self._said_at = None
        if self._floor is Floor.BOT:
            self._start = self._with_margin(at)
            if self._interruptible:
                return self._contest(at)
        effects = self._unduck()
        if self._floor in (Floor.NOBODY, Floor.THINKING):
            return effects + self._begin_turn(at)
        if paused_at is None or self._floor is Floor.BOT:
            return effects
        if self._floor is Floor.CALLER:
            self._pace.paused((at - paused_at) * 1000 // self._rate)
        return [*effects, *self._drop_pending(), Follow(self._start)]

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
            if guess.progress is Progress.NOTHING or guess.listening:
                return self._false_alarm("listening" if guess.listening else "no words")
            # A cough is heard as some word or other; what lasts longer than coughs do has stopped the bot already.
            return self._interrupted("words") if guess.sure else self._false_alarm("uncertain")
        if self._floor is Floor.CALLER and guess.progress is Progress.NOTHING and self._was_short():
            self._end_noise(now)
        return []

    def _guessed_in_part(self, guess: PartialGuess) -> list[Effect]:
        """The caller still speaks: only words that the flow can act on stop the bot before the time is up."""
        acts = guess.progress in (Progress.COMPLETE, Progress.LIKELY) and guess.sure and not guess.listening
        return self._interrupted("words") if self._floor is Floor.CONTESTED and self._speaking and acts else []

    def _key_pressed(self) -> list[Effect]:
        self._silent_since = None
        self._said_at = None
        if self._floor not in (Floor.BOT, Floor.CONTESTED) or not self._interruptible:
            return []
        self._ducked = False
        self._move(Floor.THINKING)
        return [StopBot("key")]

    # The bot

    def _bot_started(self, interruptible: bool, now: int) -> list[Effect]:
        self._interruptible = interruptible
        self._silent_since = None
        if self._floor is Floor.CALLER and self._speaking and interruptible:
            return self._contest(now)
        if self._floor is Floor.CONTESTED and not interruptible:
            self._end_pause()
            self._move(Floor.BOT)
            return [Resume("must be heard")]
        # What the caller has said into the preparation of this answer is a turn of its own, not lost.
        ends = self._floor is Floor.CALLER and self._paused_at is not None
        effects = self._end_turn("the answer began", now) if ends else []
        if self._floor is not Floor.CONTESTED:
            self._move(Floor.BOT)
        return effects

    def _bot_finished(self, now: int) -> list[Effect]:
        effects: list[Effect] = []
        if self._floor is Floor.CONTESTED:
            self._move(Floor.BOT)
            effects.append(Resume("nothing was left to say"))
        if self._floor is not Floor.BOT:
            return effects
        self._said_at = None  # who speaks now answers what was said to the end
        self._move(Floor.NOBODY)
        self._silent_since = now
        if self._speaking:
            return effects + self._begin_turn(self._start + self._samples(MARGIN_MS))
        if self._paused_at is not None:
            self._move(Floor.CALLER)
            self._silent_since = None
        return effects

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
            return self._end_turn(self._progress.value, now)
        if (hold := self._hold_at()) is not None and now >= hold:
            self._held = True
            return [Hold()]
        if (sustained := self._sustained_at()) is not None and now >= sustained:
            return self._interrupted("went on")
        if (held := self._held_until()) is not None and now >= held:
            return self._false_alarm("not recognised in time")
        if (longest := self._longest_at()) is not None and now >= longest:
            decode = self._decode(now)
            return [decode, *self._end_turn("longest", now)]
        if (silent := self._no_input_at()) is not None and now >= silent:
            self._silent_since = None
            return [NoInput()]
        return []

    @property
    def _progress(self) -> Progress:
        """Of the words up to the pause; they count as open until they are known."""
        return Progress.OPEN if self._guess is None else self._guess.progress

    def _turn_end(self) -> int | None:
        if self._floor is not Floor.CALLER or self._paused_at is None or self._suspicion:
            return None
        usual_ms = self._patience.after(self._progress)
        return self._paused_at + self._samples(self._pace.stretched(usual_ms, self._progress))

    @property
    def _wary(self) -> bool:
        return self._alarms >= FALSE_ALARMS

    def _hold_at(self) -> int | None:
        if self._floor is not Floor.CONTESTED or self._held or not self._speaking:
            return None
        return self._contested_at + self._samples(WARY_HOLD_MS)

    def _sustained_at(self) -> int | None:
        if self._floor is not Floor.CONTESTED or not self._speaking:
            return None
        return self._contested_at + self._samples(WARY_SUSTAINED_MS if self._wary else SUSTAINED_MS)

    def _held_until(self) -> int | None:
        if self._floor is not Floor.CONTESTED or self._paused_at is None:
            return None
        return self._paused_at + self._samples(HELD_MS)

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
        self._ducked = False
        self._contested_at = at
        self._held = not self._wary
        return [Hold() if self._held else Duck(), Follow(self._start)]

    def _interrupted(self, reason: str) -> list[Effect]:
        self._alarms = 0
        self._move(Floor.CALLER)
        return [StopBot(reason)]

    def _false_alarm(self, reason: str) -> list[Effect]:
        self._alarms += 1
        self._end_pause()
        self._move(Floor.BOT)
        return [Resume(reason)]

    def _begin_turn(self, at: int) -> list[Effect]:
        self._start = self._with_margin(at)
        self._end_pause()
        self._silent_since = None
        self._move(Floor.CALLER)
        return [Follow(self._start)]

    def _decode(self, end: int) -> Decode:
        self._utterance += 1
        self._pending, self._guess = self._utterance, None
        return Decode(self._utterance, self._start, end)

    def _drop_pending(self) -> list[Effect]:
        if self._pending is None:
            return []
        dropped, self._pending, self._guess = self._pending, None, None
        return [DropDecode(dropped)]

    def _end_turn(self, reason: str, now: int) -> list[Effect]:
        assert self._pending is not None
        pause = 0 if self._paused_at is None else now - self._paused_at
        ended = EndTurn(self._pending, reason, pause * 1000 // self._rate)
        self._said_at = self._paused_at
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
        return self._paused_at is not None and self._paused_at - self._start < self._samples(SHORT_MS + MARGIN_MS)

    def _move(self, to: Floor) -> None:
        if to is not self._floor and to not in FLOOR_MOVES[self._floor]:
            raise AssertionError(f"the floor cannot go from {self._floor} to {to}")
        self._floor = to

    def _with_margin(self, at: int) -> int:
        return max(0, at - self._samples(MARGIN_MS))

    def _samples(self, ms: int) -> int:
        return ms * self._rate // 1000
