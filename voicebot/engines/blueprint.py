"""A Pipecat service as the configuration describes it: found, checked without being made, then made as often as needed.

`settings` are the fields of the class's `Settings`, `arguments` whatever else its constructor takes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import importlib.util
import inspect
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipecat.services.ai_service import AIService
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pydantic import SecretStr

from tts.audio import PROCESSING_VERSION
from voicebot.errors import ServiceFailed

CLIENTS = frozenset({"aiohttp_session", "http_client"})
"""Arguments for a client of the web. Services that get none make one that they never close."""

OURS = CLIENTS | {"settings", "sample_rate"}
"""Arguments that are not for the file: what stands elsewhere in it, or is made by us."""


def service_base(name: str) -> type[AIService]:
    """Pipecat's base class of hearing or of speaking."""
    bases: dict[str, type[AIService]] = {"STTService": STTService, "TTSService": TTSService}
    return bases[name]


def find_class(path: str, base: type[AIService]) -> type[AIService]:
    """The class at a dotted path. Raises ServiceFailed, saying what to install when that is all that is missing."""
    module_name, _, name = path.rpartition(".")
    if not module_name:
        raise ServiceFailed(f"{path} is no dotted path of a class.", f"Write one of a {base.__name__} of Pipecat.")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ServiceFailed(*_missing(module_name, error)) from error
    except Exception as error:
        raise ServiceFailed(f"{module_name} cannot be imported: {type(error).__name__}: {error}.") from error
    found = getattr(module, name, None)
    if found is None:
        known = sorted(each for each, value in vars(module).items() if _fits(value, base, module_name))
        raise ServiceFailed(f"{module_name} has no {name}.", f"It has {', '.join(known) or 'nothing that fits'}.")
    if not _fits(found, base) or inspect.isabstract(found):
        raise ServiceFailed(f"{path} is no {base.__name__} of Pipecat.", "Choose a class that is one.")
    assert isinstance(found, type)
    return found


def wrong_arguments(service: type[AIService], arguments: Mapping[str, Any]) -> str:
    """What is wrong with the names of the arguments; empty when nothing is."""
    known = _parameters(service)
    taken = sorted(set(arguments) & OURS)
    unknown = sorted(set(arguments) - set(known) - OURS)
    missing = sorted(name for name, needed in known.items() if needed and name not in arguments and name not in OURS)
    said = []
    if taken:
        said.append(f"{', '.join(taken)} is not for arguments: the bot sets it from the service's other keys.")
    if unknown:
        said.append(
            f"{service.__name__} takes no {', '.join(unknown)}. It takes {', '.join(sorted(set(known) - OURS))}."
        )
    if missing:
        said.append(f"{service.__name__} needs {', '.join(missing)}. Add it to arguments.")
    return " ".join(said)


def wrong_settings(service: type[AIService], settings: Mapping[str, Any]) -> str:
    """What is wrong with the names of the settings; empty when nothing is."""
    kind = _settings_class(service)
    if kind is None:
        return f"{service.__name__} has no settings of its own. Use arguments." if settings else ""
    known = {each.name for each in dataclasses.fields(kind)}
    unknown = sorted(set(settings) - known)
    if not unknown:
        return ""
    return f"{service.__name__} has no setting {', '.join(unknown)}. It has {', '.join(sorted(known - {'extra'}))}."


@dataclass(frozen=True)
class Blueprint:
    """What `make` makes. `languages`: settings that differ by language; when given, no other language is served."""

    service: type[AIService]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    languages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.service.__name__

    @property
    def clients(self) -> frozenset[str]:
        """Which of `CLIENTS` its constructor takes."""
        return CLIENTS & set(_parameters(self.service))

    def serves(self, language: str) -> bool:
        return not self.languages or language in self.languages

    def make(self, language: str, clients: Mapping[str, Any]) -> AIService:
        """A new service for `language`, given its `clients`. Raises whatever its constructor raises."""
        arguments: dict[str, Any] = {**_revealed(self.arguments), **clients}
        kind = _settings_class(self.service)
        if kind is not None:
            arguments["settings"] = kind(**_revealed(self._settings_for(language, kind)))
        return self.service(**arguments)

    def fingerprint(self, language: str) -> str:
        """Changes with everything that a voice may sound by, but for secrets."""
        described = {
            "class": f"{self.service.__module__}.{self.service.__qualname__}",
            "arguments": _without_secrets(self.arguments),
            "settings": _without_secrets({**self.settings, **self.languages.get(language, {})}),
            "language": language,
            "processing": PROCESSING_VERSION,
        }
        return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def _settings_for(self, language: str, kind: type[Any]) -> dict[str, Any]:
        """The call's language, unless the configuration names one."""
        known = {each.name for each in dataclasses.fields(kind)}
        told = {"language": language} if "language" in known else {}
        return {**told, **self.settings, **self.languages.get(language, {})}


def _fits(value: object, base: type[AIService], module_name: str = "") -> bool:
    return isinstance(value, type) and issubclass(value, base) and (not module_name or value.__module__ == module_name)


def _settings_class(service: type[AIService]) -> type[Any] | None:
    kind = getattr(service, "Settings", None)
    return kind if isinstance(kind, type) and dataclasses.is_dataclass(kind) else None


def _parameters(service: type[AIService]) -> dict[str, bool]:
    """Every argument that the constructor takes by name, also those handed on to its bases; whether it is needed."""
    found: dict[str, bool] = {}
    constructors = [kind for kind in service.__mro__ if "__init__" in vars(kind)]
    for kind in constructors:
        parameters = inspect.signature(vars(kind)["__init__"]).parameters.values()
        for parameter in parameters:
            if parameter.name != "self" and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                needed = parameter.default is parameter.empty and kind is constructors[0]
                found.setdefault(parameter.name, needed)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _missing(module_name: str, error: ImportError) -> tuple[str, str]:
    """Message and remedy. Pipecat's modules name their extra in their source."""
    try:
        spec = importlib.util.find_spec(module_name)
    except ImportError:
        spec = None
    if spec is None or spec.origin is None:
        return f"There is no module {module_name}.", "See the list of services in Pipecat's documentation."
    extras = re.findall(r"pipecat-ai\[([\w,-]+)\]", Path(spec.origin).read_text(encoding="utf-8"))
    remedy = f'Install it: pip install "pipecat-ai[{extras[0]}]".' if extras else "Install the package that it names."
    return f"{module_name} needs a package that is not installed ({_root(error)}).", remedy


def _root(error: BaseException) -> BaseException:
    """Pipecat wraps the error of the import that failed."""
    return error if error.__cause__ is None else _root(error.__cause__)


def _revealed(value: Any) -> Any:
    return _mapped(value, lambda secret: secret.get_secret_value())


def _without_secrets(value: Any) -> Any:
    return _mapped(value, lambda _: "secret")


def _mapped(value: Any, secret: Any) -> Any:
    if isinstance(value, SecretStr):
        return secret(value)
    if isinstance(value, Mapping):
        return {key: _mapped(each, secret) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_mapped(each, secret) for each in value]
    return value
