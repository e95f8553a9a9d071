"""Diagrams of flows: what they show, and that nothing lies on top of anything else."""

from __future__ import annotations

import io
import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image, ImageChops
from typer.testing import CliRunner

from flows.outline import Outline, outlines
from voicebot.cli import app
from voicebot.diagram.draw import png, svg, text_width
from voicebot.diagram.layout import Box, Drawing, Text, lay_out
from voicebot.diagram.mermaid import mermaid

SHOP = Path(__file__).parents[3] / "flows" / "examples" / "shop"
NESTED = """\
flow: complaint
description: Źdźbło and "quotes" <here>.
slots: {number: {type: digits, length: 6, ask: {pl: Jaki numer?, en: Which number?}}}
steps:
  - {say: [{pl: Przykro mi. Pomogę., en: I am sorry.}, {pl: Ojej., en: Oh.}], label: begin}
  - when: open and customer.vip
    then:
      - say: {pl: "Witam {{ customer.name }}, konto {{ account | iban }}.", en: Welcome.}
      - {when: customer.debt, then: [{handoff: debt, queue: money}], else: [{set: {fast: true}}]}
    else: [{collect: number}]
  - choose:
      ask: {pl: Wymiana czy zwrot?, en: Replacement or money?}
      options:
        replacement: {words: {pl: [wymiana]}, then: [{sub_flow: address}]}
        money: {words: {pl: [zwrot]}, then: [{go_to: begin}]}
        other: {words: {pl: [inne]}}
  - call: shop.complain
    with: {number: "{{ number }}"}
    not_found: {say: {pl: Nie ma., en: None.}, retry: number, times: 2}
    failed: {handoff: system_down}
    unknown_outcome: {say: {pl: Nie wiem., en: Unknown.}}
  - {survey: nps, when: verified}
  - hang_up
"""


@pytest.fixture
def nested(tmp_path: Path) -> Outline:
    (tmp_path / "complaint.yaml").write_text(NESTED, encoding="utf-8")
    (outline,) = outlines(tmp_path, "pl")
    return outline


def words(drawing: Drawing) -> list[str]:
    return [shape.words for shape in drawing.shapes if isinstance(shape, Text)]


def test_every_step_and_way_is_drawn_once(nested: Outline) -> None:
    shown = " ".join(words(lay_out([nested], text_width)))
    for text in (
        "complaint", "▸ begin", "Przykro mi. Pomogę.", "open and customer.vip", "yes", "no", "customer.debt",
        "debt, queue money", "fast = true", "Jaki numer?", "Wymiana czy zwrot?", "replacement", "do address",
        "go to begin", "ask shop.complain", "not found", "Nie ma.", "ask again for number", "at most 2 times",
        "failed", "system_down", "outcome unknown", "Nie wiem.", "ask for a mark (nps)", "only if verified", "goodbye",
        "Witam ‹customer.name›, konto ‹account›.",
    ):  # fmt: skip
        assert text in shown, text
    assert shown.count("Wymiana czy zwrot?") == 1
    assert "anything else?" not in shown, "it ends with goodbye"


def test_a_flow_that_others_begin_leads_back(tmp_path: Path) -> None:
    (tmp_path / "sub.yaml").write_text('flow: sub\nentry: false\ndescription: Sub.\nsteps: [{set: {part: ""}}]\n')
    (outline,) = outlines(tmp_path, "pl")
    assert words(lay_out([outline], text_width))[-3:] == ["keep", 'part = ""', "back"]
    assert '(["back"])' in mermaid([outline])


def test_no_box_lies_on_another_one_and_all_is_within_the_picture(nested: Outline) -> None:
    drawing = lay_out([nested, *outlines(SHOP, "pl")], text_width)
    boxes = [shape for shape in drawing.shapes if isinstance(shape, Box)]
    assert len(boxes) > 20
    for one, other in itertools.combinations(boxes, 2):
        apart = (
            one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.y + one.height <= other.y
            or other.y + other.height <= one.y
        )
        assert apart, (one, other)
    for box in boxes:
        assert 0 < box.x < box.x + box.width < drawing.width
        assert 0 < box.y < box.y + box.height < drawing.height


