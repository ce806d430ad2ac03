"""Tocsin as a user runs it: replicas of the three services on one PostgreSQL."""

import base64
import os
import secrets
import shutil
import signal
import tempfile
import urllib.error
import urllib.request

from harness.cli import Cli
from harness.postgres import Postgres
from harness.processes import Process, free_port
from harness.waiting import wait_until

_TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def binary(name):
    directory = os.environ.get("TOCSIN_BIN_DIR", os.path.join(_TREE, "build/release/bin"))
    path = os.path.join(directory, name)
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path} is not built")
    return path


def log_directory(name):
    """An empty directory for the logs of one test; kept until the test runs again."""
    base = os.environ.get("TOCSIN_E2E_LOGS", os.path.join(tempfile.gettempdir(), "tocsin-e2e-logs"))
    path = os.path.join(base, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    # PostgreSQL's log is opened by us and only written by its user: no special rights needed.
    return path


def new_key():
    """A key as core takes it from a file at its start."""
    return "tk_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


class Service(Process):
    """One replica of one service, with the address that it serves and its admin address."""

    def __init__(self, name, arguments, address, admin_address, log_path, environment=None):
        super().__init__(name, arguments, log_path, environment=environment)
        self.address = address
        self.admin_address = admin_address

    def get_admin(self, path):
        """(status, body) of a path on the admin port; (0, reason) when nothing answers."""
        try:
            with urllib.request.urlopen(f"http://{self.admin_address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def ready(self):
        return self.get_admin("/readyz")[0] == 200

    def wait_ready(self, timeout=30):
        def check():
            if not self.alive():
                raise AssertionError(f"{self.name} died:\n{self.log_tail()}")
            return self.ready()
        wait_until(check, timeout, f"{self.name} is ready: {self.get_admin('/readyz')}")
        return self

    def restart(self, timeout=30):
        self.start()
        return self.wait_ready(timeout)


class Cluster:
    """Use as a context manager, or call close()."""

    def __init__(self, name, cores=1, gateways=1, notifiers=1, core_flags=(),
                 gateway_flags=("--drain_delay=0s",), notifier_flags=("--allow_private_webhooks",),
                 postgres_settings=None):
        self.logs = log_directory(name)
        self.postgres = Postgres(postgres_settings, os.path.join(self.logs, "postgres.log"))
        self.cores, self.gateways, self.notifiers = [], [], []
        self._files = tempfile.mkdtemp(prefix="tocsin-e2e-")
        try:
            self._lay_out(cores, gateways, notifiers, core_flags, gateway_flags, notifier_flags)
        except BaseException:
            self.close()
            raise

    def _lay_out(self, cores, gateways, notifiers, core_flags, gateway_flags, notifier_flags):
        database_url = self._file("database-url", self.postgres.url)
        key = self._file("secret-key", base64.b64encode(secrets.token_bytes(32)).decode())
        self.key_files = {role: self._file(f"{role}-key", new_key())
                          for role in ("admin", "gateway", "notifier")}
        ports = [(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}") for _ in range(gateways)]
        self.public_url = f"http://{ports[0][0]}" if ports else "http://127.0.0.1:1"
        self.cores = [
            self._service("core", i, f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}",
                          [f"--database_url_file={database_url}", f"--secret_key_file={key}",
                           f"--public_url={self.public_url}",
                           *(f"--bootstrap_{role}_key_file={file}"
                             for role, file in self.key_files.items()), *core_flags])
            for i in range(cores)]
        addresses = f"--core_addresses={self.core_addresses}"
        self.gateways = [
            self._service("gateway", i, address, admin,
                          [addresses, f"--core_key_file={self.key_files['gateway']}",
                           *gateway_flags])
            for i, (address, admin) in enumerate(ports)]
        self.notifiers = [
            self._service("notifier", i, None, f"127.0.0.1:{free_port()}",
                          [addresses, f"--core_key_file={self.key_files['notifier']}",
                           *notifier_flags])
            for i in range(notifiers)]

    @property
    def core_addresses(self):
        return ",".join(core.address for core in self.cores)

    @property
    def services(self):
        return [*self.cores, *self.gateways, *self.notifiers]

    def _file(self, name, text):
        path = os.path.join(self._files, name)
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
            out.write(text + "\n")
        return path

    def _service(self, kind, index, address, admin, flags):
        listen = [f"--listen={address}"] if address else []
        return Service(f"{kind}-{index}",
                       [binary(f"tocsin-{kind}"), *listen, f"--admin_listen={admin}", *flags],
                       address, admin, os.path.join(self.logs, f"{kind}-{index}.log"))

    def start(self):
        self.postgres.start()
        # The first core migrates; the others would only wait for it.
        for service in self.services:
            service.start()
            if service is self.cores[0]:
                service.wait_ready(60)
        for service in self.services:
            service.wait_ready(60)
        return self

    def cli(self, core=0):
        """With the admin key of all projects."""
        return Cli(binary("tocsin"), self.cores[core].address, self.key_files["admin"])

    def push_url(self, token, gateway=0):
        return f"http://{self.gateways[gateway].address}/api/push/{token}"

    def make_channel(self, receiver, channel_id, *flags, cli=None):
        """A channel to a path of the receiver named like it. It gathers nothing unless a flag says so:
        tests make many alerts at once, and look at each."""
        path = f"/{channel_id}"
        if "--group-wait" not in flags:
            flags = (*flags, "--group-wait", "0s")
        made = (cli or self.cli()).json("channel", "create", channel_id,
                                        "--url", receiver.url(path), *flags)
        receiver.trust(path, made["webhookSecret"])
        return path

    def key(self, role):
        """What the holder of the key of that role sends."""
        with open(self.key_files[role]) as file:
            return file.read().strip()

    def print_logs(self, lines=40):
        print(f"\nlogs are in {self.logs}")
        for service in self.services:
            print(f"--- {service.name}\n{service.log_tail(lines)}")

    def close(self):
        for service in reversed(self.services):
            service.signal(signal.SIGCONT)  # a frozen process would not hear the next one
            service.signal(signal.SIGTERM)
        for service in reversed(self.services):
            service.close()
        self.postgres.close()
        shutil.rmtree(self._files, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()
