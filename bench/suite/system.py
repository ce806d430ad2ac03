"""The system that is measured: one replica of each service on a durable, tuned PostgreSQL."""

import os

from harness.cluster import Cluster
from harness.waiting import wait_until
from suite import tools

# What docs/operations.md advises for a server of this size. Durable: a benchmark that does not
# wait for the disk measures another product.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "min_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_buffers": "32MB",
    "wal_compression": "lz4",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "200",
    "track_commit_timestamp": "on",
    "jit": "off",
}
_SEED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seed_monitors.sql")
CRITICAL, _ERROR = 1, 2  # severities, as they are stored
_DAY_US = 86_400e6
# Of the log, 16 MB each: all that min_wal_size keeps.
_LOG_FILES = 256
# Numbers of monitors that are made to die, far from those that are pushed.
_FIRST_MORTAL = 50_000_000


class System:
    def __init__(self):
        self._must_be_fair()
        self._cluster = Cluster("bench", postgres_settings=SETTINGS)
        self.postgres = self._cluster.postgres
        self.monitors = 0
        self.worked = False  # whether a benchmark gave the services work before
        self._warm = False
        self._next_mortal = _FIRST_MORTAL
        self._channels = 0

    def __enter__(self):
        self._cluster.start()
        self.cli = self._cluster.cli()
        # For the load generators, which call core themselves.
        with open(self._cluster.key_files["admin"]) as key:
            os.environ["TOCSIN_KEY"] = key.read().strip()
        self.gateway = self._cluster.gateways[0].address
        self._must_be_durable()
        self._make_log_files()
        return self

    def __exit__(self, *_):
        self._cluster.close()

    def _must_be_fair(self):
        """PostgreSQL's sessions are sessions for the kernel, too: each has an autogroup of its own,
        and starves beside one that this run was given preference in."""
        nice = tools.autogroup_nice(tools.own_autogroup())
        if nice != 0:
            raise RuntimeError(f"the autogroup of this session has nice {nice}, those of PostgreSQL's"
                               " sessions 0: set it so, too (echo 0 >/proc/self/autogroup)")

    def _must_be_durable(self):
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            value = self.postgres.query(f"SELECT current_setting('{setting}') AS value")[0]["value"]
            if value != "on":
                raise RuntimeError(f"PostgreSQL runs with {setting} = {value}: nothing would count")

    def _make_log_files(self):
        """A server with this min_wal_size that was busy before writes its log into old files of it. A
        new one has none: it fills each with zeros, and flushes that, while whoever commits waits."""
        self.postgres.execute("SELECT pg_create_restore_point('used'), pg_switch_wal()"
                              f" FROM generate_series(1, {_LOG_FILES})")
        self.postgres.execute("CHECKPOINT")

    @property
    def services(self):
        return self._cluster.services

    @property
    def core(self):
        return self._cluster.cores[0]

    @property
    def gateway_process(self):
        return self._cluster.gateways[0]

    @property
    def notifier(self):
        return self._cluster.notifiers[0]

    def revive(self):
        """Starts what a benchmark that failed left stopped."""
        for service in self.services:
            if not service.alive():
                service.restart(60)

    def grow(self, count):
        """Makes monitors that stay UP for a day, numbered from 0, until there are `count`."""
        if count > self.monitors:
            self._seed("bench-", self.monitors, count - self.monitors, _DAY_US)
            self.monitors = count
            self._warm = False
            self.postgres.execute("VACUUM ANALYZE")
            self.postgres.execute("CHECKPOINT")

    def warm_up(self, seconds, again=False):
        """Fills caches and statistics, unless that was done with these monitors."""
        if again or not self._warm:
            tools.wrk(self.gateway, max(2, seconds), self.monitors)
            self._warm = True

    def doom(self, count, first_s, spread_s, *channels, severity=_ERROR):
        """Makes monitors that die: the first `first_s` seconds from now, the others evenly over
        `spread_s` after it. Each names one of the channels, in turn. Returns the prefix of their
        ids."""
        prefix = f"mortal{self._next_mortal}-"
        took = tools.stopwatch()
        self._seed(prefix, self._next_mortal, count, first_s * 1e6, spread_s * 1e6 / count,
                   channels, severity)
        self._next_mortal += count
        if took() > first_s:
            raise RuntimeError(f"making {count} monitors took {took():.1f} s: some died meanwhile")
        return prefix

    def _seed(self, prefix, first, count, timeout_us, step_us=0, channels=(),
              severity=_ERROR):
        self.postgres.run_file(_SEED, prefix=prefix, first=first, count=count,
                               timeout_us=int(timeout_us), step_us=int(step_us), severity=severity,
                               channels="{%s}" % ",".join(channels))

    def make_channel(self, url):
        """The id of a new channel, which only monitors that name it use."""
        self._channels += 1
        channel = f"sink{self._channels}"
        # Each alert is measured by its own webhook.
        self.cli.json("channel", "create", channel, "--url", url, "--group-wait", "0s")
        return channel

    def delete_channel(self, channel):
        self.cli.text("channel", "delete", channel)

    def count(self, prefix, table, condition="true"):
        """How many rows of the table are about monitors of doom()."""
        return self.postgres.query(
            f"SELECT count(*) AS n FROM {table} t JOIN monitor m USING (monitor_id)"
            f" WHERE m.id LIKE '{prefix}%' AND {condition}")[0]["n"]

    def wait_for(self, prefix, table, count, timeout, condition="true", poll=0.5):
        """Until that many rows of the table are about monitors of doom(). Looking costs half a
        second of processor time when there are 100,000 of them."""
        def now():
            return self.count(prefix, table, condition)
        wait_until(lambda: now() == count, timeout,
                   lambda: f"{count} of {table} ({condition}), there are {now()}", poll=poll)

    def cpu_seconds(self):
        """Processor time of each part so far."""
        used = {service.name.partition("-")[0]: service.cpu_seconds() for service in self.services}
        used["postgres"] = sum(tools.cpu_seconds(pid) for pid in self.postgres.pids())
        return used

    def wal_position(self):
        return self.postgres.query("SELECT pg_current_wal_insert_lsn() AS at")[0]["at"]

    def stored(self):
        return self.postgres.query("SELECT count(*) AS n FROM heartbeat")[0]["n"]
