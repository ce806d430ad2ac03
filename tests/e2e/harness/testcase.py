"""A unittest case with a running Tocsin, a receiver and logs on failure."""

import unittest

from harness.cluster import Cluster
from harness.receiver import Receiver


class TocsinTestCase(unittest.TestCase):
    """One cluster for the whole class; each test uses monitors of its own."""

    cluster_options = {}

    @classmethod
    def setUpClass(cls):
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.close)
        cls.cluster = Cluster(cls.__name__, **cls.cluster_options)
        cls.addClassCleanup(cls.cluster.close)
        try:
            cls.cluster.start()
        except BaseException:
            cls.cluster.print_logs()
            raise
        cls.cli = cls.cluster.cli()
        cls.gateway = cls.cluster.gateways[0].address if cls.cluster.gateways else None

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            self.cluster.print_logs()
        return result

    def id_of_test(self):
        """A monitor id that no other test uses: the name of the test, within what ids allow."""
        return self._testMethodName.removeprefix("test_").replace("_", "-")[:60].rstrip("-")
