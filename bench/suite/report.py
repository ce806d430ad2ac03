"""The table of a run, its JSON, and its place in bench/README.md."""

import dataclasses
import json

from suite.figures import Figure

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


@dataclasses.dataclass
class Report:
    """One run of the suite. `form` is "full" or "quick": only runs of a form compare."""
    title: str
    command: str
    form: str
    figures: list
    faults: list = dataclasses.field(default_factory=list)  # benchmarks that failed, as text

    def source(self):
        """With which command, when and where."""
        return f"`{self.command}`, {self.title}"


def table(figures):
    """A Markdown table, columns aligned. What another run took has that run's number."""
    verdicts = {True: "met", False: "**not met**", None: ""}
    other = _other_runs(figures)
    rows = [("target", "what", "measured", "asked for", "")]
    rows += [(f.target, f.what, f.text() + (f" [{other.index(f.taken) + 1}]" if f.taken else ""),
              f.limit_text(), verdicts[f.met]) for f in figures]
    widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
             for row in rows]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def _other_runs(figures):
    return sorted({figure.taken for figure in figures if figure.taken})


def text(report):
    """Everything that is said of a run."""
    notes = [f"[{i}] {run}." for i, run in enumerate(_other_runs(report.figures), 1)]
    notes += [f"Not measured: {fault}" for fault in report.faults]
    parts = [f"{report.source()}.", table(report.figures), "  \n".join(notes)]
    return "\n\n".join(part for part in parts if part)


def save(report, path):
    with open(path, "w") as out:
        json.dump(dataclasses.asdict(report), out, indent=1, ensure_ascii=False)
        out.write("\n")


def load(path):
    """The report in the file; None when there is no file."""
    try:
        with open(path) as file:
            given = json.load(file)
    except FileNotFoundError:
        return None
    given["figures"] = [Figure(**figure) for figure in given["figures"]]
    return Report(**given)


def merged(old, new):
    """`new`, and from `old` what `new` did not measure: some benchmarks can be recorded alone."""
    if old is None:
        return new
    fresh = {figure.key: figure for figure in new.figures}
    kept = [dataclasses.replace(f, taken=f.taken or old.source()) for f in old.figures]
    known = [fresh.pop(figure.key, figure) for figure in kept]
    return dataclasses.replace(new, figures=[*known, *fresh.values()])


def replace_table(page, content):
    """The page with what stands between the two marks replaced."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"the page must hold {BEGIN} and, after it, {END} once each")
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n{content}\n{END}{rest.split(END)[1]}"
