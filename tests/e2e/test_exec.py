"""`tocsin exec` leaves a command as it is, and reports it: exit status, signals, streams, faults."""

import hashlib
import os
import pty
import signal
import subprocess
import sys
import tempfile
import unittest

from harness.cluster import binary
from harness.execs import LIMIT, ExecTestCase, environment
from harness.gateway_standin import GatewayStandIn
from harness.processes import children, command_line, free_port, running
from harness.waiting import wait_until

# Prints each signal that it gets, as it gets it; ends with SIGTERM, or with SIGQUIT.
LISTENER = """
import signal
ends = {signal.SIGTERM, signal.SIGQUIT}
heard = ends | {signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH,
                signal.SIGALRM, signal.SIGRTMIN + 3}
signal.pthread_sigmask(signal.SIG_BLOCK, heard)
print("ready", flush=True)
while True:
    number = signal.sigwait(heard)
    print("got", int(number), flush=True)
    if number in ends:
        raise SystemExit(5)
"""


class Ends(ExecTestCase):
    def test_the_exit_status_is_the_commands_and_is_reported(self):
        for status in (0, 1, 2, 42, 125, 126, 127, 128, 137, 255):
            self.setUp()
            self.assertEqual(self.shell(f"exit {status}").returncode, status)
            end = self.end_of_run().parameters
            self.assertEqual(end["exit_status"], str(status))
            self.assertEqual(end["status"], "up" if status == 0 else "down")

    def test_a_command_that_a_signal_killed_is_repeated(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP, signal.SIGSEGV,
                       signal.SIGABRT, signal.SIGPIPE, signal.SIGUSR1):
            self.setUp()
            done = self.shell(f"ulimit -c 0; kill -{int(number)} $$")
            self.assertEqual(done.returncode, -number)
            end = self.end_of_run().parameters
            self.assertEqual(end["exit_status"], str(128 + number))
            self.assertIn(f"killed by {number.name}", end["msg"])

    def test_what_cannot_run_ends_as_in_a_shell_and_is_reported(self):
        with tempfile.NamedTemporaryFile() as file:
            for word, status, why in (("no-such-command", 127, "command not found"),
                                      (file.name, 126, "Permission denied"), ("/", 126, "denied")):
                self.setUp()
                done = self.run_exec(word, "secret-argument")
                self.assertEqual(done.returncode, status)
                self.assertIn(f"tocsin: {word}: ".encode(), done.stderr)
                end, = self.gateway.wait_for(self.token, 1)
                self.assertEqual((end.parameters["status"], end.parameters["exit_status"]),
                                 ("down", str(status)))
                self.assertIn(why, end.parameters["msg"])
                self.assertNotIn("secret-argument", str(end))

    def test_arguments_arrive_as_they_are(self):
        words = ["", "--", "-o", "json", "[a, b]", "--quiet", "a b", "ü", "%TOCSIN%"]
        done = self.run_exec("printf", "%s|", *words)
        self.assertEqual(done.stdout.decode(), "|".join(words) + "|")


