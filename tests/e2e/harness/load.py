"""Push clients that keep going whatever happens, and remember what they were told."""

import dataclasses
import heapq
import http.client
import itertools
import threading
import time


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One request. Its message is unique, so that the history can be searched for it."""
    monitor: str
    message: str
    kind: str           # up, down or log
    status: int         # 0: no answer
    started: float      # wall clock, seconds
    ended: float
    connected: bool     # whether the request could have reached a gateway


class Client:
    """One keep-alive client that goes to another gateway when one fails, as `curl --retry` behind
    a load balancer would. Not thread-safe."""

    def __init__(self, gateways, timeout=3.0):
        self._gateways = gateways
        self._timeout = timeout
        self._which = 0
        self._connection = None
        self.attempts = []

    def push(self, monitor, token, kind, message):
        """One attempt; whether it was acknowledged."""
        started = time.time()
        status, connected = 0, False
        try:
            if self._connection is None:
                host, _, port = self._gateways[self._which].rpartition(":")
                connection = http.client.HTTPConnection(host, int(port), timeout=self._timeout)
                connection.connect()
                self._connection = connection
            connected = True
            self._connection.request("POST", f"/api/push/{token}?status={kind}&msg={message}")
            answer = self._connection.getresponse()
            answer.read()
            status = answer.status
            if answer.will_close or status == 503:
                self._leave()
        except (OSError, http.client.HTTPException):
            self._leave()
        self.attempts.append(
            Attempt(monitor, message, kind, status, started, time.time(), connected))
        return status == 200

    def _leave(self):
        if self._connection:
            self._connection.close()
        self._connection = None
        self._which = (self._which + 1) % len(self._gateways)

    def close(self):
        if self._connection:
            self._connection.close()


@dataclasses.dataclass
class Job:
    """A monitor and what its job does: `next_push(now)` gives (kind or None, seconds until the
    next call); None is silence."""
    monitor: str
    token: str
    next_push: object


class Load:
    """Drives jobs from a few threads. A push that fails is tried again, with a new message, until
    it succeeds or the job's next one is due."""

    RETRY_SECONDS = 0.2

    def __init__(self, gateways, jobs, threads, timeout=3.0):
        self._stop = threading.Event()
        self._retired = set()
        self._clients = [Client(gateways[i % len(gateways):] + gateways[:i % len(gateways)], timeout)
                         for i in range(threads)]
        self._threads = [
            threading.Thread(target=self._run, args=(client, jobs[i::threads]), daemon=True)
            for i, client in enumerate(self._clients)]
        self.jobs = jobs

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def retire(self, monitors):
        """These jobs push no more."""
        self._retired = self._retired | set(monitors)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        for client in self._clients:
            client.close()

    def attempts(self):
        return [attempt for client in self._clients for attempt in list(client.attempts)]

    def _run(self, client, jobs):
        order = itertools.count()
        begin = time.monotonic()
        # Spread over the first second. Entries: due time, tie-break, job, kind to retry.
        due = [(begin + i / max(1, len(jobs)), next(order), job, None)
               for i, job in enumerate(jobs)]
        heapq.heapify(due)
        numbers = itertools.count(1)
        while due and not self._stop.is_set():
            at, _, job, retry = heapq.heappop(due)
            if self._stop.wait(max(0.0, at - time.monotonic())):
                return
            if job.monitor in self._retired:
                continue
            now = time.monotonic()
            kind, wait = (retry, None) if retry else job.next_push(now)
            if kind and not client.push(job.monitor, job.token, kind,
                                        f"{job.monitor}.{next(numbers)}"):
                heapq.heappush(due, (time.monotonic() + self.RETRY_SECONDS, next(order), job, kind))
                continue
            # A retry that succeeded goes on at the job's usual pace.
            pace = wait if wait is not None else job.next_push(now)[1]
            heapq.heappush(due, (now + pace, next(order), job, None))
