"""Every command of the documentation, run as it is written.

Each ```sh block of every page runs, in the order of its page and in one shell per page, at the top
of the tree and against a Tocsin of `./dev run --detach`. A block that cannot run here stands in
NOT_RUN with its reason, word for word: a new or a changed block runs or fails."""

import pathlib
import re
import subprocess
import unittest

from harness.dev import ROOT, Dev
from harness.processes import free_port
from harness.waiting import wait_until

# (page, block): why it does not run, and what runs instead.
NOT_RUN = {
    ("README.md", "./dev run"): ("test_dev_run.py runs it", None),
    ("README.md", "./dev test"): ("it would run this test", "./dev help"),
    ("docs/operations.md", """\
docker compose up --build --detach
docker compose exec core tocsin monitor list"""): ("it needs a container engine", None),
    ("bench/README.md", """\
./dev bench              # everything, about half an hour
./dev bench --quick      # a short run of most, under 2 minutes
./dev bench push detect  # some of it
./dev bench --help       # what there is"""):
        ("it takes minutes and the whole machine", "/usr/bin/python3 -B bench/run.py --help"),
    ("bench/README.md", """\
./dev bench --record          # the table below
./dev bench --quick --record  # what ./dev bench --quick compares with
./dev bench --quick"""): ("as above", None),
    ("bench/README.md", """\
./dev bench growth monitors     # 1k to 1M
./dev bench growth connections  # 1 to 10k
./dev bench growth history      # 0 to 50M rows, which take long to make
./dev bench growth history --at 0,1M --runs 1
./dev bench growth plot         # results/growth.json as docs/plots/*.svg"""):
        ("as above", "/usr/bin/python3 -B bench/run.py growth history --help"),
    ("bench/README.md", """\
./dev bench micro               # all of them
./dev bench micro 'BM_Steady.*'"""):
        ("as above", "/usr/bin/python3 -B bench/run.py micro 'BM_Steady.*' --seconds 0.01"),
}

GUIDE = "docs/guide.md"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?")

# What a fence may be called: commands are `sh` and run, so that none hides under another name.
LANGUAGES = {"sh", "text", "json", "yaml", "proto"}

PREPARATION = './dev run --detach\neval "$(./dev env)"'


