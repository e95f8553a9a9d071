"""What all sections of `voicebot.yaml` are made of, and types written in a way of their own: secrets, time zones."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from voicebot.errors import ConfigError


class Section(BaseModel):
    """Typed, frozen, unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _read_secret(value: object) -> object:
    """A secret is written as `{env: NAME}` or `{file: PATH}`; what stands in the file itself is refused."""
    if isinstance(value, dict) and set(value) == {"env"}:
        name = str(value["env"])
        if name not in os.environ:
            raise ValueError(f"The environment variable {name} is not set. Set it, or use {{file: PATH}}.")
        return os.environ[name]
    if isinstance(value, dict) and set(value) == {"file"}:
        path = Path(str(value["file"]))
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ValueError(f"The secret file {path} cannot be read: {error.strerror}.") from error
    raise ValueError("A secret does not belong in this file. Write {env: NAME} or {file: PATH}.")


Secret = Annotated[str, BeforeValidator(_read_secret), Field(repr=False)]


@dataclass(frozen=True)
class SecretSource:
    """Where a secret is to be found, for what only one command needs: the others run without it."""

    kind: Literal["env", "file"]
    name: str

    def read(self) -> str:
        """Raises ConfigError when it is not there, or empty."""
        try:
            secret = str(_read_secret({self.kind: self.name}))
        except ValueError as error:
            raise ConfigError(str(error)) from error
        if not secret or not secret.isprintable():
            raise ConfigError(f"The secret in {self.name} is empty or holds signs that nobody can type.", "Mend it.")
        return secret


def _read_source(value: object) -> object:
    if isinstance(value, dict) and len(value) == 1:
        (kind, name), *_ = value.items()
        if kind in ("env", "file"):
            return SecretSource(kind, str(name))
    return _read_secret(value)


LateSecret = Annotated[SecretSource, BeforeValidator(_read_source)]


def _read_zone(value: object) -> object:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{value} is no time zone. Write one like Europe/Warsaw.") from error


TimeZone = Annotated[ZoneInfo, BeforeValidator(_read_zone)]


_SECRET_NAMES = ("key", "token", "secret", "password", "credentials")


def _read_values(value: Any, name: str = "") -> Any:
    """Values for a service, secrets in them as SecretStr. What is named like a secret has to be one."""
    if isinstance(value, dict) and (set(value) == {"env"} or set(value) == {"file"}):
        return SecretStr(str(_read_secret(value)))
    if isinstance(value, dict):
        return {str(key): _read_values(each, str(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_read_values(each, name) for each in value]
    if isinstance(value, str) and name.lower().rpartition("_")[2] in _SECRET_NAMES:
        raise ValueError(f"{name}: a secret does not belong in this file. Write {{env: NAME}} or {{file: PATH}}.")
    return value


Values = Annotated[dict[str, Any], BeforeValidator(_read_values)]
