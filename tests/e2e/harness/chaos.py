"""Faults at random moments, drawn from a seed."""

import signal

from harness.waiting import pause

FREEZE_SECONDS = 5


class Chaos:
    """Kills and freezes parts of a cluster, one fault at a time, and mends each. Must be driven
    from the main thread (see processes.Process)."""

    def __init__(self, cluster, random):
        self._cluster = cluster
        self._random = random
        self.done = []
        self._faults = [
            ("kill", self._kill_service, 6),
            ("freeze", self._freeze_service, 4),
            ("terminate", self._terminate_service, 2),
            ("kill all cores", self._kill_all_cores, 1),
            ("kill PostgreSQL", self._kill_postgres, 2),
            ("kill a backend of PostgreSQL", self._kill_backend, 2),
            ("freeze PostgreSQL", self._freeze_postgres, 1),
        ]

    def strike(self):
        """One fault and its repair; then a moment of peace."""
        name, fault, _ = self._random.choices(
            self._faults, weights=[weight for *_, weight in self._faults])[0]
        target = fault()
        self.done.append(f"{name} {target}".strip())
        print(f"  {self.done[-1]}", flush=True)
        pause(self._random.uniform(0.5, 3))

    def _any_service(self):
        kind = self._random.choice(
            [self._cluster.cores, self._cluster.gateways, self._cluster.notifiers])
        return self._random.choice(kind)

    def _kill_service(self):
        service = self._any_service()
        service.signal(signal.SIGKILL)
        service.wait(10)
        pause(self._random.uniform(0, 2))
        service.restart(60)
        return service.name

    def _freeze_service(self):
        service = self._any_service()
        service.freeze()
        pause(FREEZE_SECONDS)
        service.thaw()
        service.wait_ready(60)
        return service.name

    def _terminate_service(self):
        service = self._any_service()
        service.terminate(60)
        service.restart(60)
        return service.name

    def _kill_all_cores(self):
        for core in self._cluster.cores:
            core.signal(signal.SIGKILL)
        for core in self._cluster.cores:
            core.wait(10)
        pause(self._random.uniform(0, 4))
        for core in self._cluster.cores:
            core.start()
        self._wait_all_ready()
        return ""

    def _kill_postgres(self):
        self._cluster.postgres.kill()
        pause(self._random.uniform(0, 3))
        self._cluster.postgres.start()
        self._wait_all_ready()
        return ""

    def _kill_backend(self):
        self._cluster.postgres.kill_one_backend(self._random)
        pause(0.5)
        self._wait_all_ready()
        return ""

    def _freeze_postgres(self):
        self._cluster.postgres.freeze()
        pause(FREEZE_SECONDS)
        self._cluster.postgres.thaw()
        self._wait_all_ready()
        return ""

    def _wait_all_ready(self):
        for service in self._cluster.services:
            service.wait_ready(60)
