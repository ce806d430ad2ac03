"""A private PostgreSQL cluster that a test may stop, kill and freeze as it likes."""

import contextlib
import glob
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

from harness import processes
from harness.waiting import wait_until

# Small and quick to start. fsync off: what tests kill are processes, and what a killed process
# wrote is safe in the operating system; benchmarks turn it on.
DEFAULT_SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "synchronous_commit": "on",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "log_min_messages": "warning",
}


def bin_directory():
    """Where this machine keeps initdb and postgres: the newest version wins."""
    given = os.environ.get("TOCSIN_PG_BIN")
    if given:
        return given
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    if not found:
        raise RuntimeError("no PostgreSQL server found; install the package `postgresql`")
    newest = max(found, key=lambda path: int(path.split("/")[4]))
    return os.path.dirname(newest)


class Postgres:
    """One cluster in a short directory under /tmp (socket paths are at most 107 bytes)."""

    def __init__(self, settings=None, log_path=None):
        self._bin = bin_directory()
        self._settings = {**DEFAULT_SETTINGS, **(settings or {})}
        self._dir = tempfile.mkdtemp(prefix="tocsin-pg-", dir="/tmp")
        # PostgreSQL refuses root, so root lends it to the system's postgres user.
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(self._dir, entry.pw_uid, entry.pw_gid)
        self._log_path = log_path or os.path.join(self._dir, "log")
        self._process = None
        self._init()

    @property
    def url(self):
        return f"postgresql://tocsin@/tocsin?host={self._dir}"

    @property
    def data_directory(self):
        return os.path.join(self._dir, "data")

    @property
    def pid(self):
        return self._process.pid

    def _as_user(self):
        if not self._user:
            return []
        return [f"--reuid={self._user}", f"--regid={self._user}", "--init-groups"]

    def _init(self):
        command = [os.path.join(self._bin, "initdb"), "-D", self.data_directory, "-U", "tocsin",
                   "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        if self._user:
            command = ["setpriv", *self._as_user(), *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")
        with open(os.path.join(self.data_directory, "postgresql.conf"), "a") as conf:
            conf.write(f"unix_socket_directories = '{self._dir}'\n")
            for name, value in self._settings.items():
                conf.write(f"{name} = {value}\n")

    def start(self):
        """Starts the server and waits until it answers; makes the database when new."""
        self._process = processes.Process(
            "postgres", [os.path.join(self._bin, "postgres"), "-D", self.data_directory],
            self._log_path, setpriv=self._as_user(), death_signal="QUIT")
        self._process.start()
        wait_until(self._answers, 60, "PostgreSQL answers")
        if not self.query("SELECT 1 FROM pg_database WHERE datname = 'tocsin'", "postgres"):
            self.execute("CREATE DATABASE tocsin", "postgres")
        return self

    def _answers(self):
        if not self._process.alive():
            raise AssertionError(f"postgres died at once, see {self._log_path}")
        return subprocess.run(
            [os.path.join(self._bin, "pg_isready"), "-q", "-h", self._dir, "-U", "tocsin"],
            check=False).returncode == 0

    def stop(self):
        """An orderly stop that does not wait for clients ("fast")."""
        self._process.signal(signal.SIGINT)
        self._process.wait(60)

    def kill(self):
        """kill -9 of every process of the cluster."""
        family = self.pids()
        for pid in family:
            _send(pid, signal.SIGKILL)
        self._process.wait(10)
        wait_until(lambda: not any(processes.running(pid) for pid in family), 10,
                   "all of PostgreSQL is gone")

    def kill_one_backend(self, random):
        """kill -9 of one client's backend: the server then restarts all of them."""
        backends = [pid for pid in self.pids() if pid != self.pid
                    and " [local] " in processes.command_line(pid)]
        if backends:
            _send(random.choice(backends), signal.SIGKILL)

    def freeze(self):
        for pid in self.pids():
            _send(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self.pids():
            _send(pid, signal.SIGCONT)

    def pids(self):
        """The postmaster and its children."""
        return [self.pid, *processes.children(self.pid)]

    def execute(self, sql, database="tocsin"):
        self._psql(["-c", sql], database)

    def copy_in(self, statement, lines, database="tocsin"):
        """Runs a `COPY … FROM STDIN` with lines of text."""
        self._psql(["-c", statement], database, "".join(f"{line}\n" for line in lines))

    def query(self, sql, database="tocsin"):
        """The rows of a SELECT as dicts."""
        out = self._psql(
            ["-A", "-t", "-c", f"SELECT coalesce(json_agg(q), '[]') FROM ({sql}) q"], database)
        return json.loads(out)

    @contextlib.contextmanager
    def reading(self, table):
        """Somebody reads the table until the block ends, as a dump does for as long as it takes."""
        with subprocess.Popen(self._psql_command([], "tocsin"), stdin=subprocess.PIPE,
                              text=True) as reader:
            reader.stdin.write(f"BEGIN; LOCK TABLE {table} IN ACCESS SHARE MODE;\n")
            reader.stdin.flush()
            wait_until(lambda: self.query(f"SELECT 1 FROM pg_locks WHERE granted AND relation = "
                                          f"'{table}'::regclass"), 10, f"{table} is read")
            yield

    def _psql_command(self, arguments, database):
        return ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self._dir, "-U", "tocsin",
                "-d", database, *arguments]

    def _psql(self, arguments, database, text=None):
        done = subprocess.run(self._psql_command(arguments, database), input=text,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr}")
        return done.stdout

    def run_file(self, path, **variables):
        """Runs a file of SQL with psql's variables."""
        flags = [f"--set={name}={value}" for name, value in variables.items()]
        self._psql([*flags, "-f", path], "tocsin")

    def program(self, name):
        """The path of a server program such as pg_waldump."""
        return os.path.join(self._bin, name)

    def dump(self):
        """All data of the database as text; bytea columns in hex."""
        return subprocess.run(["pg_dump", "-h", self._dir, "-U", "tocsin", "tocsin"], check=True,
                              capture_output=True, text=True).stdout

    def close(self):
        """Ends it and removes its files."""
        if self._process and self._process.alive():
            self.thaw()
            self._process.signal(signal.SIGQUIT)
            self._process.wait(20)
        shutil.rmtree(self._dir, ignore_errors=True)


def _send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
