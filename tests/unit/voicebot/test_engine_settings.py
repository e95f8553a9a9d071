"""Services in `voicebot.yaml`: found, checked by name, secrets kept apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.config import HearingService, SpeakingService, load_config
from voicebot.doctor import check_service
from voicebot.engines.testing import FakeVendor, SegmentEars
from voicebot.errors import ConfigError

OPENAI = "pipecat.services.openai.stt.OpenAISTTService"
REALTIME = "pipecat.services.openai.stt.OpenAIRealtimeSTTService"
NUMBERS = 'numbers: [{number: "*", bot: shop, language: pl}]\n'


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_KEY", "sk-very-secret")


def hearing(tmp_path: Path, *lines: str, part: str = "recognition") -> HearingService:
    path = tmp_path / "voicebot.yaml"
    path.write_text(f"{NUMBERS}{part}:\n  service:\n" + "".join(f"    {line}\n" for line in lines), encoding="utf-8")
    service = load_config(path).recognition.service
    assert service is not None
    return service


GOOD = (f"class: {OPENAI}", "arguments: {api_key: {env: VENDOR_KEY}, base_url: http://there}")


def test_a_service_is_made_as_it_is_written(tmp_path: Path) -> None:
    service = hearing(tmp_path, *GOOD, "settings: {model: whisper-1}", "languages: {en: {prompt: Hello}, pl: {}}")
    made = service.blueprint.make("pl", {}), service.blueprint.make("en", {})
    assert [type(each).__name__ for each in made] == ["OpenAISTTService"] * 2
    assert [each.settings.model for each in made] == ["whisper-1"] * 2
    assert [getattr(each.settings, "language", None) for each in made] == ["pl", "en"]
    assert [getattr(each.settings, "prompt", None) for each in made] == [None, "Hello"]


@pytest.mark.parametrize(
    ("lines", "place", "told"),
    [
        (["class: X"], "4:5", "X is no dotted path of a class."),
        (["class: foo.bar.X"], "4:5", "There is no module foo.bar."),
        (["class: pipecat.services.openai.stt.Nothing"], "4:5", "It has OpenAIRealtimeSTTService, OpenAISTTService."),
        (["class: pipecat.services.openai.tts.OpenAITTSService"], "4:5", "is no STTService of Pipecat"),
        (["class: pipecat.services.stt_service.STTService"], "4:5", "is no STTService of Pipecat"),
        (["class: voicebot.config.Config"], "4:5", "is no STTService of Pipecat"),
        (["slow_s: 1"], "3:3", "this key is missing"),
        ([f"class: {REALTIME}"], "3:3", "OpenAIRealtimeSTTService needs api_key. Add it to arguments."),
        ([f"class: {OPENAI}", "arguments: {api: x}"], "5:5", "OpenAISTTService takes no api. It takes api_key,"),
        ([f"class: {OPENAI}", "arguments: {sample_rate: 8000}"], "5:5", "sample_rate is not for arguments"),
        ([f"class: {OPENAI}", "arguments: {api_key: sk-1}"], "5:5", "api_key: a secret does not belong in this file."),
        ([f"class: {OPENAI}", "arguments: {api_key: {env: NO_KEY}}"], "5:5", "NO_KEY is not set"),
        ([*GOOD, "settings: {modle: x}"], "6:5", "has no setting modle. It has keywords, language, model,"),
        ([*GOOD, "languages: {pl: {voice: x}}"], "6:5", "has no setting voice."),
        ([*GOOD, "slow: 1"], "6:5", "Known here: class, arguments, settings,"),
        ([*GOOD, "slow_s: 0"], "6:5", "greater than 0"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, lines: list[str], place: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        hearing(tmp_path, *lines)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path / 'voicebot.yaml'}:{place}: recognition.service")
    assert told in line
    assert "sk-" not in line


def test_a_package_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vendor_of_ours.py").write_text(
        'import a_package_that_nobody_has  # uv add "pipecat-ai[acme]"\n', encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        hearing(tmp_path, "class: vendor_of_ours.Ears")
    assert "a_package_that_nobody_has" in str(caught.value)
    assert 'pip install "pipecat-ai[acme]"' in str(caught.value)


def test_secrets_are_shown_nowhere(tmp_path: Path) -> None:
    service = hearing(tmp_path, *GOOD, "settings: {prompt: {env: VENDOR_KEY}}")
    assert "sk-very-secret" not in f"{service} {service!r} {service.blueprint!r}"
    assert service.blueprint.make("pl", {})._client.api_key == "sk-very-secret"  # type: ignore[attr-defined]


def test_the_fingerprint_changes_with_the_sound_and_not_with_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = [
        hearing(tmp_path, *lines).blueprint.fingerprint("pl")
        for lines in (GOOD, (*GOOD, "settings: {model: other}"), (*GOOD, "languages: {pl: {model: other}}"))
    ]
    assert len(set(prints)) == 2, "where a setting stands makes no difference"
    assert hearing(tmp_path, *GOOD).blueprint.fingerprint("en") != prints[0]
    monkeypatch.setenv("VENDOR_KEY", "another")
    assert hearing(tmp_path, *GOOD).blueprint.fingerprint("pl") == prints[0]


def test_the_doctor_says_whether_a_service_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{SegmentEars.__module__}.{SegmentEars.__name__}"
    good = HearingService.model_validate({"class": path, "arguments": {"vendor": FakeVendor()}})
    assert check_service("recognition service", good).ok
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    keyless = SpeakingService.model_validate({"class": "pipecat.services.openai.tts.OpenAITTSService"})
    check = check_service("speech service", keyless)
    assert not check.ok
    assert "OpenAITTSService cannot be made" in check.message
    assert check.remedy
