#!/usr/bin/python3
"""The pure parts of the suite: medians, the table, the comparison."""

import dataclasses
import os
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(TREE, "tests/e2e")]

from suite import catalogue, compare, curves, plots, report, scale, tools  # noqa: E402, needs the path
from suite.figures import HIGHER, LOWER, Figure, median, number, percentile  # noqa: E402


def rate(value, **more):
    return Figure("push.rate", "pushes", value, "/s", better=HIGHER, **more)


def delay(value, **more):
    return Figure("push.p99", "p99", value, "ms", better=LOWER, **more)


class FiguresTest(unittest.TestCase):
    def test_the_median_of_runs_is_not_moved_by_one_bad_run(self):
        self.assertEqual(median([{"x": 10}, {"x": 11}, {"x": 900}], "x"), 11)

    def test_the_99th_percentile_of_a_hundred_is_the_worst(self):
        self.assertEqual(percentile(range(100, 0, -1), 0.99), 100)
        self.assertEqual(percentile(range(1, 201), 0.5), 101)
        self.assertEqual(percentile([7], 0.99), 7)

    def test_a_target_is_met_at_exactly_its_limit(self):
        self.assertTrue(rate(0.5, limit=0.5).met)
        self.assertTrue(delay(50, limit=50).met)

    def test_a_target_is_not_met_on_the_wrong_side_of_its_limit(self):
        self.assertFalse(rate(0.49, limit=0.5).met)
        self.assertFalse(delay(51, limit=50).met)

    def test_a_figure_without_a_target_is_neither_met_nor_missed(self):
        self.assertIsNone(rate(5).met)

    def test_numbers_have_the_digits_that_say_something(self):
        self.assertEqual(number(31234.4, "/s"), "31,234/s")
        self.assertEqual(number(0.523, ""), "0.52")
        self.assertEqual(number(1.756, "ms"), "1.76 ms")
        self.assertEqual(number(19.34, "ms"), "19.3 ms")
        self.assertEqual(number(0.011, "%"), "1.10 %")
        self.assertEqual(number(0, ""), "0")


class FairnessTest(unittest.TestCase):
    def test_the_nice_value_of_an_autogroup_is_read(self):
        self.assertEqual(tools.autogroup_nice("/autogroup-78700 nice -20\n"), -20)
        self.assertEqual(tools.autogroup_nice("/autogroup-7 nice 0\n"), 0)

    def test_a_kernel_without_autogroups_is_fair(self):
        self.assertEqual(tools.autogroup_nice(""), 0)


class ComparisonTest(unittest.TestCase):
    def change(self, before, now):
        return compare.changes([before], [now])[0]

    def test_a_lower_rate_is_worse(self):
        change = self.change(rate(30000), rate(20000))
        self.assertTrue(change.worse)
        self.assertAlmostEqual(change.share, 0.5)

    def test_a_longer_delay_is_worse(self):
        self.assertTrue(self.change(delay(10), delay(13)).worse)

    def test_a_change_within_the_tolerance_is_neither_worse_nor_better(self):
        for now in (87, 100, 114):
            change = self.change(rate(100), rate(now))
            self.assertFalse(change.worse or change.better)

    def test_a_higher_rate_and_a_shorter_delay_are_better(self):
        self.assertTrue(self.change(rate(100), rate(130)).better)
        self.assertTrue(self.change(delay(13), delay(10)).better)

    def test_a_slower_machine_is_not_held_against_the_program(self):
        change = self.change(rate(30000, relative=0.5), rate(15000, relative=0.5))
        self.assertFalse(change.worse)

    def test_something_where_nothing_was_is_worse(self):
        self.assertTrue(self.change(delay(0), delay(1)).worse)
        self.assertTrue(self.change(rate(1), rate(0)).worse)
        self.assertIn("far worse", self.change(delay(0), delay(1)).text())

    def test_nothing_as_before_is_no_change(self):
        self.assertFalse(self.change(delay(0), delay(0)).worse)

    def test_only_what_both_runs_measured_is_compared(self):
        other = Figure("other", "another", 1, better=LOWER)
        self.assertEqual(compare.changes([rate(1)], [other]), [])

    def test_figures_that_are_only_told_are_not_compared(self):
        told = Figure("told", "told", 1)
        self.assertEqual(compare.changes([told], [told]), [])

    def test_a_target_that_was_met_and_is_not_any_more_is_named(self):
        before, now = rate(0.51, limit=0.5), rate(0.49, limit=0.5)
        self.assertEqual(compare.broken_targets([before], [now]), [now])
        self.assertEqual(compare.broken_targets([now], [now]), [])
        self.assertEqual(compare.broken_targets([now], [before]), [])