def pages():
    """Every page of the tree that is ours."""
    done = subprocess.run(["find", ".", "-name", "*.md", "-not", "-path", "./build/*", "-not", "-path",
                           "*/node_modules/*", "-not", "-path", "./.*", "-not", "-path", "*/seed/*",
                           "-printf", "%P\n"], cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(done.stdout.split())


def fences(page):
    """(language, text) of each fenced block."""
    text = (ROOT / page).read_text()
    found = re.findall(r"^ *```([^\n]*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [(language, body.rstrip("\n")) for language, body in found]


def commands(page):
    """What runs of a page, block by block."""
    blocks = [body for language, body in fences(page) if language == "sh"]
    chosen = [NOT_RUN[page, body][1] if (page, body) in NOT_RUN else body for body in blocks]
    return [body for body in chosen if body]


class Shell:
    """A shell that blocks are pasted into. It ends at the first command that fails."""

    _count = 0

    def __init__(self, dev):
        self._dev = dev
        # Files of its own: what an earlier shell left would pass for this one's.
        Shell._count += 1
        self._name = f"shell-{Shell._count}"
        self._blocks = 0
        self._listeners = 0
        self._out = dev.path(f"{self._name}-out")
        # The port that the pages use for a receiver may be somebody else's here.
        self._ports = {"9099": str(free_port())}
        with open(self._out, "wb") as out:
            self._bash = subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail"], stdin=subprocess.PIPE,
                stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, env=dev.environment, text=True)

    def paste(self, block):
        """Runs a block; fails when a command of it does."""
        self._blocks += 1
        script = self._dev.path(f"{self._name}-block-{self._blocks}")
        done = self._dev.path(f"{self._name}-done-{self._blocks}")
        for documented, ours in self._ports.items():
            block = re.sub(rf"\b{documented}\b", ours, block)
        script.write_text(block + "\n")
        try:
            self._bash.stdin.write(f"source '{script}' </dev/null; : >'{done}'\n")
            self._bash.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, and the next lines say with what
        wait_until(lambda: done.exists() or self._bash.poll() is not None, 120,
                   lambda: f"this ends:\n{block}\n\nIt printed:\n{self.printed()}")
        if not done.exists():
            raise AssertionError(f"exit status {self._bash.returncode} in this block:\n{block}\n\n"
                                 f"The page printed:\n{self.printed()}")
        # As a reader does: the next block may send what this command in the background receives.
        self._listeners += block.count("tocsin listen ")
        wait_until(lambda: self.printed().count("Listening on ") >= self._listeners, 60,
                   lambda: f"a line that it listens; the page printed:\n{self.printed()}")

    def printed(self):
        return pathlib.Path(self._out).read_text(errors="replace")

    def wait_for(self, pattern):
        """Waits for a line that a command in the background prints."""
        wait_until(lambda: re.search(pattern, self.printed()), 60,
                   lambda: f"a line like {pattern!r}; the page printed:\n{self.printed()}")

    def close(self):
        self._bash.stdin.close()
        self._bash.wait(60)


# Of the services, by the table of docs/operations.md.
PORTS = re.compile(r"^\| `(tocsin-\w+)` \| [^|]+ \| (\d*) ?\| (\d+) \|$", re.MULTILINE)


class Docs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dev = Dev()
        cls.addClassCleanup(cls.dev.close)

    def shell(self):
        shell = Shell(self.dev)
        self.addCleanup(shell.close)
        return shell

    def ask(self, command):
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", f'eval "$(./dev env)"; {command}'],
                              capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
                              env=self.dev.environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def assert_nothing_is_left(self, page):
        """Of what the page has made; `hello` and its channel are those of ./dev run."""
        self.assertEqual(self.dev.run("run", "--detach").returncode, 0)
        names = self.ask("tocsin -o json monitor list; tocsin -o json channel list")
        left = set(re.findall(r'"name": *"projects/default/((?:monitors|channels)/[^"]+)"', names))
        self.assertIn("monitors/hello", left)
        left = {name for name in left if not re.fullmatch(r"monitors/hello|channels/terminal-\d+", name)}
        self.assertEqual(left, set(), f"{page} leaves it behind")

    def test_every_fence_says_what_it_is(self):
        for page in pages():
            for language, body in fences(page):
                self.assertIn(language, LANGUAGES, f"a block of {page}:\n{body}")

    def test_what_does_not_run_is_still_on_its_page(self):
        for page, body in NOT_RUN:
            self.assertIn(("sh", body), fences(page), page)

    def test_the_readme_shows_what_happens(self):
        shell = self.shell()
        blocks = commands("README.md")
        shown = [body for language, body in fences("README.md") if language == "text"][-1]
        clock = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
        self.assertRegex(shown, clock)
        pattern = clock.pattern.join(re.escape(part) for part in clock.split(shown))
        for block in blocks:
            shell.paste(block)
            if "disk-full" in block and "listener" in "".join(blocks[:blocks.index(block)]):
                shell.wait_for(pattern)
        pushes = sum(block.count("curl ") for block in blocks)
        self.assertEqual(shell.printed().count('{"ok":true'), pushes, shell.printed())
        self.assert_nothing_is_left("README.md")

    def test_the_guide_shows_what_happens(self):
        shell = self.shell()
        shell.paste(PREPARATION)
        alerts = {"first-job": None, "job-7": None}
        for _, body in fences(GUIDE):
            for monitor in alerts:
                if body.startswith(f"DOWN {monitor} "):
                    alerts[monitor] = MOMENT.pattern.join(
                        re.escape(part) for part in MOMENT.split(body))
        for block in commands(GUIDE):
            shell.paste(block)
            if "monitor create first-job" in block:
                shell.wait_for(alerts["first-job"])
            if "no space left" in block:
                shell.wait_for(alerts["job-7"])
        printed = shell.printed()
        for words in ("300 kept", "300 created", "It rang. DOWN since", "It rang. DOWN from",
                      "300 deleted"):
            self.assertIn(words, printed)
        self.assert_nothing_is_left(GUIDE)

    def test_the_commands_of_every_other_page_work(self):
        for page in pages():
            if page in ("README.md", GUIDE) or not commands(page):
                continue
            with self.subTest(page):
                shell = self.shell()
                shell.paste(PREPARATION)
                for block in commands(page):
                    shell.paste(block)
                self.assertNotIn('{"ok":false', shell.printed())
                self.assert_nothing_is_left(page)

    def test_the_ports_are_the_defaults_of_the_services(self):
        found = PORTS.findall((ROOT / "docs/operations.md").read_text())
        self.assertEqual({name for name, _, _ in found},
                         {"tocsin-core", "tocsin-gateway", "tocsin-notifier"})
        compose = (ROOT / "docker-compose.yml").read_text()
        for name, listen, admin in found:
            with self.subTest(name):
                out = subprocess.run([ROOT / f"build/release/bin/{name}", "--help"], text=True,
                                     capture_output=True, check=True).stdout
                self.assertRegex(out, rf"(?m)^  --admin_listen \(127\.0\.0\.1:{admin}\)$")
                self.assertIn(f"--admin_listen=0.0.0.0:{admin}\n", compose)
                if listen:
                    self.assertRegex(out, rf"(?m)^  --listen \([^)]*:{listen}\)$")

    def test_the_limits_are_the_defaults_of_their_flags(self):
        rows = re.findall(r"(?m)^\| [^|]+ \| ([^|]+) \| (`--[^|]+) \| `\d+` \|$",
                          (ROOT / "docs/api.md").read_text())
        rows += re.findall(r"(?m)^\| [^|]+ \| ([^|]+) \| (`--[^|]+_retention`) \|$",
                           (ROOT / "docs/operations.md").read_text())
        self.assertGreaterEqual(len(rows), 11)
        out = "".join(subprocess.run([ROOT / f"build/release/bin/{name}", "--help"], text=True,
                                     capture_output=True, check=True).stdout
                      for name in ("tocsin-gateway", "tocsin-core"))
        for values, flags in rows:
            numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", values)]
            names = re.findall(r"--(\w+)", flags)
            self.assertEqual(len(numbers), len(names), values)
            for number, name in zip(numbers, names):
                if "days" in values:
                    number *= 24
                self.assertRegex(out, rf"(?m)^  --{name} \({number}(s|h|\.0*)?\)$")

    def test_the_metrics_that_are_named_exist(self):
        self.assertEqual(self.dev.run("run", "--detach").returncode, 0)
        shown = self.ask(". $TOCSIN_HOME/ports; for port in $core_admin_port $gateway_admin_port"
                         " $notifier_admin_port; do curl -fsS 127.0.0.1:$port/metrics; done")
        for page in pages():
            for name in set(re.findall(r"`[^`\n]*?(tocsin_(?:core|gateway|notifier)_\w+)[^`\n]*`",
                                       (ROOT / page).read_text())):
                self.assertIn(f"# TYPE {name.removesuffix('_bucket')} ", shown, page)


if __name__ == "__main__":
    unittest.main()
