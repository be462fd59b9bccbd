"""Bars in groups, as SVG: https://www.w3.org/TR/SVG11/"""

from xml.sax.saxutils import escape

WIDTH, LABELS, BAR, GAP = 860, 130, 13, 12
COLOURS = ["#9aa0a6", "#0b57d0", "#e8710a", "#188038", "#a142f4", "#d01884", "#12858d"]


def bars(title, groups, series, values):
    """A group of bars for each kind, one for each server that has a value. The longest bars are cut, and say so.

    values: by (group, series).
    """
    ordered = sorted(values.values())
    # The few that are far dearer than the rest would leave nothing to see of it.
    most = 1.15 * ordered[len(ordered) * 4 // 5] if ordered else 1
    scale = (WIDTH - LABELS - 70) / most
    lines, y = [], 56
    for group in groups:
        top = y
        for number, name in enumerate(series):
            value = values.get((group, name))
            if value is None:
                continue
            length = min(value, most) * scale
            lines.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (LABELS, y, length, BAR - 2, COLOURS[number % 7]))
            lines.append('<text x="%.1f" y="%d">%.1f%s</text>' % (LABELS + length + 4, y + BAR - 3, value, " \u2026" if value > most else ""))
            y += BAR
        if y > top:
            lines.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (LABELS - 8, (top + y) // 2 + 4, escape(group)))
            y += GAP
    legend, x = [], LABELS
    for number, name in enumerate(series):
        legend.append('<rect x="%d" y="32" width="10" height="10" fill="%s"/>' % (x, COLOURS[number % 7]))
        legend.append('<text x="%d" y="41">%s</text>' % (x + 14, escape(name)))
        x += 30 + 7 * len(name)
    head = ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">'
            '<rect width="100%%" height="100%%" fill="white"/><text x="%d" y="20" font-size="14">%s</text>'
            % (WIDTH, y, LABELS, escape(title)))
    return "\n".join([head, *legend, *lines, "</svg>"]) + "\n"
