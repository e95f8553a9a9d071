"""Scripted conversations: what may be written, how it is played, what is told of those that went otherwise."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

import pytest

from flows import Bot, EmbeddedUnderstanding, Engine, FlowProblems
from flows.scripted import Played, TextTalk, load_conversations, play
from flows.spans import Span, plain_text
from flows.testing import FakeSystemClient

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "test-flows.md"
FOUND = {"status": "sent", "status_pl": "w drodze", "status_en": "is on its way", "delivery": "2026-11-25"}


def read(spans: tuple[Span, ...], language: str) -> str:
    return plain_text(spans).replace("2026-11-25", "the twenty-fifth of November")


@pytest.fixture
def played(shop: Bot, understanding: EmbeddedUnderstanding, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Plays the conversations of a file."""

    async def run(text: str) -> list[Played]:
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / "tests" / "all.yaml").write_text(text, encoding="utf-8")
        results = []
        for scripted in load_conversations(tmp_path, shop):
            systems = FakeSystemClient({"shop.order": FOUND, **scripted.systems})
            now = scripted.now.replace(tzinfo=UTC)
            talk = TextTalk(scripted, Engine(shop), understanding, systems, now, read)
            results.append(await play(scripted, talk, lambda call: call.operation != "shop.order"))
        return results

    return run


def script(*steps: str, rest: str = "") -> str:
    lines = "\n".join(f"      - {step}" for step in steps)
    return f"conversations:\n  - name: one\n    language: en\n    steps:\n{lines}\n{rest}"


async def test_the_example_of_the_page_goes_as_written(played) -> None:  # type: ignore[no-untyped-def]
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    (result,) = await played(example)
    assert result.mismatch is None
    assert [line.who for line in result.lines].count("caller") == 3


ASKED = ("caller: where is my parcel", "bot: six-digit")
NUMBER = (*ASKED, 'keys: "123456"', "caller: yes")


