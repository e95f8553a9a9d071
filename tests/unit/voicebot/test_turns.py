"""Turn-taking as a pure machine: what is seen goes in, effects come out, at 8 kHz (8 samples a millisecond)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from voicebot.turns import Floor, Turns

RATE = 8000
PATIENCE = Patience(answered_ms=300, open_ms=800, no_input_ms=5000, probe_ms=300, confirm_ms=900, longest_ms=10_000)


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


def test_an_answered_question_ends_the_turn_sooner(table: Table) -> None:
    assert table.at(1000, CallerStarted(ms(1000))) == ()
    assert table.at(1520, CallerPaused(ms(1400))) == (Decode(1, ms(800), ms(1600)),)
    assert table.at(1600, Guess(1, words=True, answers=True)) == ()
    assert table.turns.deadline == ms(1700)
    assert table.at(1700, Elapsed()) == (EndTurn(1, "answered"),)
    assert table.turns.floor is Floor.THINKING


def test_words_that_do_not_answer_are_waited_for(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    table.at(1520, CallerPaused(ms(1400)))
    table.at(1600, Guess(1, words=True, answers=False))
    assert table.at(2199, Elapsed()) == ()
    assert table.at(2200, Elapsed()) == (EndTurn(1, "pause"),)


def test_speech_that_goes_on_drops_the_decoding_and_keeps_the_beginning(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    table.at(1520, CallerPaused(ms(1400)))
    assert table.at(1700, CallerStarted(ms(1700))) == (DropDecode(1),)
    assert table.at(2320, CallerPaused(ms(2200))) == (Decode(2, ms(800), ms(2400)),)
    assert table.at(2321, Guess(1, words=True, answers=True)) == (), "the dropped decoding has no say"
    assert table.at(3000, Elapsed()) == (EndTurn(2, "pause"),)


def test_an_interruption_ducks_then_stops(table: Table) -> None:
    table.at(0, BotStarted())
    assert table.at(2000, CallerStarted(ms(2000))) == (Duck(),)
    assert table.at(2299, Elapsed()) == ()
    assert table.at(2300, Elapsed()) == (Decode(1, ms(1800), ms(2300)),)
    assert table.at(2400, Guess(1, words=True, answers=True)) == (StopBot(),)
    assert table.turns.floor is Floor.CALLER


def test_speech_that_goes_on_stops_the_bot_whatever_the_words(table: Table) -> None:
    table.at(0, BotStarted())
    table.at(2000, CallerStarted(ms(2000)))
    assert table.at(2300, Elapsed()) == (Decode(1, ms(1800), ms(2300)),)
    assert table.at(2400, Guess(1, words=True, answers=False)) == ()
    assert table.at(2600, Elapsed()) == (Decode(2, ms(1800), ms(2600)),)
    assert table.at(2700, Guess(2, words=True, answers=True, back_channel=True)) == ()
    assert table.at(2900, Elapsed()) == (StopBot(),)
    assert table.at(3120, CallerPaused(ms(3000))) == (Decode(3, ms(1800), ms(3200)),)


@pytest.mark.parametrize(
    "guess",
    [
        Guess(1, words=False, answers=False),
        Guess(1, words=True, answers=False, back_channel=True),
    ],
)
def test_a_cough_or_a_mhm_does_not_stop_the_bot(table: Table, guess: Guess) -> None:
    table.at(0, BotStarted())
    table.at(2000, CallerStarted(ms(2000)))
    assert table.at(2270, CallerPaused(ms(2150))) == (Decode(1, ms(1800), ms(2350)),)
    assert table.at(2300, guess) == (Unduck(),)
    assert table.turns.floor is Floor.BOT


def test_a_short_word_into_the_bots_speech_is_heard(table: Table) -> None:
    table.at(0, BotStarted())
    table.at(2000, CallerStarted(ms(2000)))
    table.at(2270, CallerPaused(ms(2150)))
    assert table.at(2300, Guess(1, words=True, answers=True)) == (StopBot(),)
    assert table.at(2450, Elapsed()) == (EndTurn(1, "answered"),)


def test_a_legal_line_is_not_interrupted_but_the_caller_is_heard_after_it(table: Table) -> None:
    table.at(0, BotStarted(interruptible=False))
    assert table.at(2000, CallerStarted(ms(2000))) == ()
    assert table.at(2300, BotFinished()) == ()
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
    assert table.at(1400, Guess(1, words=False, answers=False)) == ()
    assert table.turns.floor is Floor.NOBODY
    assert table.at(6400, Elapsed()) == (NoInput(),)


def test_who_never_stops_is_answered_all_the_same(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    assert table.at(10_800, Elapsed()) == (Decode(1, ms(800), ms(10_800)), EndTurn(1, "longest"))


def test_a_key_stops_the_bot_at_once(table: Table) -> None:
    table.at(0, BotStarted())
    assert table.at(500, KeyPressed()) == (StopBot(),)
    table.at(501, BotStarted(interruptible=False))
    assert table.at(600, KeyPressed()) == ()


def test_words_said_while_the_answer_was_prepared_are_a_turn_of_their_own(table: Table) -> None:
    table.at(1000, CallerStarted(ms(1000)))
    table.at(1520, CallerPaused(ms(1400)))
    table.at(2200, Elapsed())
    table.at(2300, CallerStarted(ms(2300)))
    assert table.at(2820, CallerPaused(ms(2700))) == (Decode(2, ms(2100), ms(2900)),)
    assert table.at(2830, BotStarted()) == (EndTurn(2, "bot_started"),)
    assert table.turns.floor is Floor.BOT


signals = st.one_of(
    st.builds(CallerStarted, at=st.just(0)),
    st.builds(CallerPaused, at=st.just(0)),
    st.builds(
        Guess, utterance=st.integers(0, 6), words=st.booleans(), answers=st.booleans(), back_channel=st.booleans()
    ),
    st.builds(BotStarted, interruptible=st.booleans()),
    st.just(BotFinished()),
    st.just(KeyPressed()),
    st.builds(Expect, st.just(PATIENCE)),
    st.just(Elapsed()),
)


@given(st.lists(st.tuples(signals, st.integers(0, 3000)), max_size=60))
def test_any_order_of_signals_keeps_its_promises(script: list[tuple[Signal, int]]) -> None:
    """No move outside the table; a turn ends once and was decoded before; nobody waits for a time that has passed."""
    turns, now = Turns(RATE), 0
    decoded: set[int] = set()
    ended: set[int] = set()
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
        assert turns.deadline is None or turns.deadline > now


@pytest.mark.parametrize("paused", [False, True])
def test_words_that_began_in_another_sentence_do_not_stop_one_that_must_be_heard(table: Table, paused: bool) -> None:
    table.at(0, BotStarted(interruptible=True))
    assert Duck() in table.at(1000, CallerStarted(ms(1000)))
    if paused:
        assert table.at(1220, CallerPaused(ms(1100))) == (Decode(1, ms(800), ms(1300)),)
    assert table.at(1250, BotStarted(interruptible=False)) == (Unduck(),)
    assert table.at(1260, Guess(1, words=True, answers=True)) == ()
    assert table.at(3000, Elapsed()) == ()
    assert table.turns.floor is Floor.BOT
