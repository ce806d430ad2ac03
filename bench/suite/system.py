"""The system that is measured: one replica of each service on a durable, tuned PostgreSQL."""

import os

from harness.cluster import Cluster
from harness.receiver import Receiver

# What docs/operations.md advises for a server of this size. Durable: a benchmark that does not
# wait for the disk measures another product.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "wal_buffers": "32MB",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "200",
    "track_commit_timestamp": "on",
    "jit": "off",
}
_SEED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seed_monitors.sql")


class System:
    def __init__(self):
        self.receiver = Receiver()
        self._cluster = Cluster("bench", postgres_settings=SETTINGS)
        self.postgres = self._cluster.postgres
        self.monitors = 0
        self.next_mortal = 0  # number of the next monitor that is made to die

    def __enter__(self):
        self._cluster.start()
        self.cli = self._cluster.cli()
        self.gateway = self._cluster.gateways[0].address
        self._cluster.make_channel(self.receiver, "bench", "--default")
        return self

    def __exit__(self, *_):
        self._cluster.close()
        self.receiver.close()

    @property
    def services(self):
        return self._cluster.services

    @property
    def notifier(self):
        return self._cluster.notifiers[0]

    def restart_core(self):
        self._cluster.cores[0].terminate()
        self._cluster.cores[0].restart(60)

    def grow(self, count):
        """Makes monitors that are UP for an hour, numbered from 0."""
        if count > self.monitors:
            self.seed("bench-", self.monitors, count - self.monitors, 3600e6)
            self.monitors = count
            self.postgres.execute("VACUUM ANALYZE")
            self.postgres.execute("CHECKPOINT")

    def seed(self, prefix, first, count, timeout_us, step_us=0, channels=""):
        self.postgres.run_file(_SEED, prefix=prefix, first=first, count=count,
                               timeout_us=int(timeout_us), step_us=int(step_us),
                               channels="{%s}" % channels)

    def cpu_seconds(self):
        """Processor time of each part so far."""
        used = {service.name.partition("-")[0]: service.cpu_seconds() for service in self.services}
        used["postgres"] = sum(_cpu(pid) for pid in self.postgres.pids())
        return used

    def wal_position(self):
        return self.postgres.query("SELECT pg_current_wal_insert_lsn() AS at")[0]["at"]

    def stored(self):
        return self.postgres.query("SELECT count(*) AS n FROM heartbeat")[0]["n"]


def _cpu(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