def test_texts_fit_into_their_boxes(nested: Outline) -> None:
    drawing = lay_out([nested], text_width)
    boxes = [shape for shape in drawing.shapes if isinstance(shape, Box)]
    for text in drawing.shapes:
        if isinstance(text, Text) and text.anchor == "middle" and not text.backed:
            half = text_width(text.words, text.size) / 2
            assert any(
                box.x < text.x - half and text.x + half < box.x + box.width and box.y < text.y < box.y + box.height
                for box in boxes
            ), text


def test_a_word_that_is_wider_than_a_box_is_cut() -> None:
    outline = Outline("long", "x" * 200)
    assert max(text_width(line, 13) for line in words(lay_out([outline], text_width))) <= 230


@pytest.mark.parametrize("letter", "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ„”–…‹›▸")
def test_the_font_has_the_letter(letter: str) -> None:
    pictures = []
    for text in (letter, "\uffff"):
        drawing = Drawing(40, 40, (Text(20, 20, text, 20),))
        pictures.append(Image.open(io.BytesIO(png(drawing))).convert("L"))
    assert ImageChops.difference(*pictures).getbbox() is not None


def test_svg_is_xml_and_png_has_its_size(nested: Outline) -> None:
    drawing = lay_out([nested], text_width)
    tree = ElementTree.fromstring(svg(drawing))
    texts = [element.text for element in tree.iter() if element.tag.endswith("text")]
    assert texts == words(drawing)
    image = Image.open(io.BytesIO(png(drawing)))
    assert image.size == (round(drawing.width * 2), round(drawing.height * 2))


def test_mermaid_leads_from_every_way_to_what_comes_then(nested: Outline) -> None:
    text = mermaid([nested])
    nodes = dict(re.findall(r"^    (f0\w+)[\[({]+\"(.*)\"[\])}]+", text, re.M))
    arrows = [
        (re.sub("<.*?>", "", nodes[start]), name, re.sub("<.*?>", "", nodes[end]))
        for start, name, end in re.findall(r"^    (\w+) -->(?:\|\"(.*)\"\|)? (\w+)$", text, re.M)
    ]
    assert ("ifcustomer.debt", "yes", "give to peopledebt, queue money") in arrows
    assert ("keepfast = true", "", "chooseWymiana czy zwrot?") in arrows
    assert ("chooseWymiana czy zwrot?", "other", "ask shop.complainnumber = number") in arrows
    assert ("ask shop.complainnumber = number", "ok", "ask for a mark (nps)if verified") in arrows
    assert not [start for start, _, _ in arrows if start.startswith(("give to people", "go to", "ask again"))]
    assert "#quot;" not in text, "descriptions are not in it"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["flows", "graph", *arguments])
    return result.exit_code, result.output + str(result.exception or "")


def test_the_command(tmp_path: Path) -> None:
    assert run(str(SHOP))[1].startswith("flowchart TD\n  subgraph")
    assert "was written" in run(str(SHOP), "--output", str(tmp_path / "shop.png"))[1]
    assert (tmp_path / "shop.png").read_bytes().startswith(b"\x89PNG")
    assert "Please tell me" in run(str(SHOP), "--format", "svg", "--language", "en")[1]
    assert "Did you mean `order_status`?" in run(str(SHOP), "--flow", "order_state")[1]
    assert "Did you mean `svg`?" in run(str(SHOP), "--format", "svgg")[1]
    assert "Name one with --output" in run(str(SHOP), "--format", "png")[1]
    assert "cannot be written" in run(str(SHOP), "--output", str(tmp_path / "no" / "shop.png"))[1]