class Streams(ExecTestCase):
    def test_both_streams_pass_byte_by_byte(self):
        noise = os.urandom(300_000)
        with tempfile.NamedTemporaryFile() as file:
            file.write(noise)
            file.flush()
            done = self.shell(f"cat '{file.name}'; tail -c 7 '{file.name}' >&2; exit 3")
        self.assertEqual((done.returncode, done.stderr), (3, noise[-7:]))
        self.assertEqual(done.stdout, noise)
        self.assertEqual(len(self.end_of_run().body), 10_000)

    def test_the_end_of_the_output_is_sent_as_it_came(self):
        done = self.shell("printf 'one\\0'; printf '\\377two' >&2", flags=("--output-bytes", "5"))
        self.assertEqual((done.stdout, done.stderr), (b"one\0", b"\xfftwo"))
        self.assertEqual(len(self.end_of_run().body), 5)

    def test_streams_that_are_one_file_stay_in_order(self):
        script = "for i in $(seq 300); do echo out $i; echo error $i >&2; done"
        child = self.start("sh", "-c", script, stderr=subprocess.STDOUT)
        expected = "".join(f"out {i}\nerror {i}\n" for i in range(1, 301)).encode()
        self.assertEqual(child.communicate(timeout=LIMIT)[0], expected)
        self.assertEqual(self.end_of_run().body, expected[-10_000:])

    def pass_zeros(self, size):
        """The most memory that passing so many bytes took, in kB."""
        child = self.start("sh", "-c", f"head -c {size} /dev/zero; grep VmHWM /proc/$PPID/status >&2")
        digest = hashlib.sha256()
        while block := child.stdout.read(1 << 16):
            digest.update(block)
        self.assertEqual(digest.digest(), hashlib.sha256(bytes(size)).digest())
        memory = int(child.stderr.read().split()[1])
        self.assertEqual(child.wait(LIMIT), 0)
        return memory

    def test_much_output_takes_no_more_memory_than_little(self):
        self.assertLess(self.pass_zeros(50_000_000) - self.pass_zeros(1), 10_000)

    def test_output_is_not_held_back_and_input_is_the_commands(self):
        child = self.start("sh", "-c", "echo ready; read line; echo got $line; cat")
        self.assertEqual(child.stdout.readline(), b"ready\n")
        child.stdin.write(b"hello\nrest\0")
        child.stdin.close()
        self.assertEqual(child.stdout.read(), b"got hello\nrest\0")
        self.assertEqual(child.wait(LIMIT), 0)

    def test_a_reader_that_has_gone_ends_the_command_as_without_us(self):
        child = self.start("yes", url=self.url)
        child.stdout.readline()
        child.stdout.close()
        self.assertEqual(child.wait(LIMIT), -signal.SIGPIPE)

    def test_a_full_disk_does_not(self):
        with open("/dev/full", "wb") as full:
            child = self.start("sh", "-c", "echo one; echo two; exit 4", stdout=full)
            self.assertEqual(child.wait(LIMIT), 4)
        self.assertIn(b"output was lost: No space left", child.stderr.read())
        self.assertEqual(self.end_of_run().body, b"one\ntwo\n")

    def test_a_process_that_stays_behind_with_the_output_holds_nothing_up(self):
        child = self.start("sh", "-c", "sleep 1000 & echo $!")
        left = int(child.stdout.readline())
        try:
            self.assertEqual(child.wait(LIMIT), 0)
            self.assertTrue(running(left))
        finally:
            os.kill(left, signal.SIGKILL)

    def test_what_a_process_that_stays_behind_puts_out_is_passed_on(self):
        with tempfile.TemporaryDirectory() as directory:
            word = os.path.join(directory, "word")
            os.mkfifo(word)
            child = self.start("sh", "-c", "(read go; echo later; echo worse >&2; echo last) "
                               f"<>{word} & echo now")
            self.assertEqual(child.wait(LIMIT), 0)
            with open(word, "w") as file:
                file.write("go\n")
            out, error = child.communicate(timeout=LIMIT)
        self.assertEqual((out, error), (b"now\nlater\nlast\n", b"worse\n"))
        self.assertEqual(self.end_of_run().body, b"now\n")

    def test_what_stays_behind_outlives_the_terminal_that_it_was_started_from(self):
        with tempfile.TemporaryDirectory() as directory:
            word, alive = os.path.join(directory, "word"), os.path.join(directory, "alive")
            os.mkfifo(word)
            ours, theirs = pty.openpty()
            child = self.start("sh", "-c", f"(read go; echo later; touch {alive}) <>{word} & :",
                               stdout=theirs, stderr=theirs)
            os.close(theirs)
            self.assertEqual(child.wait(LIMIT), 0)
            os.close(ours)
            with open(word, "w") as file:
                file.write("go\n")
            wait_until(lambda: os.path.exists(alive), LIMIT, "it goes on after it has put something out")

    def test_a_reader_that_goes_away_ends_what_stays_behind(self):
        # It says who it is before anything else: "yes & echo $!" may say it later.
        child = self.start("sh", "-c", "sh -c 'echo $$; exec yes' & :")
        left = int(child.stdout.readline())
        while child.poll() is None:
            child.stdout.read1(65536)
        self.assertTrue(running(left))
        child.stdout.close()
        wait_until(lambda: not running(left), LIMIT, "who writes to nobody ends")

    def test_a_time_limit_that_was_set_before_reaches_the_command(self):
        done = self.run_exec("sleep", "30",
                             prefix=("perl", "-e", "alarm 1; exec @ARGV"))
        self.assertEqual(done.returncode, -signal.SIGALRM)

    def test_what_a_filter_behind_the_command_says_last_is_not_lost(self):
        done = self.run_exec("bash", "-c", "exec > >(read line; sleep 0.2; echo filtered $line); echo x")
        self.assertEqual(done.stdout, b"filtered x\n")
        self.assertEqual(self.end_of_run().body, b"filtered x\n")

    def test_streams_that_are_closed_stay_closed(self):
        prefix = ("bash", "-c", 'exec "$0" "$@" <&- >&-')
        done = self.shell("test ! -e /proc/$$/fd/0 && test ! -e /proc/$$/fd/1 && echo said >&2",
                          prefix=prefix)
        self.assertEqual((done.returncode, done.stderr), (0, b"said\n"))
        self.assertEqual(self.end_of_run().body, b"said\n")

    def test_without_output_the_command_has_our_own_streams(self):
        child = self.start("readlink", "/proc/self/fd/1", "/proc/self/fd/2",
                           flags=("--output-bytes", "0"))
        own = [os.stat(stream.fileno()).st_ino for stream in (child.stdout, child.stderr)]
        self.assertEqual(child.communicate(timeout=LIMIT)[0].decode().split(),
                         [f"pipe:[{inode}]" for inode in own])
        self.assertEqual(self.end_of_run().body, b"")


