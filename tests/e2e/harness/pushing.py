"""HTTP as push clients speak it, down to the bytes where that is the subject."""

import http.client
import json
import socket
import urllib.parse


class Answer:
    """One HTTP response."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"Answer({self.status}, {self.headers}, {self.body!r})"


def request(address, method, path, body=None, headers=None, timeout=20):
    """One request on a connection of its own."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


def push(address, token, method="POST", **parameters):
    """A plain push with its parameters in the query."""
    query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
    return request(address, method, f"/api/push/{token}{query}")


class RawConnection:
    """Sends bytes as given and reads responses one by one."""

    def __init__(self, address, timeout=20):
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=timeout)
        self._reader = self._socket.makefile("rb")

    def send(self, data):
        self._socket.sendall(data)
        return self

    def read(self, head=False):
        """The next response; `head` when it answers a HEAD request. None at the end."""
        status_line = self._reader.readline()
        if not status_line:
            return None
        status = int(status_line.split()[1])
        headers = []
        while (line := self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name, value.strip()))
        length = dict((n.lower(), v) for n, v in headers).get("content-length", "0")
        body = b"" if head or status in (204, 304) or status < 200 else self._reader.read(int(length))
        return Answer(status, headers, body)

    def close(self):
        self._reader.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
