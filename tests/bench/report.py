"""What was measured, for people (a table, a plot) and for programs (JSON)."""

import json
import os
import platform
import statistics
import time
from pathlib import Path

COLOURS = {"pulseboard": "#0b7285", "bare": "#868e96", "libwebsockets": "#e8590c",
           "civetweb": "#9c36b5", "websockets": "#2b8a3e"}  # fmt: skip


class Results:
    def __init__(self):
        self.cells = {}  # (work, what) -> peer -> [values]
        self.how = {}  # (work, what) -> (unit, better)

    def add(self, cell):
        key = (cell.work, cell.what)
        self.cells.setdefault(key, {}).setdefault(cell.peer, []).append(cell.value)
        self.how[key] = (cell.unit, cell.better)

    def median(self, work, what, peer):
        return statistics.median(self.cells[(work, what)][peer])

    def rows(self):
        """(work, what, unit, better, {peer: (median, ours to theirs)})."""
        for (work, what), peers in self.cells.items():
            unit, better = self.how[(work, what)]
            ours = statistics.median(peers.get("pulseboard", [0]))
            values = {p: statistics.median(v) for p, v in peers.items()}
            ratio = {p: ours / v if v else None for p, v in values.items()}
            yield work, what, unit, better, {p: (values[p], ratio[p]) for p in peers}


def figure(v):
    if v == 0:
        return "0"
    return f"{v:,.0f}" if abs(v) >= 100 else f"{v:.3g}"


def machine():
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith(("model name", "Model"))), platform.machine())  # fmt: skip
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {cpu}, Linux "
            f"{platform.release().split('-')[0]}, load {os.getloadavg()[0]:.1f}")  # fmt: skip


def table(results, busiest):
    """Markdown. Behind each figure of a peer stands ours divided by it."""
    out, last = [f"{machine()}. In brackets: ours divided by theirs.", ""], None
    for work, what, unit, better, peers in results.rows():
        if work != last:
            names = list(peers)
            out += ["", f"**{work}**", "", "| | " + " | ".join(names) + " |",
                    "|---" * (len(names) + 1) + "|"]  # fmt: skip
            last = work
        cells = []
        for name in names:
            if name not in peers:
                cells.append("")
                continue
            value, ratio = peers[name]
            text = figure(value) + (f" {unit}" if unit else "")
            if name != "pulseboard" and ratio is not None and better:
                text += f" ({ratio:.2f})"
            cells.append(text)
        arrow = {"more": " ↑", "less": " ↓", "": ""}[better]
        out.append(f"| {what}{arrow} | " + " | ".join(cells) + " |")
    out += ["", f"The generator was at most {100 * busiest:.0f} % of a core busy"
            + (": where it was, the rates are its own limit." if busiest > 0.9 else ".")]  # fmt: skip
    return "\n".join(out)


def write_json(path, results, growth):
    rows = [{"work": w, "what": x, "unit": u, "better": b,
             "peers": {p: {"median": v, "ours_to_theirs": r, "all": results.cells[(w, x)][p]}
                       for p, (v, r) in peers.items()}}
            for w, x, u, b, peers in results.rows()]  # fmt: skip
    grown = {what: {p: {n: statistics.median(v) for n, v in at.items()} for p, at in peers.items()}
             for what, peers in growth.items()}  # fmt: skip
    doc = {"machine": machine(), "rows": rows, "growth": grown}
    Path(path).write_text(json.dumps(doc, indent=1) + "\n")


# --- the plot: sessions from 1 to 1,024 on both logarithmic axes ------------------------------

W, H, LEFT, BOTTOM, TOP_ = 460, 320, 58, 40, 34


def decades(low, high):
    v = 10.0 ** -3
    while v < high * 10:
        if low / 10 < v:
            yield v
        v *= 10


def scale(values, lo_px, hi_px):
    from math import log10

    low, high = log10(min(values)), log10(max(values))
    span = (high - low) or 1
    return lambda v: lo_px + (log10(v) - low) / span * (hi_px - lo_px)


def panel(what, peers, left):
    xs = sorted({n for at in peers.values() for n in at})
    points = {p: [(n, max(statistics.median(at[n]), 0.01)) for n in sorted(at)]
              for p, at in peers.items()}  # fmt: skip
    ys = [v for at in points.values() for _, v in at]
    ticks = [v for v in decades(min(ys), max(ys)) if min(ys) / 10 < v]
    low, high = max(v for v in ticks if v <= min(ys)), min(v for v in ticks if v >= max(ys))
    x, y = scale(xs, left + LEFT, left + W - 96), scale([low, high], H - BOTTOM, TOP_)
    out = [f'<text x="{left + LEFT}" y="18" class="t">{what}</text>']
    for v in (t for t in ticks if low <= t <= high):
        out.append(f'<path class="g" d="M{left + LEFT} {y(v):.1f}H{left + W - 96}"/>'
                   f'<text class="e" x="{left + LEFT - 6}" y="{y(v) + 4:.1f}">{v:g}</text>')  # fmt: skip
    for n in xs:
        out.append(f'<text class="m" x="{x(n):.1f}" y="{H - BOTTOM + 18}">{n}</text>')
    taken = []
    for name, at in points.items():
        colour = COLOURS.get(name, "#000")
        path = " ".join(f"{'L' if i else 'M'}{x(n):.1f} {y(v):.1f}" for i, (n, v) in enumerate(at))
        label = y(at[-1][1]) + 4
        while any(abs(label - other) < 13 for other in taken):
            label -= 13
        taken.append(label)
        out.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
                   f'<text x="{left + W - 90}" y="{label:.1f}" fill="{colour}">{name}</text>')  # fmt: skip
    return out


def write_svg(path, growth):
    body = []
    for i, (what, peers) in enumerate(growth.items()):
        body += panel(what, peers, i * W)
    width = W * len(growth)
    style = (".t{font-weight:600}.g{stroke:#8888;stroke-width:.5}.e{text-anchor:end}"
             ".m{text-anchor:middle}text{font:12px sans-serif;fill:#495057}")  # fmt: skip
    Path(path).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {H}" width="{width}">'
        f'<title>Growth from 1 to 1,024 sessions</title><style>{style}</style>'
        f'<rect width="{width}" height="{H}" fill="#fff"/>' + "\n".join(body) + "</svg>\n")
