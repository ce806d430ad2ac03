"""Draws the curves that curves.py measured, one SVG each."""

import os

# Curve → (what x is, panels: (title, unit, label → key, line that the target draws)).
_PANELS = {
    "monitors": ("monitors", [
        ("Durable pushes, of nginx's rate", "", {"ratio": "ratio"}, 0.5),
        ("Processor per push", "µs", {"gateway": "us_gateway", "core": "us_core",
                                      "PostgreSQL": "us_postgres"}, None),
        ("Core's memory, every token known", "MB", {"core": "core_mb"}, 300),
        ("Ready after a restart", "s", {"core": "ready_s"}, 3),
        ("List 50 monitors from the middle, p99", "ms", {"list": "list_p99_ms"}, 20),
    ]),
    "connections": ("connections", [
        ("Durable pushes, of nginx's rate", "", {"ratio": "ratio"}, 0.5),
        ("Durable pushes", "1/s", {"gateway": "rate", "nginx `return 200`": "nginx"}, None),
        ("Latency, closed loop", "ms", {"p50": "p50_ms", "p99": "p99_ms"}, None),
        ("Processor per push", "µs", {"gateway": "us_gateway", "core": "us_core",
                                      "PostgreSQL": "us_postgres"}, None),
        ("The gateway's memory", "MB", {"gateway": "gateway_mb"}, None),
    ]),
    "history": ("heartbeats stored", [
        ("Durable pushes, of nginx's rate", "", {"ratio": "ratio"}, 0.5),
        ("Processor per push", "µs", {"gateway": "us_gateway", "core": "us_core",
                                      "PostgreSQL": "us_postgres"}, None),
        ("Reads of 50, p99", "ms", {"heartbeats of a monitor": "heartbeats_p99_ms",
                                    "monitors": "monitors_p99_ms"}, 20),
        ("Size of the history", "MB", {"table and index": "history_mb"}, None),
    ]),
}


def series(points, key):
    """The xs at which the value was measured, and the values, in order of x."""
    measured = sorted((x, point[key]) for x, point in points.items() if key in point)
    return [x for x, _ in measured], [value for _, value in measured]


def draw(curves, folder):
    """Writes the files; returns their paths."""
    import matplotlib
    matplotlib.use("svg")
    # The same figures give the same file, byte for byte.
    matplotlib.rcParams.update({"svg.hashsalt": "tocsin", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    os.makedirs(folder, exist_ok=True)
    paths = []
    for name, (what, panels) in _PANELS.items():
        points = curves.get(name)
        if not points:
            continue
        figure, axes = pyplot.subplots(1, len(panels), figsize=(3.4 * len(panels), 3))
        for axis, (title, unit, lines, limit) in zip(axes, panels):
            for label, key in lines.items():
                xs, values = series(points, key)
                axis.plot(xs, values, marker="o", markersize=3, label=label)
            if limit is not None:
                axis.axhline(limit, color="grey", linestyle="--", linewidth=1, label="target")
            smallest = min((x for x in points if x > 0), default=1)
            axis.set_xscale("symlog" if 0 in points else "log",
                            **({"linthresh": smallest} if 0 in points else {}))
            axis.set(title=title, xlabel=what, ylabel=unit)
            axis.set_ylim(bottom=0)
            axis.grid(True, linewidth=0.3)
            axis.legend(fontsize=7)
        figure.tight_layout()
        path = os.path.join(folder, f"growth-{name}.svg")
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
        paths.append(path)
    return paths
