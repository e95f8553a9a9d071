"""Callers' scripts: what they mean, and every mistake in plain words with its line."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from voicebot.caller.result import CallerResult
from voicebot.caller.script import (
    Expectations,
    HangUp,
    Interrupt,
    Keys,
    Listen,
    Noise,
    Say,
    Script,
    ScriptError,
    Silence,
    Wait,
    load_script,
    parse_script,
)

HEAD = "script: order\nlanguage: pl\nvoice: espeak:pl+m6\n"


def test_short_and_long_forms_of_every_step() -> None:
    script = parse_script(
        HEAD
        + """
number: "+48601234567"
steps:
  - listen
  - listen: {silence_ms: 500, deadline_s: 9}
  - say: dzień dobry
  - say: {text: "1 2", said: jeden dwa, to: agent}
  - interrupt: {text: nie, after_ms: 300}
  - keys: "0#"
  - wait: 1.5
  - silence: 8
  - noise: {sound: hum, seconds: 2, level_dbfs: -30}
  - hang_up
expect: {outcome: contained, ended_by: caller}
""",
        "x.yaml",
    )
    assert script.steps == (
        Listen(),
        Listen(silence_ms=500, deadline_s=9),
        Say(text="dzień dobry"),
        Say(text="1 2", said="jeden dwa", to="agent"),
        Interrupt(text="nie", after_ms=300),
        Keys(keys="0#"),
        Wait(seconds=1.5),
        Silence(seconds=8),
        Noise(sound="hum", seconds=2, level_dbfs=-30),
        HangUp(),
    )
    assert (script.number, script.dial, script.expect.outcome) == ("+48601234567", "100", "contained")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: [listen]\nvoise: x\n", "x.yaml:5: voise: unknown key. Known here: script, language, voice, number,"),
        ("steps:\n  - sya: a\n", "x.yaml:5: steps.1: there is no step `sya`. There are: say, interrupt,"),
        ("steps:\n  - say: {text: a, sed: b}\n", "x.yaml:5: steps.1.say.sed: unknown key. Known here: text, said, to."),
        ("steps:\n  - listen\n  - keys: 12\n", 'x.yaml:6: steps.2.keys.keys: write it in quotes, as "12", or YAML'),
        ('steps:\n  - keys: "12x"\n', "x.yaml:5: steps.1.keys.keys: '12x' will not do. Keys are 0-9, *, #, A-D."),
        ("steps:\n  - wait: -1\n", "x.yaml:5: steps.1.wait.seconds: must be greater than or equal to 0."),
        ("steps:\n  - say\n", "x.yaml:5: steps.1: `say` needs a value, like `say: ...`."),
        ('steps:\n  - say: ""\n', "x.yaml:5: steps.1.say.text: must not be empty."),
        ("steps:\n  - hang_up: 3\n", "x.yaml:5: steps.1: `hang_up` takes no value."),
        ("steps:\n  - {say: a, wait: 1}\n", "x.yaml:5: steps.1: a step is one word and its value, like `say: dzień"),
        ("steps:\n  - hang_up\n  - say: a\n", "x.yaml:6: steps.2: nothing can follow `hang_up`. Remove it."),
        ("steps:\n  - noise: rain\n", "x.yaml:5: steps.1.noise.sound: must be one of 'hiss', 'hum', 'cough'."),
        ("steps: [listen]\nnumber: 48601\n", 'x.yaml:5: number: write it in quotes, as "48601", or YAML'),
        ("steps: [listen]\ntarget: 100@x\n", "x.yaml:5: target: '100@x' will not do. A target is written sip:100@"),
        ("steps: [listen]\nexpect: {outcome: good}\n", "x.yaml:5: expect.outcome: must be one of 'contained',"),
        ("", "x.yaml:1: steps: this key is missing. Add it."),
        ("steps: []\n", "x.yaml:4: steps: must not be empty."),
        ("steps: [\n", "x.yaml:5: this is not YAML: "),
    ],
)
def test_each_mistake_has_its_line_and_its_sentence(text: str, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script(HEAD + text, "x.yaml")
    assert str(caught.value).startswith(message)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script("script: A B\nlanguage: de\nvoice: x\nsteps:\n  - sya: a\n  - wait: x\n", "x.yaml")
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [f"x.yaml:{n}" for n in (1, 2, 5, 6)]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"cannot be read: No such file"):
        load_script(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"script: \xb3\n")
    with pytest.raises(ScriptError, match="not UTF-8"):
        load_script(tmp_path / "latin.yaml")
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(ScriptError, match="this is no script"):
        load_script(tmp_path / "list.yaml")


def test_every_key_is_in_the_reference() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "caller-scripts.md").read_text(encoding="utf-8")
    steps = (Say, Interrupt, Keys, Wait, Listen, Silence, Noise, HangUp)
    rows = {row.split("|")[1].strip(" `"): row for row in text.splitlines() if row.startswith("| `")}
    for step in steps:
        kind = step.model_fields["kind"].default
        assert all(f"`{key}`" in rows[kind] for key in step.model_fields if key != "kind"), kind
    for model in (Script, Expectations):
        assert set(model.model_fields) <= set(rows)
    for field in fields(CallerResult):
        assert f"`{field.name}`" in text, field.name