class ReportTest(unittest.TestCase):
    def report(self, *figures, **more):
        return report.Report("2026-01-05, 2 cores", "./dev bench", "full", list(figures), **more)

    def test_the_table_says_what_was_asked_for_and_whether_it_is_met(self):
        lines = report.table([rate(0.6, target="P1", limit=0.5), delay(60, limit=50)]).splitlines()
        self.assertEqual([cell.strip() for cell in lines[2].split("|")[1:-1]],
                         ["P1", "pushes", "0.60/s", "≥ 0.50/s", "met"])
        self.assertIn("**not met**", lines[3])

    def test_the_columns_of_the_table_are_aligned(self):
        lines = report.table([rate(1), delay(1)]).splitlines()
        self.assertEqual(len({len(line) for line in lines}), 1)

    def test_a_benchmark_that_failed_is_said_to_be_not_measured(self):
        self.assertIn("Not measured: push: broke", report.text(self.report(faults=["push: broke"])))

    def test_a_report_survives_its_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.json")
            written = self.report(rate(1, limit=2, relative=0.3), faults=["x"])
            report.save(written, path)
            self.assertEqual(report.load(path), written)

    def test_without_a_file_there_is_no_report(self):
        self.assertIsNone(report.load("/nonexistent/report.json"))

    def test_recording_some_benchmarks_keeps_the_figures_of_the_others(self):
        old = self.report(rate(1), delay(1))
        new = self.report(delay(2), Figure("new", "new", 3))
        self.assertEqual([f.value for f in report.merged(old, new).figures], [1, 2, 3])

    def test_what_an_earlier_run_took_says_which_run(self):
        old = dataclasses.replace(self.report(rate(1)), title="2025-12-31")
        whole = report.merged(old, self.report(delay(2)))
        text = report.text(report.merged(whole, self.report(delay(3))))
        self.assertIn("1.00/s [1]", text.replace("1/s", "1.00/s"))
        self.assertIn("[1] `./dev bench`, 2025-12-31.", text)

    def test_the_table_on_a_page_is_replaced_and_the_rest_is_kept(self):
        page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
        self.assertEqual(report.replace_table(page, "new"),
                         f"before\n{report.BEGIN}\nnew\n{report.END}\nafter\n")

    def test_a_page_without_the_marks_is_refused(self):
        with self.assertRaises(ValueError):
            report.replace_table("nothing", "new")


class CurvesTest(unittest.TestCase):
    def test_sizes_may_be_short(self):
        self.assertEqual([curves.size(text) for text in ("0", "64", "10k", "1.5M")],
                         [0, 64, 10_000, 1_500_000])

    def test_what_is_no_size_is_refused(self):
        for text in ("", "many", "-1", "0.5", "1G"):
            with self.assertRaises(ValueError):
                curves.size(text)

    def test_points_measured_in_parts_come_together_in_order(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "growth.json")
            for x, value in ((10_000, 1), (1000, 2), (10_000, 3)):
                curves.add(path, "monitors", x, {"ratio": value})
            points = curves.load(path)["monitors"]
            self.assertEqual(plots.series(points, "ratio"), ([1000, 10_000], [2, 3]))

    def test_a_value_that_a_point_lacks_is_left_out(self):
        self.assertEqual(plots.series({1: {"a": 5}, 2: {}}, "a"), ([1], [5]))


class CatalogueTest(unittest.TestCase):
    def test_a_benchmark_that_takes_too_long_is_ended(self):
        with self.assertRaises(catalogue.TookTooLong):
            with catalogue.at_most(1):
                threading.Event().wait(60)

    def test_every_target_has_a_benchmark(self):
        said = " ".join(benchmark.summary for benchmark in catalogue.ALL.values())
        for number_of in range(1, 12):
            self.assertRegex(said, rf"\bP{number_of}\b")

    def test_every_benchmark_is_bounded(self):
        for benchmark in catalogue.ALL.values():
            self.assertLess(benchmark.limit_s(scale.full()), 30 * 60)


if __name__ == "__main__":
    unittest.main()
