#!/usr/bin/env python3
"""Bars in groups, as SVG: https://www.w3.org/TR/SVG11/

    chart.py README.md >side-by-side.svg        draws the table of the README that compares servers
"""

import re
import sys
from xml.sax.saxutils import escape

WIDTH, LABELS, VALUES, BAR, GAP = 860, 200, 60, 13, 12
COLOURS = ["#9aa0a6", "#0b57d0", "#e8710a", "#188038", "#a142f4", "#d01884", "#12858d"]
TITLE = "CPU time of the server for a query, in microseconds; each group has its own scale"


def bars(title, groups, series, values):
    """A group of bars for each kind, a bar for each server that has a value; the longest of a group is as wide as the chart.

    values: by (group, series).
    """
    room = WIDTH - LABELS - VALUES
    lines, y = [], 56
    for group in groups:
        top = y
        most = max((values[group, name] for name in series if (group, name) in values), default=0)
        for number, name in enumerate(series):
            value = values.get((group, name))
            if value is None:
                continue
            length = value / most * room
            lines.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (LABELS, y, length, BAR - 2, COLOURS[number % 7]))
            lines.append('<text x="%.1f" y="%d">%.1f</text>' % (LABELS + length + 4, y + BAR - 3, value))
            y += BAR
        if y > top:
            lines.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (LABELS - 8, (top + y) // 2 + 4, escape(group)))
            y += GAP
    legend, x = [], 8
    for number, name in enumerate(series):
        legend.append('<rect x="%d" y="32" width="10" height="10" fill="%s"/>' % (x, COLOURS[number % 7]))
        legend.append('<text x="%d" y="41">%s</text>' % (x + 14, escape(name)))
        x += 30 + 6 * len(name)
    head = ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">'
            '<rect width="100%%" height="100%%" fill="white"/><text x="8" y="20" font-size="14">%s</text>' % (WIDTH, y, escape(title)))
    return "\n".join([head, *legend, *lines, "</svg>"]) + "\n"


def table(text):
    """The groups, the series and the values of the README's table; cells without a number are left out."""
    rows = re.search(r"^\| question \| bare loop \|.*?\n\n", text, re.M | re.S).group().splitlines()
    cells = [[cell.strip(" *") for cell in row.strip("|").split("|")] for row in rows]
    series = cells[0][1:]
    numbers = {(row[0], name): float(value) for row in cells[2:] for name, value in zip(series, row[1:])
               if re.fullmatch(r"[0-9.]+", value)}
    return [row[0] for row in cells[2:]], series, numbers


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        sys.stdout.write(bars(TITLE, *table(file.read())))
