"""`voicebot.yaml`: one file, typed, frozen, unknown keys are errors, secrets by reference.

Every mistake of the file is told at once, with its line. The keys are described in `docs/reference/configuration.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from voicebot.edge.settings import EdgeSettings
from voicebot.errors import ConfigError, ServiceFailed
from voicebot.people_checks import mistakes, unreachable
from voicebot.people_settings import (
    AlertSettings,
    HttpSettings,
    MailSettings,
    PeopleSettings,
    QueueSettings,
    RuleSettings,
    WebhookSettings,
)
from voicebot.phone_numbers import as_e164
from voicebot.setting_types import Secret, Section, TimeZone, Values
from voicebot.several_workers import impossible
from voicebot.sip_settings import SipSettings

if TYPE_CHECKING:  # Pipecat takes a second to import, and only who configures a service needs it here
    from voicebot.engines.blueprint import Blueprint


class ServiceSettings(Section):
    """A Pipecat service that answers before our own engine does. `base`: the class of Pipecat that it derives from."""

    base: ClassVar[str]
    class_: Any = Field(alias="class")
    arguments: Values = Field({}, validate_default=True)
    settings: Values = Field({})
    languages: dict[Literal["pl", "en"], Values] = Field({})
    slow_s: float = Field(gt=0)
    sample_rate: int = Field(ge=8000, le=48000)
    connections: int = Field(20, ge=1)

    @field_validator("class_")
    @classmethod
    def _find_class(cls, path: object) -> Any:
        from voicebot.engines.blueprint import find_class, service_base

        try:
            return find_class(str(path), service_base(cls.base))
        except ServiceFailed as error:
            raise ValueError(str(error)) from error

    @field_validator("arguments")
    @classmethod
    def _arguments_fit(cls, arguments: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        from voicebot.engines.blueprint import wrong_arguments

        service = info.data.get("class_")
        if service is not None and (mistake := wrong_arguments(service, arguments)):
            raise ValueError(mistake)
        return arguments

    @field_validator("settings", "languages")
    @classmethod
    def _settings_fit(cls, values: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        from voicebot.engines.blueprint import wrong_settings

        service = info.data.get("class_")
        for settings in values.values() if info.field_name == "languages" else [values]:
            if service is not None and (mistake := wrong_settings(service, settings)):
                raise ValueError(mistake)
        return values

    @property
    def blueprint(self) -> Blueprint:
        from voicebot.engines.blueprint import Blueprint

        languages = {str(language): settings for language, settings in self.languages.items()}
        return Blueprint(self.class_, self.arguments, self.settings, languages)


class HearingService(ServiceSettings):
    """What hears before ours. `confidence`: what its texts count as, for services agree on no scale."""

    base: ClassVar[str] = "STTService"
    slow_s: float = Field(1.5, gt=0)
    sample_rate: int = Field(16000, ge=8000, le=48000)
    confidence: float = Field(0.8, ge=0, le=1)


class SpeakingService(ServiceSettings):
    """What speaks before ours."""

    base: ClassVar[str] = "TTSService"
    slow_s: float = Field(1.0, gt=0)
    sample_rate: int = Field(24000, ge=8000, le=48000)


class RecognitionSettings(Section):
    """Which model hears, and on what."""

    model: str = "demo"
    models_dir: Path = Path("models")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compute_type: str = "auto"
    threads: int = Field(2, ge=1)
    beam: int = Field(5, ge=1, le=10)
    queue: int = Field(64, ge=1)
    deadline_s: float = Field(8.0, gt=0)
    service: HearingService | None = None


class SpeechSettings(Section):
    """Which voices speak."""

    voices: dict[Literal["pl", "en"], str] = Field({"pl": "espeak:pl", "en": "espeak:en-us"})
    voices_dir: Path = Path("voices")
    rate: float = Field(1.0, ge=0.5, le=2.0)
    service: SpeakingService | None = None


class PriceSettings(Section):
    """What a million tokens cost, in any one currency."""

    input: float = Field(0.0, ge=0)
    output: float = Field(0.0, ge=0)


class LanguageModelSettings(Section):
    """A language model, on a server with OpenAI's protocol.

    It is asked where our own understanding is not `sure`, and for the summary of a call that is given to people.
    """

    url: str = Field(pattern=r"^https?://[^\s]+$")
    model: str = Field(min_length=1)
    api_key: Secret = ""
    mode: Literal["auto", "structured", "tools", "json"] = "auto"
    deadline_s: float = Field(1.2, gt=0, le=10)
    summary_deadline_s: float = Field(4.0, gt=0, le=30)
    sure: float = Field(0.8, ge=0, le=1)
    reword: bool = True
    prices: PriceSettings = PriceSettings()
    extra: dict[str, Any] = Field({})


BotSource = Path | str


class NumberSettings(Section):
    """A telephone number that is answered: by which bot, in which language. `"*"` is any number not named.

    The bot is a folder, or the name of one that was published.
    """

    number: str
    bot: Path | None = None
    published: str | None = None
    language: Literal["pl", "en"]

    @model_validator(mode="after")
    def _one_source(self) -> NumberSettings:
        if (self.bot is None) == (self.published is None):
            raise ValueError("Name one bot: `bot`, a folder, or `published`, a name given to `voicebot flows publish`.")
        return self

    @property
    def source(self) -> BotSource:
        """Where the bot comes from: a folder, or the name of a published bot."""
        return self.bot if self.bot is not None else str(self.published)


class LogSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["plain", "json"] = "plain"


class TurnSettings(Section):
    """Limits of a conversation."""

    longest_utterance_s: float = Field(30.0, gt=1)
    longest_call_s: float = Field(1800.0, gt=10)
    drain_s: float = Field(60.0, ge=0)


class OverloadSettings(Section):
    """From what on new calls are no longer taken, and what becomes of them; live calls keep what they need."""

    media_late_ms: float = Field(60.0, gt=0)
    hearing_behind_ms: float = Field(1000.0, gt=0)
    recognition_ms: float = Field(2000.0, gt=0)
    recognition_waiting: int = Field(24, ge=1)
    then: Literal["refuse", "people"] = "refuse"


class Config(Section):
    """The whole file."""

    data: Path = Path("var")
    workers: int = Field(1, ge=1, le=64)
    timezone: TimeZone = ZoneInfo("Europe/Warsaw")
    sip: SipSettings = SipSettings()
    recognition: RecognitionSettings = RecognitionSettings()
    speech: SpeechSettings = SpeechSettings()
    language_model: LanguageModelSettings | None = None
    numbers: tuple[NumberSettings, ...] = Field(min_length=1)
    queues: dict[str, QueueSettings] = Field({})
    people: PeopleSettings = PeopleSettings()
    routing: tuple[RuleSettings, ...] = ()
    alerts: AlertSettings = AlertSettings()
    webhooks: tuple[WebhookSettings, ...] = ()
    mail: MailSettings | None = None
    turns: TurnSettings = TurnSettings()
    overload: OverloadSettings = OverloadSettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    edge: EdgeSettings | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Config:
        found = [
            *mistakes(self.queues, self.routing, self.alerts, self.mail),
            *unreachable(self.sip, self.queues, self.people),
            *impossible(self.workers, self.sip, self.queues, self.people),
        ]
        if found:
            raise ValidationError.from_exception_data("Config", [one.detail() for one in found])
        return self

    def queue(self, name: str) -> QueueSettings:
        """The queue of that name; one that is not configured has nobody in it."""
        return self.queues.get(name, QueueSettings())

    def number(self, dialled: str, diverted_from: str = "") -> NumberSettings | None:
        """Who answers `dialled`: the entry that names it, however it is written, else the one that names the number
        that was dialled at first, else the one for any number.
        """
        told = [number for number in (dialled, diverted_from) if number]
        named = [entry for number in told for entry in self.numbers if self._same_number(entry.number, number)]
        wild = [entry for entry in self.numbers if entry.number == "*"]
        return next(iter(named + wild), None)

    def is_service_number(self, dialled: str) -> bool:
        """Whether agents at desk phones dial that to sign in and out, however it is written."""
        service = self.people.service_number
        return bool(service) and self._same_number(service, dialled)

    def _same_number(self, one: str, other: str) -> bool:
        return as_e164(one, self.sip.region) == as_e164(other, self.sip.region)


def with_workers(config: Config, workers: int) -> Config:
    """With so many of them. Raises ConfigError."""
    found = list(impossible(workers, config.sip, config.queues, config.people))
    if found:
        raise ConfigError("\n".join(f"{'.'.join(map(str, one.location))}: {one.message}" for one in found))
    return config.model_copy(update={"workers": workers})


def load_config(path: Path, base: Path | None = None) -> Config:
    """Read and check `path`; folders in it are relative to its own, or to `base`.

    Raises ConfigError with all mistakes, each with its line and a remedy.
    """
    try:
        raw = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", "Name the file with --config.") from error
    except (MarkedYAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigError(f"{place}: this is not YAML: {getattr(error, 'problem', error)}.") from error
    if not isinstance(raw, CommentedMap):
        raise ConfigError(
            f"{path}:1: the file is empty.", "Begin with `numbers:`; see docs/reference/configuration.md."
        )
    try:
        config = Config.model_validate(_plain(raw))
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, raw, detail) for detail in error.errors())) from error
    return _anchored(config, base or path.parent)


def _anchored(config: Config, base: Path) -> Config:
    return config.model_copy(
        update={
            "data": base / config.data,
            "numbers": tuple(
                entry.model_copy(update={"bot": base / entry.bot}) if entry.bot is not None else entry
                for entry in config.numbers
            ),
            "recognition": config.recognition.model_copy(update={"models_dir": base / config.recognition.models_dir}),
            "speech": config.speech.model_copy(update={"voices_dir": base / config.speech.voices_dir}),
            "http": config.http.anchored(base),
            "edge": config.edge and config.edge.anchored(base),
        }
    )


def _plain(node: Any) -> Any:
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(item) for item in node]
    return node


def _explain(path: Path, raw: CommentedMap, detail: Any) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    line, column = _position(raw, detail["loc"])
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        known = _known_keys(detail["loc"][:-1])
        message = f"unknown key. Known here: {', '.join(known)}." if known else "unknown key. Remove it."
    elif detail["type"] == "missing":
        message = "this key is missing. Add it."
    return f"{path}:{line}:{column}: {where}: {message}"


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    model: Any = Config
    for part in location:
        if isinstance(part, int) or model is None:
            continue
        field = model.model_fields.get(part)
        if field is None:  # a name chosen by the user, as that of a queue
            continue
        model = _model_in(field.annotation)
    return [field.alias or name for name, field in model.model_fields.items()] if model is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (found := _model_in(inner)) is not None:
            return found
    return None


def _position(raw: CommentedMap, location: tuple[Any, ...]) -> tuple[int, int]:
    node: Any = raw
    line, column = 1, 1
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line, column = node.lc.key(part)[0] + 1, node.lc.key(part)[1] + 1
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line, column = node.lc.item(part)[0] + 1, node.lc.item(part)[1] + 1
        else:
            break
        node = node[part]
    return line, column
