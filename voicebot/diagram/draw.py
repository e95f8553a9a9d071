"""A laid out drawing as SVG or PNG. Letters come from a font that is shipped, so that they are right on any machine."""

from __future__ import annotations

import io
from functools import cache
from html import escape
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from voicebot.diagram.layout import Box, Drawing, Line, Style, Text

FONT = Path(__file__).with_name("DejaVuSans.ttf")
_FAMILY = "DejaVu Sans, Verdana, Geneva, sans-serif"
_SCALE = 2  # of a PNG: sharp on today's screens and on paper
_LARGEST_PX = 60_000_000
_INK, _LINE_INK, _PAPER = "#1a1a1a", "#5a6472", "#ffffff"
_COLOURS: dict[Style, tuple[str, str]] = {  # fill, edge
    "start": ("#2f3e52", "#2f3e52"),
    "say": ("#e3f0fb", "#3b7ab5"),
    "ask": ("#e2f4e5", "#3a8a4d"),
    "system": ("#fff3cd", "#b8860b"),
    "choice": ("#ececf4", "#6b6b99"),
    "people": ("#fde2e1", "#c0392b"),
    "end": ("#e8e8e8", "#555555"),
    "jump": ("#f0e6fa", "#7d4ba6"),
    "keep": ("#f6f6f2", "#9a9a8a"),
}
_LIGHT_INK = frozenset({"start"})
_ARROW = 5.0


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT), size, layout_engine=ImageFont.Layout.BASIC)


def text_width(words: str, size: int) -> float:
    """Width of a text in letters of `size` pixels."""
    return float(_font(size * 4).getlength(words)) / 4


def svg(drawing: Drawing) -> str:
    """As an SVG document."""
    width, height = round(drawing.width), round(drawing.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{_FAMILY}">',
        f'<rect width="{width}" height="{height}" fill="{_PAPER}"/>',
    ]
    ink = _INK
    for shape in drawing.shapes:
        match shape:
            case Box():
                fill, edge = _COLOURS[shape.style]
                ink = _PAPER if shape.style in _LIGHT_INK else _INK
                corner = min(shape.height / 2, 18) if shape.round else 4
                parts.append(
                    f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
                    f'rx="{corner:.1f}" fill="{fill}" stroke="{edge}" stroke-width="1.2"/>'
                )
            case Line():
                parts += _svg_line(shape)
            case Text():
                parts += _svg_text(shape, ink if not shape.backed and shape.anchor == "middle" else _INK)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _svg_line(line: Line) -> list[str]:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line.points)
    drawn = [f'<polyline points="{points}" fill="none" stroke="{_LINE_INK}" stroke-width="1.3"/>']
    if line.arrow:
        head = " ".join(f"{x:.1f},{y:.1f}" for x, y in _head(line))
        drawn.append(f'<polygon points="{head}" fill="{_LINE_INK}"/>')
    return drawn


def _svg_text(text: Text, ink: str) -> list[str]:
    weight = ' font-weight="bold"' if text.bold else ""
    patch = []
    if text.backed:
        x, y, width, height = _patch(text)
        patch = [f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{_PAPER}"/>']
    return [
        *patch,
        f'<text x="{text.x:.1f}" y="{text.y:.1f}" font-size="{text.size}" text-anchor="{text.anchor}" '
        f'dominant-baseline="central" fill="{ink}"{weight}>{escape(text.words)}</text>',
    ]


def png(drawing: Drawing) -> bytes:
    """As a PNG file, twice the size of the SVG where that is not too large."""
    scale = _SCALE if drawing.width * drawing.height * _SCALE**2 <= _LARGEST_PX else 1
    image = Image.new("RGB", (round(drawing.width * scale), round(drawing.height * scale)), _PAPER)
    brush = ImageDraw.Draw(image)
    ink = _INK
    for shape in drawing.shapes:
        match shape:
            case Box():
                ink = _PAPER if shape.style in _LIGHT_INK else _INK
                _png_box(brush, shape, scale)
            case Line():
                points = [(x * scale, y * scale) for x, y in shape.points]
                brush.line(points, fill=_LINE_INK, width=round(1.3 * scale), joint="curve")
                if shape.arrow:
                    brush.polygon([(x * scale, y * scale) for x, y in _head(shape)], fill=_LINE_INK)
            case Text():
                _png_text(brush, shape, scale, ink if not shape.backed and shape.anchor == "middle" else _INK)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _png_box(brush: ImageDraw.ImageDraw, box: Box, scale: int) -> None:
    fill, edge = _COLOURS[box.style]
    corner = min(box.height / 2, 18) if box.round else 4
    frame = (box.x * scale, box.y * scale, (box.x + box.width) * scale, (box.y + box.height) * scale)
    brush.rounded_rectangle(frame, corner * scale, fill=fill, outline=edge, width=round(1.2 * scale))


def _png_text(brush: ImageDraw.ImageDraw, text: Text, scale: int, ink: str) -> None:
    if text.backed:
        x, y, width, height = _patch(text)
        brush.rectangle((x * scale, y * scale, (x + width) * scale, (y + height) * scale), fill=_PAPER)
    brush.text(
        (text.x * scale, text.y * scale),
        text.words,
        fill=ink,
        font=_font(text.size * scale),
        anchor="mm" if text.anchor == "middle" else "lm",
        stroke_width=0.35 * scale if text.bold else 0,
        stroke_fill=ink,
    )


def _patch(text: Text) -> tuple[float, float, float, float]:
    width, height = text_width(text.words, text.size) + 6, text.size + 3
    return text.x - width / 2, text.y - height / 2, width, height


def _head(line: Line) -> list[tuple[float, float]]:
    """The head of an arrow; all arrows point down."""
    x, y = line.points[-1]
    return [(x, y), (x - _ARROW * 0.8, y - _ARROW * 1.5), (x + _ARROW * 0.8, y - _ARROW * 1.5)]