@pytest.mark.parametrize(
    "steps",
    [
        ("bot: [hello, how can i help]", "not: weather"),
        ("bot: /hello, .* assistant/",),
        (*ASKED, 'keys: "123456#"', "bot: is that right", "slots: {order_number: 123456}"),
        (*NUMBER, "bot: twenty-fifth of november", "bot: 2026-11-25"),
        (*NUMBER, "later: 20m", "caller: no thank you", "bot: goodbye"),
        (*ASKED, "flow: order_status", "silence", "bot: can not hear"),
        ('keys: "0"', "nobody_answers", "bot: call you back"),
        (*ASKED, 'interrupts: "123456"', "bot: is that right"),
    ],
)
async def test_it_goes_as_written(played, steps: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    (result,) = await played(script(*steps))
    assert result.mismatch is None


@pytest.mark.parametrize(
    ("steps", "rest", "message"),
    [
        (
            (*ASKED, "bot: your name"),
            "",
            'tests/all.yaml:7:9: The bot was to say "your name". It said: Please tell me your six-digit order number.',
        ),
        (
            ("bot: [how can i help, hello]",),
            "",
            'tests/all.yaml:5:9: The bot was to say "hello", in that order. It said: Hello, this is the automated '
            "assistant of the Linden Shop. This call is recorded. How can I help you?",
        ),
        (("not: recorded",), "", 'tests/all.yaml:5:9: The bot said "recorded".'),
        (
            (*ASKED, "slots: {order_number: 5}"),
            "",
            "tests/all.yaml:7:9: The slot `order_number` is not known, not 5.",
        ),
        (
            (*NUMBER, 'slots: {order_number: "123457"}'),
            "",
            'tests/all.yaml:9:9: The slot `order_number` is "123456", not "123457".',
        ),
        (("flow: order_status",), "", "tests/all.yaml:5:9: The caller is in no flow, not in `order_status`."),
        (("caller: goodbye", "silence"), "", "tests/all.yaml:6:9: The call was over."),
        (('keys: "0"', "silence"), "", "tests/all.yaml:6:9: The call was given to people (caller_asked)."),
        (
            ("nobody_answers",),
            "",
            "tests/all.yaml:5:9: No call was given to people, so nobody could fail to answer.",
        ),
        (
            ("caller: goodbye",),
            "    outcome: contained",
            "tests/all.yaml:6:5: The call was to end with contained; it ended with not_served.",
        ),
        (ASKED, "    outcome: contained", "tests/all.yaml:7:5: The call was to end with contained; it has not ended."),
        (
            ('keys: "0"',),
            "    outcome: {handoff: no_input}",
            "tests/all.yaml:6:5: The call was to end with handoff: no_input; it ended with handoff: caller_asked.",
        ),
        (
            NUMBER,
            "    asked_all: []",
            'tests/all.yaml:9:5: The systems were asked shop.order(number="123456"); it was to be nothing.',
        ),
    ],
)
async def test_what_went_otherwise_is_told(  # type: ignore[no-untyped-def]
    played, steps: tuple[str, ...], rest: str, message: str
) -> None:
    (result,) = await played(script(*steps, rest=rest))
    assert str(result.mismatch) == message


MISTAKES = """\
conversations:
  - name: one
    lanuage: en
    steps: [silence]
  - name: two
    language: en
    now: tomorrow
    systems: {shop.oder: failed}
    steps:
      - caler: hello
      - silent
      - keys: 123
      - later: soon
      - slots: {order_numer: 1}
      - slots: []
      - flow: order_state
      - bot: /(/
      - bot: []
      - caller: ""
      - caller: hello
        bot: hello
    asked: [shop.order, {shop.oder: {number: 1}}, 5]
    outcome: happy
  - {name: two, steps: [silence]}
"""


def mistakes(text: str, shop: Bot, tmp_path: Path) -> list[str]:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "all.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(FlowProblems) as raised:
        load_conversations(tmp_path, shop)
    return [str(problem) for problem in raised.value.problems]


TOLD = """\
3:5: The key `lanuage` is not known here. Did you mean `language`?
7:10: `tomorrow` is no day and hour. Write it like 2026-11-23T10:00.
8:15: There is no operation `shop.oder`. Did you mean `shop.order`?
10:9: There is no step `caler`. Did you mean `caller`?
11:9: There is no step `silent`. Did you mean `silence`?
12:15: Keys are 0 to 9, * and #. Put them in quotes: "123#".
13:16: `later` is a time like 30s, 20m or 2h.
14:17: There is no slot `order_numer`. Did you mean `order_number`?
15:16: `slots` are names with values. Write {order_number: "123456"}.
16:15: There is no flow `order_state`. Did you mean `order_status`?
17:14: `/(/` is no regular expression: missing ), unterminated subpattern at position 0.
18:14: `bot` has to be a text, or a list of texts.
19:17: `caller` has to be a text.
20:9: A step is one word and its value. Known here: `bot`, `caller`, `flow`, `interrupts`, `keys`, `later`, \
`nobody_answers`, `not`, `silence`, `slots`.
22:25: There is no operation `shop.oder`. Did you mean `shop.order`?
22:51: A call is an operation with its arguments. Write `- shop.order: {number: 5}`.
23:14: `happy` is no outcome. There are: `contained`, `callback`, `not_served`, `failed`, `{handoff: reason}`.
24:6: The conversation `two` is also in tests/all.yaml:5. Rename one.
"""


def test_every_mistake_is_told_at_once(shop: Bot, tmp_path: Path) -> None:
    assert mistakes(MISTAKES, shop, tmp_path) == [f"tests/all.yaml:{line}" for line in TOLD.splitlines()]


def test_a_bot_without_tests_has_no_conversations(shop: Bot, tmp_path: Path) -> None:
    assert load_conversations(tmp_path, shop) == ()


async def test_what_is_talked_into_is_known_to_the_flow(
    shop: Bot, understanding: EmbeddedUnderstanding, tmp_path: Path
) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "all.yaml").write_text(script("silence"), encoding="utf-8")
    (interrupted,) = load_conversations(tmp_path, shop)
    talk = TextTalk(interrupted, Engine(shop), understanding, FakeSystemClient({}), interrupted.now, read)
    await talk.start()
    await talk.say("where is my parcel")
    await talk.interrupt("one moment")
    assert talk._talk.state.data["heard_all"] is False
