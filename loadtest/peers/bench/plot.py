"""Bar charts with error bars as SVG, readable on light and dark pages."""

from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, STEP, BAR = 720, 130, 190, 44, 30, 18
STYLE = """text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600 }
.bar { fill: #8c96a3 } .own { fill: #1f7a8c } .error { stroke: #24292f; stroke-width: 1.5 } .axis { stroke: #8c96a3 }
@media (prefers-color-scheme: dark) { text { fill: #d8dee6 } .bar { fill: #6b7683 } .own { fill: #4fb3c7 }
.error { stroke: #f0f3f6 } }"""


def bars(title, unit, figures, own="weir"):
    """A chart of (label, Spread): a bar to the median, a line from the least to the most."""
    most = max((spread.most for _, spread in figures), default=0) or 1
    scale = (WIDTH - LEFT - RIGHT) / most
    height = TOP + STEP * len(figures) + 10
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}, {escape(unit)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="8" y="22">{escape(title)}: {escape(unit)}</text>',
    ]
    for place, (label, spread) in enumerate(figures):
        top, middle = TOP + STEP * place, TOP + STEP * place + BAR / 2
        width, least, end = (max(0, value) * scale for value in (spread.median, spread.least, spread.most))
        kind = "bar own" if label == own else "bar"
        out.append(f'<text x="{LEFT - 8}" y="{middle + 4:g}" text-anchor="end">{escape(label)}</text>')
        out.append(f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{width:.1f}" height="{BAR}"/>')
        if spread.runs > 1:
            x1, x2 = LEFT + least, LEFT + end
            out.append(
                f'<path class="error" fill="none" d="M{x1:.1f} {middle:g}H{x2:.1f}M{x1:.1f} {top + 4}v{BAR - 8}M{x2:.1f} {top + 4}v{BAR - 8}"/>'
            )
        out.append(f'<text x="{LEFT + max(width, end) + 8:.1f}" y="{middle + 4:g}">{escape(str(spread))}</text>')
    out.append(f'<line class="axis" x1="{LEFT}" y1="{TOP - 6}" x2="{LEFT}" y2="{height - 6}"/>')
    return "\n".join([*out, "</svg>"]) + "\n"