class Signals(ExecTestCase):
    def expect(self, child, line):
        self.assertEqual(child.stdout.readline(), f"{line}\n".encode())

    def test_signals_reach_the_command(self):
        child = self.start(sys.executable, "-c", LISTENER)
        self.expect(child, "ready")
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH,
                       signal.SIGALRM, signal.SIGRTMIN + 3, signal.SIGTERM):
            child.send_signal(number)
            self.expect(child, f"got {int(number)}")
        self.assertEqual(child.wait(LIMIT), 5)
        self.assertEqual(self.end_of_run().parameters["exit_status"], "5")

    def test_who_has_no_time_for_reports_is_obeyed(self):
        self.gateway.always(GatewayStandIn.HANG)
        child = self.start("sh", "-c", "exit 6", flags=("--no-start",))
        self.gateway.wait_for(self.token, 1)
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(LIMIT), 6)
        self.assertIn(b"is reported: a signal ended that", child.stderr.read())

    def in_terminal(self, *words):
        """(child, the other end of its terminal), in a session of its own."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen(["setsid", "--ctty", "--wait", *words], stdin=theirs, stdout=theirs,
                                 stderr=theirs, env=environment(self.url))
        self.addCleanup(self._close, child)
        os.close(theirs)
        self.addCleanup(os.close, ours)
        self.shown = b""
        return child, ours

    def wait_for_text(self, terminal, text):
        def check():
            if text not in self.shown:
                self.shown += os.read(terminal, 4096)
            return text in self.shown
        wait_until(check, LIMIT, lambda: f"{text} in {self.shown}")

    def test_ctrl_c_reaches_the_command_once(self):
        child, terminal = self.in_terminal(*self.command(sys.executable, "-c", LISTENER))
        self.wait_for_text(terminal, b"ready")
        os.write(terminal, b"\x03")
        self.wait_for_text(terminal, b"got 2\r\n")
        os.write(terminal, b"\x1c")
        self.wait_for_text(terminal, b"got 3\r\n")
        self.assertEqual(child.wait(LIMIT), 5)
        self.assertEqual(self.shown.count(b"got 2"), 1)

    def test_ctrl_z_stops_the_job_and_fg_goes_on_with_it(self):
        job = "sh -c 'echo ready; read line; echo got $line; exit 7'"
        script = (f"set -m; '{binary('tocsin')}' exec -- {job}; echo stopped=$?; fg >/dev/null; "
                  "echo ended=$?")
        _, terminal = self.in_terminal("bash", "--norc", "-c", script)
        self.wait_for_text(terminal, b"ready")
        os.write(terminal, b"\x1a")
        self.wait_for_text(terminal, f"stopped={128 + signal.SIGTSTP}".encode())
        os.write(terminal, b"hello\n")
        self.wait_for_text(terminal, b"got hello")
        self.wait_for_text(terminal, b"ended=7")


class FirstProcess(ExecTestCase):
    """As a container starts it."""

    UNSHARE = ("unshare", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")), "--pid",
               "--fork", "--kill-child", "--mount-proc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if subprocess.run([*cls.UNSHARE, "true"], capture_output=True, check=False).returncode:
            raise unittest.SkipTest("this kernel gives no namespaces to this user")

    def test_it_waits_for_every_orphan(self):
        script = ("test $PPID = 1 || exit 9; for i in 1 2 3; do (sh -c 'exit 1' &); done; "
                  "until test \"$(cat /proc/1/task/1/children)\" = \"$$ \"; do :; done; echo alone")
        done = self.shell(script, prefix=self.UNSHARE)
        self.assertEqual((done.returncode, done.stdout), (0, b"alone\n"), done.stderr)

    def test_a_signal_that_cannot_kill_it_is_an_exit_status(self):
        self.assertEqual(self.shell("kill -KILL $$", prefix=self.UNSHARE).returncode, 137)
        self.assertEqual(self.end_of_run().parameters["exit_status"], "137")

    def test_it_passes_sigterm_on(self):
        child = self.start(sys.executable, "-c", LISTENER, prefix=self.UNSHARE)
        self.assertEqual(child.stdout.readline(), b"ready\n")
        first, = children(child.pid)
        os.kill(first, signal.SIGTERM)
        self.assertEqual(child.stdout.readline(), b"got 15\n")
        self.assertEqual(child.wait(LIMIT), 5)


class Faults(ExecTestCase):
    """Whatever becomes of Tocsin, the command ends as it does; and one line says so."""

    def assert_unaffected(self, done, *words):
        self.assertEqual((done.returncode, done.stdout), (3, b"output\n"), done.stderr)
        self.assertEqual(done.stderr.count(b"\n"), 1 if words else 0, done.stderr)
        for word in words:
            self.assertIn(word.encode(), done.stderr)

    def run_job(self, *flags, **options):
        return self.shell("echo output; exit 3", flags=flags, **options)

    def test_nobody_listens(self):
        url = f"http://127.0.0.1:{free_port()}/api/push/{self.token}"
        done = self.run_job("--report-timeout", "1s", url=url)
        self.assert_unaffected(done, "tocsin: the end of this run is not reported: ", "127.0.0.1")
        self.assert_unaffected(self.run_job("--report-timeout", "1s", "--quiet", url=url))

    def test_nothing_is_answered(self):
        self.gateway.always(GatewayStandIn.HANG)
        self.assert_unaffected(
            self.run_job("--report-timeout", "1s"),
            "tocsin: it is not known whether the end of this run is reported: no answer")

    def test_it_is_refused(self):
        for status, word in ((404, "no monitor has this push URL"), (403, "does not allow"),
                             (302, "redirect"), (400, "HTTP 400")):
            self.gateway.always((status, {"Location": "/"}))
            self.assert_unaffected(self.run_job(), word)
        for status in (429, 503):
            self.gateway.always((status, {"Retry-After": "60"}))
            self.assert_unaffected(self.run_job(), f"HTTP {status}")

    def test_what_a_retry_cures_is_not_told(self):
        self.gateway.script((503, {}), (429, {}), (500, {}))
        self.assert_unaffected(self.run_job("--no-start"))
        self.assertEqual(len(self.gateway.pushes(self.token)), 4)

    def test_a_start_that_is_not_answered_delays_neither_the_command_nor_the_end(self):
        self.gateway.script(GatewayStandIn.HANG)
        child = self.start("sh", "-c", "echo running; read line; exit 3")
        self.assertEqual(child.stdout.readline(), b"running\n")
        self.gateway.wait_for(self.token, 1)
        child.stdin.close()
        self.assertEqual((child.wait(LIMIT), child.stderr.read()), (3, b""))
        self.assertIn("took ", self.end_of_run().parameters["msg"])

    def test_without_a_push_url_the_command_runs(self):
        done = subprocess.run(self.command("sh", "-c", "exit 3"), env=environment(), timeout=LIMIT,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"this run is not reported: there is no push URL: set TOCSIN_PUSH_URL", done.stderr)
        for wrong in (self.token, f"http://host/ping/{self.token}"):
            self.assert_unaffected(self.run_job(url=wrong), "what is in TOCSIN_PUSH_URL is no push URL")

    def test_certificates_are_verified(self):
        with tempfile.TemporaryDirectory() as folder:
            pair = (f"{folder}/cert.pem", f"{folder}/key.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=DNS:localhost", "-out", pair[0], "-keyout", pair[1]],
                           check=True, capture_output=True)
            gateway = GatewayStandIn(pair)
            self.addCleanup(gateway.close)
            url = gateway.url(self.token, host="localhost")
            self.assert_unaffected(self.run_job(url=url), "certificate")
            self.assertEqual(gateway.pushes(self.token), [])
            self.assert_unaffected(self.run_job(url=url, SSL_CERT_FILE=pair[0]))
            self.assertEqual(len(gateway.pushes(self.token)), 2)

    def test_a_proxy_of_the_environment_is_used(self):
        url = f"http://tocsin.invalid/api/push/{self.token}"
        self.assert_unaffected(self.run_job(url=url, http_proxy=f"http://127.0.0.1:{self.gateway.port}"))
        self.assertTrue(self.end_of_run().path.startswith("http://tocsin.invalid/"))


class Secrets(ExecTestCase):
    def test_the_token_is_on_no_command_line(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.url + "\n")
            file.flush()
            child = self.start("sh", "-c", "echo ready; read line", url="http://nowhere/api/push/x",
                               flags=("--push-url-file", file.name))
            child.stdout.readline()
            for pid in (child.pid, *children(child.pid)):
                self.assertNotIn(self.token, command_line(pid))
            child.stdin.close()
            self.assertEqual(self.end_of_run().parameters["exit_status"], "1")

    def test_a_push_url_on_the_command_line_is_refused_and_not_repeated(self):
        for words in (("--push-url", self.url), (f"--url={self.url}",), ("--token", self.token),
                      ("--push-url-file", self.url), (self.url,), (self.url, "--", "true")):
            done = subprocess.run([binary("tocsin"), "exec", *words], env=environment(),
                                  capture_output=True, text=True, timeout=LIMIT, check=False)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("everybody on this machine can read it", done.stderr)
            self.assertNotIn(self.token, done.stderr + done.stdout)

    def test_a_command_line_that_is_wrong_says_what_is_accepted(self):
        for words, said in (((), "the command is missing: tocsin exec [OPTIONS] -- COMMAND"),
                            (("backup.sh",), 'the command comes after "--"'),
                            (("--output-bytes", "10001", "--", "true"), "10000"),
                            (("--report-timeout", "1h", "--", "true"), "accepted: 1s to 10s"),
                            (("--run-id", "x" * 65, "--", "true"), "accepted: 1 to 64"),
                            (("--nonsense", "--", "true"), "--nonsense")):
            done = subprocess.run([binary("tocsin"), "exec", *words], env=environment(self.url),
                                  capture_output=True, text=True, timeout=LIMIT, check=False)
            self.assertEqual(done.returncode, 2, (words, done.stderr))
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
