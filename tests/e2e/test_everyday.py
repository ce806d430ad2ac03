"""The command line as people use it every day: what is wrong, many at once, contexts, completion."""

import json
import os
import pty
import shutil
import subprocess
import tempfile
import unittest

import yaml

from harness.cluster import binary
from harness.pushing import push
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until


class Everyday(TocsinTestCase):
    def setUp(self):
        self.id = self.id_of_test()[:40].rstrip("-")

    def make(self, suffix, timeout, *flags):
        """The push token of a new monitor of this test."""
        return self.cli.make_monitor(f"{self.id}-{suffix}", timeout, "--label", f"test={self.id}", *flags)

    def fresh_folder(self):
        folder = tempfile.mkdtemp(prefix="tocsin-e2e-")
        self.addCleanup(shutil.rmtree, folder)
        return folder

    # --- status, describe ---

    def test_what_is_wrong_comes_first_with_why_and_whose_it_is(self):
        down = self.make("down", "1h", "--owner", "storage", "--severity", "critical",
                         "--runbook-url", "https://example.org/runbook")
        late = self.make("late", "1s", "--grace", "1h")
        self.make("never", "1s")
        muted = self.make("muted", "1h")
        well = self.make("well", "1h")
        for token in (late, muted, well):
            push(self.gateway, token)
        push(self.gateway, down, status="down", msg="disk full")
        self.cli.text("mute", f"{self.id}-muted", "--for", "1h", "--reason", "moving")

        def counts():
            done = self.cli.run("-o", "json", "status", "-l", f"test={self.id}")
            return json.loads(done.stdout)["counts"]

        expected = {"down": 1, "late": 1, "never_reported": 1, "flapping": 0, "unverified": 0,
                    "silenced": 1, "up": 1, "new": 0, "paused": 0}
        wait_until(lambda: counts() == expected, 10, lambda: f"it is {expected}, was {counts()}")
        done = self.cli.run("status", "-l", f"test={self.id}")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(lines[1], "1 down, 1 late, 1 never reported, 1 silenced; 1 up")
        titles = [line for line in lines if line.endswith("(1)")]
        self.assertEqual(titles, ["DOWN (1)", "LATE, not down yet (1)", "NEVER REPORTED (1)",
                                  "SILENCED, and up (1)"])
        self.assertRegex(done.stdout, rf"{self.id}-down +critical +for \d+s +storage\n"
                                      r" +the job said at [\d:]+Z that it failed: \"disk full\"\n"
                                      r" +runbook: https://example.org/runbook\n")
        self.assertRegex(done.stdout, r"expected at [\d:]+Z, down at [-\d:Z ]+; last up [\d:]+Z\n")
        self.assertRegex(done.stdout, rf"{self.id}-muted .* muted until")
        self.assertNotIn("\x1b", done.stdout)

    def test_when_all_is_well_status_says_so_and_ends_with_0(self):
        push(self.gateway, self.make("a", "1h"))
        done = self.cli.run("status", "-l", f"test={self.id}")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("All well: 1 up\n", done.stdout)
        self.assertIn("No monitors.", self.cli.text("status", "-l", "test=there-is-none"))

    def test_a_page_about_one_monitor_has_what_happened_and_who_is_told(self):
        token = self.make("a", "1h")
        self.cluster.make_channel(self.receiver, f"{self.id}-ops", "--selector", f"test={self.id}")
        push(self.gateway, token, status="down", msg="disk full")
        text = self.cli.text("monitor", "describe", f"{self.id}-a")
        self.assertRegex(text, r'^down for \d+s: the job said at \S+ that it failed: "disk full"\n')
        self.assertRegex(text, rf"Who is told\nCHANNEL .*\n{self.id}-ops +http\S+ +its selector test=")
        for title in ("Newest heartbeats", "Newest incidents"):
            self.assertIn(title, text)
        page = self.cli.json("monitor", "describe", f"{self.id}-a")
        self.assertEqual(page["heartbeats"][0]["message"], "disk full")
        self.assertEqual(page["channels"][0]["why"], f"its selector test={self.id}")

    # --- many at once ---

    def test_what_is_selected_is_paused_with_yes_only(self):
        for suffix in "abc":
            self.make(suffix, "1h")
        selector = ("-l", f"test={self.id}")
        refused = self.cli.run("monitor", "pause", *selector)
        self.assertEqual(refused.returncode, 2)
        self.assertIn(f"--yes is missing: 3 monitors ({self.id}-a, {self.id}-b, {self.id}-c) are "
                      "selected", refused.stderr)
        shown = self.cli.text("monitor", "pause", *selector, "--dry-run")
        self.assertIn(f"{self.id}-a: would be paused\n", shown)
        self.assertEqual(self.cli.state(f"{self.id}-a"), "NEW")
        done = self.cli.text("monitor", "pause", *selector, "--yes")
        self.assertEqual(sorted(done.splitlines()),
                         ["3 monitors paused", *(f"{self.id}-{x}: paused" for x in "abc")])
        self.assertEqual({self.cli.state(f"{self.id}-{x}") for x in "abc"}, {"PAUSED"})
        self.cli.text("monitor", "resume", f"{self.id}-a", f"{self.id}-b")
        self.assertEqual([self.cli.state(f"{self.id}-{x}") for x in "abc"], ["NEW", "NEW", "PAUSED"])

    def test_a_person_is_asked_and_may_say_no(self):
        for suffix in "ab":
            self.make(suffix, "1h")
        for answer, status, state in ((b"n\n", 1, "NEW"), (b"y\n", 0, "PAUSED")):
            ours, theirs = pty.openpty()
            os.write(ours, answer)
            done = subprocess.run([binary("tocsin"), "monitor", "pause", "-l", f"test={self.id}"],
                                  stdin=theirs, capture_output=True, text=True, timeout=30, check=False,
                                  env=self.cli.with_environment()._environment)
            os.close(theirs)
            os.close(ours)
            self.assertIn(f"Pause 2 monitors ({self.id}-a, {self.id}-b)? [y/N]", done.stderr)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertEqual(self.cli.state(f"{self.id}-a"), state)

    def test_one_that_fails_stops_no_other(self):
        self.make("a", "1h")
        done = self.cli.run("monitor", "pause", f"{self.id}-nope", f"{self.id}-a")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.id}-a: paused", done.stdout)
        self.assertRegex(done.stderr, rf"tocsin: {self.id}-nope: .*does not exist")
        self.assertIn("1 of 2 monitors failed", done.stderr)

    def test_tokens_are_rotated_and_shown_for_each(self):
        old = [self.make(suffix, "1h") for suffix in "ab"]
        done = self.cli.text("-o", "jsonl", "monitor", "rotate-token", "-l", f"test={self.id}", "--yes",
                             "--overlap", "0s")
        new = {one["monitor"].rpartition("/")[2]: one["pushToken"]
               for one in map(json.loads, done.splitlines())}
        self.assertEqual(sorted(new), [f"{self.id}-a", f"{self.id}-b"])
        self.assertEqual(push(self.gateway, new[f"{self.id}-a"]).status, 200)
        self.assertEqual(push(self.gateway, old[0]).status, 404)

    # --- output ---

    def test_yaml_says_what_json_says(self):
        self.make("a", "90s", "--description", "yes: no\n- 'x' \"y\" é \x7f", "--label", "n=on")
        name = f"{self.id}-a"
        for arguments in (("monitor", "get", name), ("monitor", "list", "-l", f"test={self.id}"),
                          ("monitor", "describe", name), ("channel", "list"), ("mute", "list")):
            asked = yaml.safe_load(self.cli.text("-o", "yaml", *arguments))
            self.assertEqual(asked or {}, self.cli.json(*arguments), arguments)

    def test_wide_has_more_columns_and_texts_whole(self):
        message = "x" * 100
        push(self.gateway, self.make("a", "1h"), status="down", msg=message)
        narrow = self.cli.text("monitor", "list", "-l", f"test={self.id}")
        wide = self.cli.text("-o", "wide", "monitor", "list", "-l", f"test={self.id}")
        self.assertNotIn("LABELS", narrow)
        self.assertIn("LABELS", wide)
        self.assertIn(message, wide)

    def test_colours_are_for_a_terminal_without_no_color(self):
        push(self.gateway, self.make("a", "1h"), status="down", msg="x")

        def shown(**environment):
            ours, theirs = pty.openpty()
            env = {**self.cli.with_environment()._environment, "TERM": "xterm", **environment}
            subprocess.run([binary("tocsin"), "monitor", "list", "-l", f"test={self.id}"], stdout=theirs,
                           timeout=30, check=True, env=env)
            os.close(theirs)
            text = os.read(ours, 65536).decode()
            os.close(ours)
            return text

        self.assertIn("\x1b[1;31mdown\x1b[0m", shown())
        self.assertNotIn("\x1b", shown(NO_COLOR="1"))
        self.assertNotIn("\x1b", shown(TERM="dumb"))

    # --- watch ---

    def test_watch_ends_after_one_event_when_asked_to(self):
        token = self.make("a", "1h")
        with self.cli.follow("-o", "json", "watch", "--once") as watch:
            watch.wait_for(lambda line: "cursor" in line, what="it is connected")
            push(self.gateway, token, status="down", msg="x")
            line = watch.wait_for(lambda line: '"event"' in line)
            self.assertTrue(json.loads(line)["event"]["monitor"]["name"].endswith(f"{self.id}-a"))
            wait_until(lambda: watch._child.poll() == 0, 10, "it ends")

    # --- contexts ---

    def bare(self, config, **environment):
        """The command with nothing but a configuration."""
        cli = self.cli.with_environment(TOCSIN_CONFIG=config, **environment)
        for name in ("TOCSIN_CORE_ADDRESS", "TOCSIN_KEY_FILE"):
            cli._environment.pop(name)
        return cli

    def test_a_context_says_where_tocsin_is(self):
        self.make("a", "1h")
        config = os.path.join(self.fresh_folder(), "config.yaml")
        cli = self.bare(config)
        cli.text("context", "set", "here", "--core", self.cluster.cores[0].address, "--key-file",
                 self.cluster.key_files["admin"])
        cli.text("context", "set", "elsewhere", "--core", "127.0.0.1:1")
        self.assertEqual(os.stat(config).st_mode & 0o777, 0o600)
        self.assertEqual(cli.run("monitor", "get", f"{self.id}-a").returncode, 4)
        self.assertIn(self.id, cli.text("--context", "here", "monitor", "get", f"{self.id}-a"))
        cli.text("context", "use", "here")
        self.assertIn(self.id, cli.text("monitor", "get", f"{self.id}-a"))
        self.assertEqual(cli.run("--context", "elsewhere", "status").returncode, 4)
        self.assertRegex(cli.text("context", "show"), r"core +\S+ +context here")
        self.assertRegex(cli.text("context", "list"), r"(?m)^\* +here ")
        unknown = cli.run("--context", "her", "status")
        self.assertEqual(unknown.returncode, 2)
        self.assertIn('there is no context "her"; accepted: elsewhere, here', unknown.stderr)
        cli.text("context", "delete", "here")
        self.assertNotIn("here ", cli.text("context", "list").replace("elsewhere", ""))

    def test_a_configuration_with_a_key_or_that_others_may_write_is_refused(self):
        config = os.path.join(self.fresh_folder(), "config.yaml")
        with open(config, "w", encoding="utf-8") as out:
            out.write("current: a\ncontexts:\n  a:\n    key: tk_secret\n")
        refused = self.bare(config).run("status")
        self.assertEqual(refused.returncode, 2)
        self.assertIn(":4:5: contexts.a.key: the key itself does not belong here", refused.stderr)
        self.assertNotIn("tk_secret", refused.stderr)
        with open(config, "w", encoding="utf-8") as out:
            out.write("contexts: {}\n")
        os.chmod(config, 0o666)
        self.assertIn("chmod go-w", self.bare(config).run("status").stderr)

    # --- what was mistyped ---

    def test_a_mistyped_word_or_flag_is_answered_with_the_nearest(self):
        for arguments, near in ((("statsu",), '"status"'), (("monitor", "puase", "x"), '"pause"'),
                                (("status", "--selectr", "a=b"), '"--selector"')):
            done = self.cli.run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(f"did you mean {near}", done.stderr)
        done = self.cli.run("mute", "x", "--for", "1h", "--reason", "r", "--request-id", "y")
        self.assertIn('"--request-id" is no flag of "tocsin mute"', done.stderr)

    # --- completion ---

    def complete(self, shell, script):
        if not shutil.which(shell):
            self.skipTest(f"there is no {shell} here")
        environment = {**self.cli.with_environment()._environment, "HOME": self.fresh_folder(),
                       "PATH": f"{os.path.dirname(binary('tocsin'))}:{os.environ['PATH']}"}
        flags = {"bash": ["--noprofile", "--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
        done = subprocess.run([shell, *flags, "-c", script], capture_output=True, text=True, timeout=60,
                              check=False, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        return done.stdout.split("\n")[:-1]

    def in_bash(self, *words):
        typed = " ".join(f"'{word}'" for word in words)
        return self.complete("bash", f"""
            source <(tocsin completion bash)
            COMP_WORDS=(tocsin {typed}) COMP_CWORD={len(words)}
            _tocsin
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """)

    def test_bash_completes_commands_flags_values_and_ids(self):
        self.make("a", "1h")
        self.assertEqual(self.in_bash("monitor", "pau"), ["pause"])
        self.assertEqual(self.in_bash("monitor", "create", "x", "--sever"), ["--severity"])
        self.assertIn("critical", self.in_bash("monitor", "create", "x", "--severity", ""))
        self.assertEqual(self.in_bash("monitor", "create", "x", "--severity", "=", "cri"), ["critical"])
        self.assertEqual(self.in_bash("monitor", "describe", self.id), [f"{self.id}-a"])
        self.assertEqual(self.in_bash("-p", "no-such-project", "monitor", "describe", self.id), [""])
        self.assertEqual(self.in_bash("--core", "127.0.0.1:1", "monitor", "describe", self.id), [""])

    def test_zsh_completes(self):
        found = self.complete("zsh", """
            autoload -Uz compinit && compinit -u
            source <(tocsin completion zsh)
            _describe() { print -l -- "${found[@]}" }
            words=(tocsin monitor pau) CURRENT=3
            _tocsin
        """)
        self.assertEqual(found, ["pause:Expect nothing until resumed"])

    def test_fish_completes(self):
        found = self.complete("fish", """
            tocsin completion fish | source
            complete --do-complete 'tocsin monitor pau'
        """)
        self.assertEqual(found, ["pause\tExpect nothing until resumed"])


if __name__ == "__main__":
    unittest.main()
