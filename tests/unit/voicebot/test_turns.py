"""Turn-taking as a pure machine: what is seen goes in, effects come out, at 8 kHz (8 samples a millisecond)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from voicebot.turns import Floor, Turns

RATE = 8000
PATIENCE = Patience(complete_ms=300, open_ms=800, unfinished_ms=1500, no_input_ms=5000, longest_ms=10_000)
COMPLETE, LIKELY, OPEN = Progress.COMPLETE, Progress.LIKELY, Progress.OPEN
UNFINISHED, NOTHING = Progress.UNFINISHED, Progress.NOTHING


def ms(value: int) -> int:
    return value * RATE // 1000


class Table:
    """Signals by milliseconds; `at` returns the effects."""

    def __init__(self) -> None:
        self.turns = Turns(RATE)
        self.turns.handle(Expect(PATIENCE), 0)

    def at(self, when_ms: int, signal: Signal) -> tuple[Effect, ...]:
        return self.turns.handle(signal, ms(when_ms))


@pytest.fixture
def table() -> Table:
    return Table()


def test_words_that_answer_end_the_turn_soonest(table: Table) -> None:
    assert table.at(1000, CallerStarted(ms(1000))) == (Follow(ms(800)),)
    assert table.at(1520, CallerPaused(ms(1400))) == (Decode(1, ms(800), ms(1600)),)
    assert table.at(1600, Guess(1, COMPLETE)) == ()
    assert table.turns.deadline == ms(1700)
    assert table.at(1700, Elapsed()) == (EndTurn(1, "complete", 300),)
    assert table.turns.floor is Floor.THINKING


@pytest.mark.parametrize(("progress", "wait_ms"), [(OPEN, 800), (UNFINISHED, 1500), (None, 800)])
def test_words_that_do_not_answer_are_waited_for(table: Table, progress: Progress | None, wait_ms: int) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    table.at(1520, CallerPaused(ms(1400)))
    if progress is not None:
        table.at(1600, Guess(1, progress))
    assert table.at(1399 + wait_ms, Elapsed()) == ()
    assert table.at(1400 + wait_ms, Elapsed()) == (EndTurn(1, (progress or OPEN).value, wait_ms),)


def test_speech_that_goes_on_drops_the_decoding_and_keeps_the_beginning(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    table.at(1520, CallerPaused(ms(1400)))
    assert table.at(1700, CallerStarted(ms(1700))) == (DropDecode(1), Follow(ms(800)))
    assert table.at(2320, CallerPaused(ms(2200))) == (Decode(2, ms(800), ms(2400)),)
    assert table.at(2321, Guess(1, COMPLETE)) == (), "the dropped decoding has no say"
    assert table.at(3000, Elapsed()) == (EndTurn(2, "open", 800),)


def test_a_turn_does_not_end_while_the_caller_seems_to_go_on(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    table.at(1520, CallerPaused(ms(1400)))
    table.at(1600, Guess(1, COMPLETE))
    assert table.at(1690, CallerSuspected()) == ()
    assert table.at(1720, Elapsed()) == ()
    assert table.at(1750, CallerDismissed()) == (EndTurn(1, "complete", 350),)


def _turn_with_pause(table: Table, start_ms: int, pause_ms: int) -> None:
    """Speech, an inner pause, speech, and the end."""
    table.at(start_ms, CallerStarted(ms(start_ms)))
    table.at(start_ms + 520, CallerPaused(ms(start_ms + 400)))
    resumed = start_ms + 400 + pause_ms
    table.at(resumed, CallerStarted(ms(resumed)))
    table.at(resumed + 520, CallerPaused(ms(resumed + 400)))
    assert table.at(resumed + 3000, Elapsed())[0].__class__ is EndTurn
    table.at(resumed + 3001, BotStarted())
    table.at(resumed + 5000, BotFinished())


def test_who_pauses_for_long_is_given_longer(table: Table) -> None:
    for start_ms in (1000, 20_000):
        _turn_with_pause(table, start_ms, 760)
    table.at(40_000, CallerStarted(ms(40_000)))
    table.at(40_520, CallerPaused(ms(40_400)))
    table.at(40_530, Guess(table.turns._utterance, OPEN))
    assert table.turns.deadline == ms(40_400 + 950), "a quarter more than the pauses the caller makes"


def test_who_was_cut_off_is_given_longer_even_for_complete_words(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    table.at(1520, CallerPaused(ms(1400)))
    table.at(1530, Guess(1, COMPLETE))
    assert table.at(1700, Elapsed()) == (EndTurn(1, "complete", 300),)
    table.at(1900, CallerStarted(ms(1900)))
    table.at(2520, CallerPaused(ms(2400)))
    table.at(2530, Guess(2, COMPLETE))
    assert table.turns.deadline == ms(2400 + 450)


def test_who_answers_a_short_sentence_at_once_was_not_cut_off(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    table.at(1520, CallerPaused(ms(1400)))
    table.at(1530, Guess(1, COMPLETE))
    assert table.at(1700, Elapsed()) == (EndTurn(1, "complete", 300),)
    table.at(1800, BotStarted())
    table.at(2400, BotFinished())
    table.at(2600, CallerStarted(ms(2600)))
    table.at(3120, CallerPaused(ms(3000)))
    table.at(3130, Guess(2, COMPLETE))
    assert table.turns.deadline == ms(3000 + 300)


def test_an_interruption_holds_the_voice_then_stops_it(table: Table) -> None:
    table.at(0, BotStarted())
    assert table.at(2000, CallerStarted(ms(2000))) == (Hold(), Follow(ms(1800)))
    assert table.at(2500, PartialGuess(COMPLETE)) == (StopBot("words"),)
    assert table.turns.floor is Floor.CALLER


def test_speech_that_goes_on_stops_the_bot_whatever_the_words(table: Table) -> None:
    table.at(0, BotStarted())
    table.at(2000, CallerStarted(ms(2000)))
    assert table.at(2400, PartialGuess(OPEN)) == ()
    assert table.at(2700, PartialGuess(COMPLETE, listening=True)) == ()
    assert table.at(2900, Elapsed()) == (StopBot("went on"),)
    assert table.at(3120, CallerPaused(ms(3000))) == (Decode(1, ms(1800), ms(3200)),)


@pytest.mark.parametrize(
    ("guess", "reason"),
    [
        (Guess(1, NOTHING), "no words"),
        (Guess(1, OPEN, listening=True), "listening"),
        (Guess(1, LIKELY, sure=False), "uncertain"),
    ],
)
def test_a_cough_or_a_mhm_does_not_stop_the_bot(table: Table, guess: Guess, reason: str) -> None:
    table.at(0, BotStarted())
    table.at(2000, CallerStarted(ms(2000)))
    assert table.at(2270, CallerPaused(ms(2150))) == (Decode(1, ms(1800), ms(2350)),)
    assert table.at(2300, guess) == (Resume(reason),)
    assert table.turns.floor is Floor.BOT


def test_a_held_voice_goes_on_when_nothing_says_what_was_said(table: Table) -> None:
    table.at(0, BotStarted())
    table.at(2000, CallerStarted(ms(2000)))
    table.at(2270, CallerPaused(ms(2150)))
    assert table.at(3650, Elapsed()) == (Resume("not recognised in time"),)
    assert table.at(3700, Guess(1, COMPLETE)) == ()


def test_after_three_false_alarms_the_voice_is_only_ducked_at_first(table: Table) -> None:
    table.at(0, BotStarted())
    for at in (2000, 4000, 6000):
        assert Hold() in table.at(at, CallerStarted(ms(at)))
        table.at(at + 270, CallerPaused(ms(at + 150)))
        assert table.at(at + 300, Guess(table.turns._utterance, NOTHING)) == (Resume("no words"),)
    assert table.at(8000, CallerStarted(ms(8000))) == (Duck(), Follow(ms(7800)))
    assert table.at(8400, Elapsed()) == (Hold(),)
    assert table.at(8900, Elapsed()) == (), "what interrupts must be longer now"
    assert table.at(9000, PartialGuess(COMPLETE)) == (StopBot("words"),)
    table.at(9200, CallerPaused(ms(9100)))
    table.at(12_000, Elapsed())
    table.at(12_100, BotStarted())
    assert Hold() in table.at(15_000, CallerStarted(ms(15_000))), "a true interruption makes up for them"


def test_a_click_on_the_line_ducks_the_voice_for_a_moment(table: Table) -> None:
    table.at(0, BotStarted())
    assert table.at(2000, CallerSuspected()) == (Duck(),)
    assert table.at(2032, CallerDismissed()) == (Unduck(),)
    assert table.turns.floor is Floor.BOT
    assert table.at(3000, CallerSuspected()) == (Duck(),)
    assert table.at(3064, CallerStarted(ms(3000))) == (Hold(), Follow(ms(2800)))


def test_a_voice_is_not_left_ducked_by_who_may_not_interrupt_it(table: Table) -> None:
    table.at(0, BotStarted(interruptible=False))
    assert table.at(500, CallerSuspected()) == ()
    table.at(1000, BotStarted())
    assert table.at(2000, CallerSuspected()) == (Duck(),)
    table.at(2010, BotStarted(interruptible=False))
    assert table.at(2064, CallerStarted(ms(2000))) == (Unduck(),)
    table.at(2400, CallerPaused(ms(2300)))
    table.at(3000, BotStarted())
    assert table.at(4000, CallerSuspected()) == (Duck(),)
    table.at(4010, BotFinished())
    assert table.at(4064, CallerStarted(ms(4000))) == (Unduck(), Follow(ms(3800)))


def test_a_short_word_into_the_bots_speech_is_heard(table: Table) -> None:
    table.at(0, BotStarted())
    table.at(2000, CallerStarted(ms(2000)))
    table.at(2270, CallerPaused(ms(2150)))
    assert table.at(2300, Guess(1, COMPLETE)) == (StopBot("words"),)
    assert table.at(2450, Elapsed()) == (EndTurn(1, "complete", 300),)


def test_a_voice_that_had_nothing_left_to_say_is_not_held_for_ever(table: Table) -> None:
    table.at(0, BotStarted())
    table.at(2000, CallerStarted(ms(2000)))
    assert table.at(2020, BotFinished()) == (Resume("nothing was left to say"), Follow(ms(1800)))
    assert table.turns.floor is Floor.CALLER


def test_a_legal_line_is_not_interrupted_but_the_caller_is_heard_after_it(table: Table) -> None:
    table.at(0, BotStarted(interruptible=False))
    assert table.at(2000, CallerStarted(ms(2000))) == ()
    assert table.at(2300, BotFinished()) == (Follow(ms(1800)),)
    assert table.turns.floor is Floor.CALLER
    assert table.at(3120, CallerPaused(ms(3000))) == (Decode(1, ms(1800), ms(3200)),)


def test_silence_after_the_bot_is_a_no_input_once(table: Table) -> None:
    table.at(0, BotStarted())
    table.at(1000, BotFinished())
    assert table.at(5999, Elapsed()) == ()
    assert table.at(6000, Elapsed()) == (NoInput(),)
    assert table.at(20_000, Elapsed()) == ()


def test_a_short_noise_without_words_is_no_turn_and_silence_counts_anew(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    table.at(1320, CallerPaused(ms(1200)))
    assert table.at(1400, Guess(1, NOTHING)) == ()
    assert table.turns.floor is Floor.NOBODY
    assert table.at(6400, Elapsed()) == (NoInput(),)


def test_who_never_stops_is_answered_all_the_same(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    assert table.at(10_800, Elapsed()) == (Decode(1, ms(800), ms(10_800)), EndTurn(1, "longest"))


def test_a_key_stops_the_bot_at_once(table: Table) -> None:
    table.at(0, BotStarted())
    assert table.at(500, KeyPressed()) == (StopBot("key"),)
    table.at(501, BotStarted(interruptible=False))
    assert table.at(600, KeyPressed()) == ()


def test_words_said_while_the_answer_was_prepared_are_a_turn_of_their_own(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    table.at(1520, CallerPaused(ms(1400)))
    table.at(2200, Elapsed())
    table.at(2300, CallerStarted(ms(2300)))
    assert table.at(2820, CallerPaused(ms(2700))) == (Decode(2, ms(2100), ms(2900)),)
    assert table.at(2830, BotStarted()) == (EndTurn(2, "the answer began", 130),)
    assert table.turns.floor is Floor.BOT


signals = st.one_of(
    st.just(CallerSuspected()),
    st.just(CallerDismissed()),
    st.builds(CallerStarted, at=st.just(0)),
    st.builds(CallerPaused, at=st.just(0)),
    st.builds(Guess, utterance=st.integers(0, 6), progress=st.sampled_from(Progress), listening=st.booleans()),
    st.builds(PartialGuess, progress=st.sampled_from(Progress), listening=st.booleans()),
    st.builds(BotStarted, interruptible=st.booleans()),
    st.just(BotFinished()),
    st.just(KeyPressed()),
    st.builds(Expect, st.just(PATIENCE)),
    st.just(Elapsed()),
)


@given(st.lists(st.tuples(signals, st.integers(0, 3000)), max_size=60))
def test_any_order_of_signals_keeps_its_promises(script: list[tuple[Signal, int]]) -> None:
    """No move outside the table; a turn ends once and was decoded before; nobody waits for a time that has passed; the
    bot's voice is held or ducked only while the floor is contested, or will be at once."""
    turns, now = Turns(RATE), 0
    decoded: set[int] = set()
    ended: set[int] = set()
    softer = False
    for signal, pause_ms in script:
        now += ms(pause_ms)
        if isinstance(signal, CallerStarted | CallerPaused):
            signal = type(signal)(now)
        for effect in turns.handle(signal, now):
            if isinstance(effect, Decode):
                assert effect.start <= effect.end
                decoded.add(effect.utterance)
            if isinstance(effect, EndTurn):
                assert effect.utterance in decoded
                assert effect.utterance not in ended
                ended.add(effect.utterance)
            if isinstance(effect, Hold | Duck | Unduck | Resume | StopBot):
                softer = isinstance(effect, Hold | Duck)
        contested = turns.floor is Floor.CONTESTED
        assert softer is (contested or turns._ducked)
        if isinstance(signal, CallerStarted | CallerDismissed) and not contested:
            assert not softer
        assert turns.deadline is None or turns.deadline > now


@pytest.mark.parametrize("paused", [False, True])
def test_words_that_began_in_another_sentence_do_not_stop_one_that_must_be_heard(table: Table, paused: bool) -> None:
    table.at(0, BotStarted(interruptible=True))
    assert Hold() in table.at(1000, CallerStarted(ms(1000)))
    if paused:
        assert table.at(1220, CallerPaused(ms(1100))) == (Decode(1, ms(800), ms(1300)),)
    assert table.at(1250, BotStarted(interruptible=False)) == (Resume("must be heard"),)
    assert table.at(1260, Guess(1, COMPLETE)) == ()
    assert table.at(3000, Elapsed()) == ()
    assert table.turns.floor is Floor.BOT
