"""What of the settings of people has to fit together: names of queues, ways between them, the order of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic_core import InitErrorDetails, PydanticCustomError

from telephony.sip_names import parse_uri
from voicebot.people_settings import (
    AlertSettings,
    MailSettings,
    PeopleSettings,
    QueueSettings,
    RuleSettings,
    ToQueue,
    WhenSettings,
)
from voicebot.phone_numbers import number_in
from voicebot.redaction import fold
from voicebot.sip_settings import SipSettings

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Mistake:
    """`location`: the keys that lead to it in the file."""

    location: Location
    message: str

    def detail(self) -> InitErrorDetails:
        """As one of Pydantic's own mistakes."""
        kind = PydanticCustomError("people", "{message}", {"message": self.message})
        return InitErrorDetails(type=kind, loc=self.location, input=None)


def mistakes(
    queues: Mapping[str, QueueSettings],
    routing: Sequence[RuleSettings],
    alerts: AlertSettings,
    mail: MailSettings | None,
) -> list[Mistake]:
    """All of them."""
    found = [*_unknown_queues(queues, routing), *_loops(queues), *_never_fitting(routing)]
    if alerts.mail and mail is None:
        found.append(Mistake(("alerts", "mail"), "No server takes e-mail. Add `mail:` with `server` and `sender`."))
    return found


def unreachable(sip: SipSettings, queues: Mapping[str, QueueSettings], people: PeopleSettings) -> Iterator[Mistake]:
    """Telephones that would never be rung, and those whose answers would be dropped."""
    rung: list[tuple[Location, str]] = [
        (("queues", name, "agents", at, "uri"), agent.uri)
        for name, queue in queues.items()
        for at, agent in enumerate(queue.agents)
    ]
    rung += [(("queues", name, "pbx", "uri"), queue.pbx.uri) for name, queue in queues.items() if queue.pbx]
    for location, uri in rung:
        number = number_in(parse_uri(uri).user, sip.region)
        if number is not None and people.route(number) is None:
            yield Mistake(
                location, f"{number} is a telephone number that people.outbound does not allow. Add it there."
            )
    rung += [(("people", "outbound", at, "uri"), route.uri) for at, route in enumerate(people.outbound)]
    for location, uri in rung:
        if not sip.takes_from(uri):
            yield Mistake(location, f"No trunk has the address of {uri}, so its answers are not heard. Add it to one.")


def _unknown_queues(queues: Mapping[str, QueueSettings], routing: Sequence[RuleSettings]) -> Iterator[Mistake]:
    for location, name in _named(queues, routing):
        if name not in queues:
            known = f"Known: {', '.join(queues)}." if queues else "Add it under `queues:`."
            yield Mistake(location, f"There is no queue {name}. {known}")


def _named(queues: Mapping[str, QueueSettings], routing: Sequence[RuleSettings]) -> Iterator[tuple[Location, str]]:
    for name in queues:
        for key, target in _ways(queues, name):
            yield ("queues", name, key), target
    for index, rule in enumerate(routing):
        if rule.queue is not None:
            yield ("routing", index, "queue"), rule.queue
        for queue in rule.when.queue or ():
            yield ("routing", index, "when", "queue"), queue


def _ways(queues: Mapping[str, QueueSettings], name: str) -> list[tuple[str, str]]:
    """Which queues callers of a queue may go on to, with the key that says so."""
    settings = queues[name]
    targets = [("overflow", settings.overflow), ("closed", settings.closed)]
    return [(key, target.queue) for key, target in targets if isinstance(target, ToQueue)]


def _loops(queues: Mapping[str, QueueSettings]) -> Iterator[Mistake]:
    """Each loop once, at the queue of it that the file names first."""
    told: set[frozenset[str]] = set()
    for name in queues:
        for key, target in _ways(queues, name):
            path = _path(queues, target, name)
            if path is not None and frozenset(path) not in told:
                told.add(frozenset(path))
                way = " -> ".join([name, *path])
                remedy = "Let one of them go to callback or voicemail."
                yield Mistake(("queues", name, key), f"Callers would go round in a circle: {way}. {remedy}")


def _path(queues: Mapping[str, QueueSettings], start: str, goal: str) -> list[str] | None:
    """The queues from `start` to `goal`, both included."""
    waiting, seen = [[start]], {start}
    while waiting:
        path = waiting.pop(0)
        if path[-1] == goal:
            return path
        for _, target in _ways(queues, path[-1]) if path[-1] in queues else ():
            if target not in seen:
                seen.add(target)
                waiting.append([*path, target])
    return None


def _never_fitting(routing: Sequence[RuleSettings]) -> Iterator[Mistake]:
    """A rule with `hand_over` still acts behind one without: it decides when, not only to whom."""
    for index, rule in enumerate(routing):
        for before, earlier in enumerate(routing[:index]):
            if (earlier.hand_over or not rule.hand_over) and _covers(earlier.when, rule.when):
                yield Mistake(
                    ("routing", index),
                    f"This rule never fits, because rule {before + 1} always fits before it. Move it up or remove it.",
                )
                break


def _covers(wide: WhenSettings, narrow: WhenSettings) -> bool:
    """Whether whatever fits `narrow` fits `wide`, too."""
    for name in ("reason", "mood", "bot", "language", "flow", "queue"):
        some, others = getattr(wide, name), getattr(narrow, name)
        if some is not None and (others is None or not set(others) <= set(some)):
            return False
    for name in ("interruptions", "no_match"):
        least, most = getattr(wide, name), getattr(narrow, name)
        if least is not None and (most is None or most < least):
            return False
    return (
        _all_begin(wide.caller, narrow.caller)
        and _all_begin(_folded(wide.says), _folded(narrow.says))
        and (wide.slots or {}).items() <= (narrow.slots or {}).items()
    )


def _all_begin(wide: Sequence[str] | None, narrow: Sequence[str] | None) -> bool:
    if wide is None:
        return True
    return narrow is not None and all(text.startswith(tuple(wide)) for text in narrow)


def _folded(words: Sequence[str] | None) -> list[str] | None:
    return None if words is None else [" ".join(map(fold, phrase.split())) for phrase in words]
