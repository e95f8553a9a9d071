"""Charts as SVG, without a library: lines, and a heat map of what was taken for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 420, 60, 170, 40, 50
_COLOURS = ("#1864ab", "#c92a2a", "#2b8a3e", "#e67700", "#5f3dc4", "#495057")
_TICKS = 5


def lines(
    path: Path, title: str, across: str, up: str, series: Mapping[str, Points], *, diagonal: bool = False
) -> None:
    """One line with marks for each series; axes from zero to the greatest value. diagonal: the line y = x beside."""
    right = max((x for points in series.values() for x, _ in points), default=1.0) or 1.0
    top = max((y for points in series.values() for _, y in points), default=1.0) or 1.0
    if diagonal:
        right = top = 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return round(_LEFT + x / right * width, 1), round(_HEIGHT - _BOTTOM - y / top * height, 1)

    def line(points: Points, style: str) -> str:
        corners = " ".join(f"{x},{y}" for x, y in (place(*point) for point in points))
        return f'<polyline points="{corners}" fill="none" {style}/>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">{escape(title)}</text>',
        line([(0, top), (0, 0), (right, 0)], 'stroke="#333"'),
    ]
    for tick in range(_TICKS + 1):
        x, y = right * tick / _TICKS, top * tick / _TICKS
        parts.append(f'<text x="{place(x, 0)[0] - 8}" y="{place(x, 0)[1] + 18}" font-size="11">{x:.3g}</text>')
        parts.append(f'<text x="{_LEFT - 38}" y="{place(0, y)[1] + 4}" font-size="11">{y:.3g}</text>')
        parts.append(line([(0, y), (right, y)], 'stroke="#ddd"'))
    if diagonal:
        parts.append(line([(0, 0), (1, 1)], 'stroke="#888" stroke-dasharray="4"'))
    for index, (name, points) in enumerate(series.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        parts.append(line(points, f'stroke="{colour}" stroke-width="2"'))
        parts += [
            f'<circle cx="{place(*point)[0]}" cy="{place(*point)[1]}" r="3" fill="{colour}"/>' for point in points
        ]
        parts.append(
            f'<text x="{_WIDTH - _RIGHT + 12}" y="{_TOP + 20 * index + 10}" font-size="12" fill="{colour}">'
            f"{escape(name)}</text>"
        )
    parts.append(f'<text x="{_LEFT + 120}" y="{_HEIGHT - 12}" font-size="12">{escape(across)}</text>')
    parts.append(f'<text x="16" y="{_HEIGHT / 2 + 60}" font-size="12" transform="rotate(-90 16 {_HEIGHT / 2 + 60})">')
    parts.append(f"{escape(up)}</text></svg>")
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


_CELL, _NAMES_LEFT, _NAMES_TOP = 34, 150, 130


def heat_map(path: Path, title: str, counts: Mapping[tuple[str, str], int]) -> None:
    """How often each name of a row (what was meant) was taken for each of a column; rows are shaded by their shares."""
    names = sorted({name for pair in counts for name in pair})
    size = _CELL * len(names)
    width, height = _NAMES_LEFT + size + 20, _NAMES_TOP + size + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="12" y="20" font-size="14">{escape(title)}</text>',
    ]
    for row, meant in enumerate(names):
        middle = _NAMES_TOP + _CELL * row + _CELL / 2
        whole = sum(counts.get((meant, understood), 0) for understood in names)
        parts.append(
            f'<text x="{_NAMES_LEFT - 6}" y="{middle + 4}" font-size="11" text-anchor="end">{escape(meant)}</text>'
        )
        left = _NAMES_LEFT + _CELL * row + _CELL / 2 + 4
        parts.append(
            f'<text x="{left}" y="{_NAMES_TOP - 6}" font-size="11" transform="rotate(-60 {left} {_NAMES_TOP - 6})">'
            f"{escape(meant)}</text>"
        )
        for column, understood in enumerate(names):
            count = counts.get((meant, understood), 0)
            colour = "#2b8a3e" if meant == understood else "#c92a2a"
            x, y = _NAMES_LEFT + _CELL * column, _NAMES_TOP + _CELL * row
            parts.append(
                f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill="{colour}" stroke="#ddd" '
                f'fill-opacity="{count / whole if whole else 0:.2f}"/>'
            )
            if count:
                parts.append(
                    f'<text x="{x + _CELL / 2}" y="{middle + 4}" font-size="11" text-anchor="middle">{count}</text>'
                )
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")
