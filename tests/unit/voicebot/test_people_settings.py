"""The settings of people: every mistake with its line and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.check import check_path
from voicebot.config import Config, load_config
from voicebot.errors import ConfigError

HEAD = 'numbers:\n  - {number: "100", bot: shop, language: pl}\n'
SECRET = "0123456789abcdef"


def load(folder: Path, text: str) -> Config:
    path = folder / "voicebot.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_config(path)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", SECRET)
    monkeypatch.setenv("SHORT", "short")


def test_everything_at_once(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """\
queues:
  people:
    agents: [{name: Anna, uri: "sip:anna@127.0.0.1", skills: [invoices]}]
    overflow: {queue: rest}
    hours: {week: {monday-friday: "08:00-18:00"}, holidays: pl, closed: [2026-12-24]}
    closed: bot
  rest: {overflow: voicemail}
people: {service_number: 80, crm_link: "https://crm.example/?phone={caller}&order={order_number}"}
routing:
  - {when: {says: adwokat, caller: [+48 22], slots: {plan: business}}, queue: rest, hand_over: true}
alerts: {keywords: [adwokat], mail: [boss@example.com], loop: null}
webhooks: [{url: "http://127.0.0.1:9000/hook", secret: {env: HOOK}}]
mail: {server: mail.example.com, sender: bot@example.com}
http: {tls_certificate: tls/cert.pem, tls_key: tls/key.pem, url: "https://bot.example.com"}
""",
    )
    assert config.people.service_number == "80"
    assert config.routing[0].when.says == ("adwokat",)
    assert config.routing[0].when.caller == ("+4822",)
    assert config.webhooks[0].secret == SECRET
    assert SECRET not in repr(config)
    assert config.http.tls_key == tmp_path / "tls" / "key.pem"
    assert config.alerts.loop is None


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("queues: {a: {overflow: {queue: b}}}", "3:14: queues.a.overflow", "There is no queue b. Known: a."),
        ("routing: [{when: {}, queue: b}]", "3:22: routing.0.queue", "no queue b. Add it under `queues:`."),
        ("routing: [{when: {queue: b}, priority: 1}]", "3:19: routing.0.when.queue", "There is no queue b."),
        ("queues: {a: {overflow: {queue: a}}}", "3:14: queues.a.overflow", "in a circle: a -> a. Let one"),
        ("queues: {a: {overflow: home}}", "3:14: queues.a.overflow", "Write callback, voicemail or {queue: NAME}."),
        ("routing: [{when: {}}]", "3:11: routing.0", "This rule changes nothing."),
        ("alerts: {mail: [boss]}", "3:17: alerts.mail.0", "boss is no e-mail address. Write one like"),
        ("alerts: {mail: [a@b.pl]}", "3:10: alerts.mail", "Add `mail:` with"),
        ('webhooks: [{url: "http://crm.example/", secret: {env: HOOK}}]', "3:13: webhooks.0.url", "Write https://."),
        ('webhooks: [{url: "crm", secret: {env: HOOK}}]', "3:13: webhooks.0.url", "crm is no address."),
        ('webhooks: [{url: "https://crm.example/"}]', "3:12: webhooks.0.secret", "this key is missing. Add it."),
        ('webhooks: [{url: "https://c.pl/", secret: {env: SHORT}}]', "webhooks.0.secret", "16 characters or more"),
        ("mail: {server: mail.example.com, sender: a@b.pl, tls: none}", "3:1: mail", "Write tls: starttls or"),
        ("mail: {server: m.pl, sender: a@b.pl, user: anna}", "3:1: mail", "Give both or none."),
        ("http: {tls_key: key.pem}", "3:1: http", "`tls_certificate` and `tls_key` go together."),
        ('people: {crm_link: "https://crm/{0}"}', "3:10: people.crm_link", "cannot hold {0}."),
        ('people: {crm_link: "https://crm/{caller"}', "3:10: people.crm_link", "is not closed"),
        ("routing: [{when: {caller: [office]}, priority: 1}]", "routing.0.when.caller.0", "Write one like +48601."),
    ],
)
def test_mistakes(tmp_path: Path, text: str, place: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text + "\n")
    (line,) = caught.value.message.splitlines()
    assert place in line
    assert message in line
    with pytest.raises(ConfigError):
        check_path(tmp_path / "voicebot.yaml")


def test_mistakes_that_need_the_whole_file_are_told_together(tmp_path: Path) -> None:
    text = """\
queues:
  a: {overflow: {queue: b}}
  b: {closed: {queue: a}}
routing:
  - {when: {}, queue: gone}
  - {when: {mood: angry}, priority: 1}
"""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    places = [line.split("voicebot.yaml:")[1].partition(" ")[0] for line in caught.value.message.splitlines()]
    assert places == ["7:16:", "4:7:", "8:5:"]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("when: {}", "when: {mood: angry}", True),
        ("when: {mood: [angry, impatient]}", "when: {mood: angry, language: pl}", True),
        ("when: {mood: angry}", "when: {mood: [angry, impatient]}", False),
        ("when: {no_match: 2}", "when: {no_match: 3}", True),
        ("when: {no_match: 3}", "when: {no_match: 2}", False),
        ("when: {says: adwokat}", "when: {says: [Adwokata, adwokatem]}", True),
        ("when: {says: adwokat}", "when: {says: [adwokat, rzecznik]}", False),
        ('when: {caller: "+48"}', 'when: {caller: "+4822"}', True),
        ('when: {caller: "+4822"}', 'when: {caller: "+48"}', False),
        ("when: {slots: {a: 1}}", "when: {slots: {a: 1, b: 2}}", True),
        ("when: {slots: {a: 1}}", "when: {slots: {a: 2}}", False),
        ("when: {}", "hand_over: true, when: {mood: angry}", False),
        ("hand_over: true, when: {}", "hand_over: true, when: {mood: angry}", True),
    ],
)
def test_a_rule_that_never_fits(tmp_path: Path, first: str, second: str, told: bool) -> None:
    text = f"routing:\n  - {{priority: 1, {first}}}\n  - {{priority: 2, {second}}}\n"
    if not told:
        assert len(load(tmp_path, text).routing) == 2
        return
    with pytest.raises(ConfigError, match=r"5:5: routing\.1: This rule never fits, because rule 1 always fits"):
        load(tmp_path, text)
