"""An HTTP server in the gateway's place: keeps what is pushed and answers as it is told."""

import collections
import dataclasses
import http.server
import ssl
import threading
import urllib.parse

from harness.waiting import wait_until


@dataclasses.dataclass
class Push:
    """One request."""
    path: str
    parameters: dict
    body: bytes
    headers: dict


class GatewayStandIn:
    """Answers 200, or what `script` says. Thread-safe."""

    HANG = "hang"  # takes the request and never answers

    def __init__(self, certificate=None):
        """`certificate`: (file, key file); then it speaks HTTPS."""
        self._lock = threading.Condition()
        self._pushes = []
        self._script = collections.deque()
        self._always = (200, {})
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"standin": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._scheme = "http"
        if certificate:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self):
        return self._server.server_port

    def url(self, token, host="127.0.0.1"):
        return f"{self._scheme}://{host}:{self.port}/api/push/{token}"

    def script(self, *answers):
        """The next requests get these: (status, headers) or HANG."""
        with self._lock:
            self._script.extend(answers)

    def always(self, answer):
        """Every request gets it, but for what `script` says."""
        with self._lock:
            self._always = answer

    def pushes(self, token):
        with self._lock:
            return [push for push in self._pushes if push.path.endswith(f"/{token}")]

    def wait_for(self, token, count):
        return wait_until(lambda: found if len(found := self.pushes(token)) >= count else None, 30,
                          lambda: f"{count} pushes of {token}; had {self.pushes(token)}")

    def close(self):
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, target, headers, body):
        path, _, query = target.partition("?")
        with self._lock:
            self._pushes.append(Push(path, dict(urllib.parse.parse_qsl(query)), body, headers))
            answer = self._script.popleft() if self._script else self._always
        if answer == self.HANG:
            self._closing.wait(60)
            return None
        return answer


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that has gone, or that trusts us not, is the subject of a test


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    standin = None

    def do_POST(self):  # noqa: N802, the name is http.server's
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.standin._take(self.path, headers, body)
        if answer is None:
            self.close_connection = True
            return
        status, extra = answer
        self.send_response(status)
        for name, value in extra.items():
            self.send_header(name, value)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass
