"""A webhook receiver that checks every signature and keeps what it was told, in order."""

import base64
import collections
import dataclasses
import hashlib
import hmac
import http.server
import json
import threading
import time

from harness.waiting import wait_until


@dataclasses.dataclass
class Message:
    """One accepted request."""
    path: str
    id: str
    type: str
    timestamp: str
    data: dict
    body: bytes
    headers: dict
    arrived: float  # wall clock, seconds
    status: int     # what it was answered

    @property
    def summary(self):
        return self.data.get("summary", "")

    @property
    def monitor(self):
        """The id of the monitor: the last part of its name."""
        return self.data.get("monitor", {}).get("name", "").rpartition("/")[2]

    @property
    def sequence(self):
        return int(self.data.get("sequence", 0))


def sign(secret, message_id, timestamp, body):
    """The `v1` signature of the Standard Webhooks specification."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


class Receiver:
    """Each channel gets a path of its own. Thread-safe."""

    def __init__(self):
        self._lock = threading.Condition()
        self._messages = []
        self._secrets = {}
        self._scripts = collections.defaultdict(collections.deque)
        self.faults = []
        handler = type("Handler", (_Handler,), {"receiver": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def url(self, path):
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def trust(self, path, secret):
        """Messages to `path` must be signed with `secret`."""
        with self._lock:
            self._secrets[path] = secret

    def script(self, path, *answers):
        """The next requests to `path` get these answers: (status, headers) each; then 204."""
        with self._lock:
            self._scripts[path].extend(answers)

    def messages(self, path=None, monitor=None, type=None, accepted_only=True):
        with self._lock:
            return [m for m in self._messages
                    if (path is None or m.path == path)
                    and (monitor is None or m.monitor == monitor)
                    and (type is None or m.type == type)
                    and (not accepted_only or m.status < 300)]

    def wait_for(self, count=1, timeout=10, **filters):
        """The messages that pass the filters (see messages), once there are `count` of them."""
        return wait_until(
            lambda: found if len(found := self.messages(**filters)) >= count else None,
            timeout, lambda: f"{count} messages with {filters}; had "
                             f"{[(m.path, m.monitor, m.type) for m in self.messages()]}; "
                             f"faults {self.faults}")

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _take(self, path, headers, body):
        """Checks and keeps one request; returns the answer, (status, headers)."""
        arrived = time.time()
        with self._lock:
            secret = self._secrets.get(path)
            answer = self._scripts[path].popleft() if self._scripts[path] else (204, {})
        problem = _problem(secret, headers, body, arrived)
        if problem:
            with self._lock:
                self.faults.append(f"{path}: {problem}")
            return 400, {}
        content = json.loads(body)
        with self._lock:
            self._messages.append(Message(
                path, headers["webhook-id"], content["type"], content["timestamp"],
                content["data"], body, headers, arrived, answer[0]))
        return answer


def _problem(secret, headers, body, now):
    """Why a message would be refused; None when it is good."""
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if name not in headers:
            return f"no {name} header"
    if not headers.get("content-type", "").startswith("application/json"):
        return f"content type {headers.get('content-type')}"
    if abs(float(headers["webhook-timestamp"]) - now) > 300:
        return f"timestamp {headers['webhook-timestamp']} is too far from now"
    if secret is None:
        return "no secret is known for this path"
    expected = sign(secret, headers["webhook-id"], headers["webhook-timestamp"], body)
    if not any(hmac.compare_digest(expected, given)
               for given in headers["webhook-signature"].split(" ")):
        return "no signature matches"
    content = json.loads(body)
    missing = {"type", "timestamp", "data"} - content.keys()
    return f"the body lacks {missing}" if missing else None


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    receiver = None

    def do_POST(self):  # noqa: N802, the name is http.server's
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, extra = self.receiver._take(self.path, headers, body)
        self.send_response(status)
        for name, value in extra.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
