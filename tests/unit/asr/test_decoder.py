"""The demo model at work: speech of voices that it was not trained on, and everything that is no speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr.decoder import Abandoned, Decoder
from asr.device import choose_device
from asr.errors import ModelUnusable, RequestRefused
from asr.models import ModelCard, ModelFiles, demo_folder, find
from asr.recogniser import RecognitionRequest, Transcript
from asr.whisper import choose
from tests.unit.asr.speech import PCM, as_pcm, noise, say, silence, telephone, tones

PHRASES = {
    "pl": (
        "gdzie jest moja paczka",
        "konsultant",
        "jeden dwa trzy cztery pięć sześć",
        "tak",
        "nie",
        "proszę powtórzyć",
    ),
    "en": ("where is my parcel", "i want to talk to a human", "one two three four five six", "please repeat"),
}
VOICES = ("m6", "f4", "robert", "klatt4", "Hugo")  # held out of the training


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Decoder:
    decoder = Decoder(find("demo", tmp_path_factory.mktemp("models")), choose_device("cpu"), threads=1)
    decoder.warm_up()
    return decoder


def hear(
    decoder: Decoder, audio: bytes, language: str = "pl", *, sample_rate: int = 8000, hints: tuple[str, ...] = ()
) -> Transcript:
    return decoder.transcribe(RecognitionRequest(audio, sample_rate, language, "test", hints=hints))


def in_noise(audio: bytes) -> bytes:
    """Speech that can be heard in more than one way."""
    sound = np.frombuffer(audio, "<i2").astype(np.float64)
    return as_pcm((sound + noise(len(sound) / 8000 + 0.1, 0.04)[: len(sound)]) / 32768).tobytes()


def word_errors(said: str, heard: str) -> int:
    row = list(range(len(heard.split()) + 1))
    for i, word in enumerate(said.split(), 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard.split(), 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


@pytest.mark.parametrize("language", ["pl", "en"])
def test_phrases_of_a_call_in_voices_it_does_not_know(decoder: Decoder, language: str) -> None:
    voice = {"pl": "pl", "en": "en-us"}[language]
    errors = words = 0
    for phrase in PHRASES[language]:
        for variant in VOICES:
            heard = hear(decoder, telephone(phrase, f"{voice}+{variant}"), language)
            assert heard.language == language
            errors += word_errors(phrase, heard.text)
            words += len(phrase.split())
    assert errors / words <= 0.12


def test_words_have_times_and_confidences(decoder: Decoder) -> None:
    heard = hear(decoder, telephone("gdzie jest moja paczka"))
    assert [word.text for word in heard.words] == heard.text.split() == ["gdzie", "jest", "moja", "paczka"]
    starts = [word.start_s for word in heard.words]
    assert starts == sorted(starts)
    assert all(0 <= word.start_s <= word.end_s <= heard.audio_s and 0 < word.confidence <= 1 for word in heard.words)
    assert 0.6 < heard.confidence <= 1
    assert heard.no_speech < 0.1
    assert heard.model == "demo"
    assert heard.decode_s > 0


@pytest.mark.parametrize("rate", [16000, 48000])
def test_wideband_is_brought_down_to_what_the_model_knows(decoder: Decoder, rate: int) -> None:
    """Hiss above 4 kHz, which no telephone carries, is 88 % of word errors when it gets through."""
    narrow = np.frombuffer(telephone("gdzie jest moja paczka", sample_rate=rate), dtype=np.int16) / 32768
    hiss = np.diff(noise(len(narrow) / rate + 0.1, 0.02, sample_rate=rate) / 32768)[: len(narrow)]
    assert hear(decoder, as_pcm(narrow + hiss).tobytes(), sample_rate=rate).text == "gdzie jest moja paczka"


def test_a_quiet_line_is_heard(decoder: Decoder) -> None:
    quiet = np.frombuffer(telephone("gdzie jest moja paczka"), dtype=np.int16) // 64
    assert hear(decoder, quiet.astype(np.int16).tobytes()).text == "gdzie jest moja paczka"


@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(0.0), id="nothing"),
        pytest.param(silence(0.02), id="one frame"),
        pytest.param(silence(3), id="silence"),
        pytest.param(noise(3, 0.003), id="hiss"),
        pytest.param(noise(3, 0.2), id="loud noise"),
        pytest.param(as_pcm(np.cumsum(noise(3, 0.1) / 32768.0) * 0.02), id="rumble"),
        pytest.param(tones(3, 50, 150), id="hum"),
        pytest.param(tones(3, 440), id="dial tone"),
        pytest.param(np.concatenate([np.concatenate([tones(0.2, 770, 1336), silence(0.1)])] * 10), id="DTMF"),
        pytest.param(
            np.concatenate([tones(0.4, 261.6, 329.6, 392.0), tones(0.4, 293.7, 370.0, 440.0)] * 4), id="chords"
        ),
    ],
)
def test_nothing_is_invented(decoder: Decoder, sound: PCM, language: str) -> None:
    heard = hear(decoder, sound.tobytes(), language)
    assert heard.text == ""
    assert heard.words == ()
    assert heard.confidence == 0
    assert heard.no_speech > 0.5


def test_long_speech_is_cut_in_its_pauses_and_joined(decoder: Decoder) -> None:
    pause = silence(0.6)
    said = ["gdzie jest moja paczka", "jeden dwa trzy cztery pięć sześć", "proszę powtórzyć"] * 2
    sound = np.concatenate([part for text in said for part in (pause, say(text))] + [pause])
    heard = hear(decoder, as_pcm(sound / 32768 + noise(len(sound) / 8000 + 0.1, 0.002)[: len(sound)] / 32768).tobytes())
    assert heard.audio_s > 10
    assert word_errors(" ".join(said), heard.text) <= 4
    starts = [word.start_s for word in heard.words]
    assert starts == sorted(starts)
    assert starts[-1] > 9


def test_an_abandoned_request_stops_between_pieces(decoder: Decoder) -> None:
    sound = np.concatenate([say("gdzie jest moja paczka"), silence(0.5)] * 8)
    asked = 0

    def is_abandoned() -> bool:
        nonlocal asked
        asked += 1
        return asked > 1

    with pytest.raises(Abandoned):
        decoder.transcribe(RecognitionRequest(sound.tobytes(), 8000, "pl", "test"), is_abandoned)
    assert asked == 2


def test_a_batch_hears_what_one_after_the_other_hears(decoder: Decoder) -> None:
    """Speech of several lengths, silence and a refused request in one batch."""
    spoken = [telephone(text) for text in ("gdzie jest moja paczka", "konsultant", "proszę powtórzyć")]
    requests = [RecognitionRequest(audio, 8000, "pl", "test") for audio in (*spoken, silence(1).tobytes())]
    requests.append(RecognitionRequest(b"\0\0\0", 8000, "pl", "odd"))
    assert len({decoder.batch_key(request) for request in requests}) == 1
    *heard, refused = decoder.transcribe_batch(requests)
    assert isinstance(refused, RequestRefused)
    for request, one in zip(requests, heard, strict=False):
        assert isinstance(one, Transcript)
        alone = decoder.transcribe(request)
        assert (one.text, one.language) == (alone.text, alone.language)
        assert one.confidence == pytest.approx(alone.confidence, abs=0.02)
        assert [word.start_s for word in one.words] == pytest.approx([word.start_s for word in alone.words], abs=0.1)


def test_what_cannot_share_a_batch_has_another_key(decoder: Decoder) -> None:
    def key(seconds: float, language: str = "pl", hints: tuple[str, ...] = ()) -> object:
        return decoder.batch_key(RecognitionRequest(bytes(int(16000 * seconds)), 8000, language, "test", hints=hints))

    assert key(8.0) is None  # several pieces
    assert len({key(2.0), key(6.5), key(2.0, "en"), key(2.0, hints=("tak",))}) == 4


def test_the_language_is_chosen_among_those_allowed(decoder: Decoder) -> None:
    both = [
        RecognitionRequest(telephone(text, voice), 8000, "pl", "test", languages=("en",))
        for text, voice in (("gdzie jest moja paczka", "pl+m6"), ("where is my parcel", "en-us+m6"))
    ]
    for answers in ([decoder.transcribe(request) for request in both], decoder.transcribe_batch(both)):
        assert all(isinstance(answer, Transcript) and answer.language in ("pl", "en") for answer in answers)


@pytest.mark.parametrize(
    "request_",
    [
        RecognitionRequest(b"\0\0\0", 8000, "pl", "odd"),
        RecognitionRequest(bytes(320), 4000, "pl", "rate"),
        RecognitionRequest(bytes(320), 8000, "de", "language"),
    ],
    ids=lambda request: request.call_id,
)
def test_wrong_requests_are_refused(decoder: Decoder, request_: RecognitionRequest) -> None:
    with pytest.raises(RequestRefused):
        decoder.transcribe(request_)


def test_the_window_follows_the_model_card(decoder: Decoder) -> None:
    frames = [decoder.network.window_frames(seconds) for seconds in (1.0, 4.0, 5.0, 7.0)]
    assert frames == [500, 500, 650, 900]


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    for path in demo_folder().iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.bin").write_bytes(b"nonsense")
    with pytest.raises(ModelUnusable, match="cannot be loaded"):
        Decoder(ModelFiles("broken", tmp_path, ModelCard()), choose_device("cpu"))


class TestHints:
    def test_the_most_probable_wins_without_hints(self) -> None:
        assert choose(["tak", "ta"], [-0.3, -0.2], ()) == (1, [0])

    def test_an_expected_one_wins_when_it_is_close(self) -> None:
        assert choose(["ta", "Tak."], [-0.2, -0.3], ("tak", "nie")) == (1, [0])

    def test_it_does_not_win_when_it_is_far(self) -> None:
        assert choose(["gdzie jest paczka", "tak"], [-0.2, -1.5], ("tak", "nie")) == (0, [])

    def test_what_was_not_heard_is_never_chosen(self) -> None:
        assert choose(["paczka"], [-0.2], ("tak",)) == (0, [])

    def test_others_are_told_once_and_never_the_empty_one(self) -> None:
        assert choose(["", "sześć", "szesc", "pięć", "Pięć."], [-0.3, -0.2, -0.21, -0.22, -0.23], ()) == (1, [2, 3])

    def test_hints_reach_the_model(self, decoder: Decoder) -> None:
        assert hear(decoder, telephone("nie", "pl+m6"), hints=("tak", "nie")).text == "nie"


def test_other_readings_come_with_less_confidence(decoder: Decoder) -> None:
    heard = [hear(decoder, in_noise(telephone(text, f"pl+{voice}"))) for text in PHRASES["pl"] for voice in VOICES]
    several = [transcript for transcript in heard if transcript.alternatives]
    assert several
    for transcript in several:
        assert transcript.text not in [other.text for other in transcript.alternatives]
        sure = [other.confidence for other in transcript.alternatives]
        assert [transcript.confidence, *sure] == sorted([transcript.confidence, *sure], reverse=True)
    assert hear(decoder, silence(1.0)).alternatives == ()


def test_a_model_without_a_card_gets_whispers_window_of_thirty_seconds() -> None:
    decoder = Decoder(ModelFiles("plain", demo_folder(), ModelCard()), choose_device("cpu"), threads=1)
    assert decoder.network.window_frames(2.0) == 30 * 50
    assert hear(decoder, telephone("gdzie jest moja paczka")).text == "gdzie jest moja paczka"
