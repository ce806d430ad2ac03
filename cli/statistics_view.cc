// What people see of the statistics of a monitor.
#include "cli/statistics_view.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "cli/duration.h"
#include "cli/table.h"
#include "cli/values.h"
#include "common/number.h"

namespace tocsin::cli {
namespace {

constexpr size_t kMostBars = 12;
constexpr size_t kBarWidth = 40;
constexpr int64_t kFewestGaps = 100;

absl::Duration SpanOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

// To three digits or so, in the words of flags: "72s", "850ms", "1m30s", "2h".
std::string Rounded(absl::Duration span) {
  const absl::Duration steps[] = {absl::Milliseconds(1), absl::Milliseconds(10),
                                  absl::Milliseconds(100), absl::Seconds(1), absl::Minutes(1)};
  const absl::Duration below[] = {absl::Seconds(1), absl::Seconds(10), absl::Seconds(100),
                                  absl::Hours(2), absl::InfiniteDuration()};
  size_t i = 0;
  while (span >= below[i]) ++i;
  const absl::Duration rounded = absl::Floor(span + steps[i] / 2, steps[i]);
  if (rounded >= absl::Seconds(60) && rounded < absl::Seconds(100)) {
    return absl::StrCat(absl::ToDoubleSeconds(rounded), "s");
  }
  return ShowDuration(rounded);
}

std::string Rounded(double seconds) { return Rounded(absl::Seconds(seconds)); }

// "10,080".
std::string Grouped(int64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

// "1 gap", "2 gaps".
std::string Counted(int64_t number, absl::string_view what) {
  return absl::StrCat(number == 0 ? "no" : Grouped(number), " ", what, number == 1 ? "" : "s");
}

// Rounded down, so that 100 % is all of it.
std::string Percent(double ratio) {
  return absl::StrFormat("%.3f %%", std::floor(ratio * 100'000) / 1000);
}

std::string UptimeTable(const v1::MonitorStatistics& statistics) {
  Table table({"WINDOW", "UPTIME", "WATCHED", "DOWN", "INCIDENTS", "TIME TO RECOVERY"});
  for (const v1::Uptime& uptime : statistics.uptimes()) {
    table.AddRow({Show(uptime.window()), uptime.has_ratio() ? Percent(uptime.ratio()) : "",
                  Rounded(SpanOf(uptime.watched())), Rounded(SpanOf(uptime.down())),
                  Grouped(uptime.incidents()),
                  uptime.has_mean_time_to_recovery()
                      ? Rounded(SpanOf(uptime.mean_time_to_recovery()))
                      : ""});
  }
  return table.ToString();
}

// Neighbours of one doubling, two, four, … become one until there are few.
std::vector<v1::Distribution::Bucket> FewBuckets(const v1::Distribution& spread) {
  std::vector<v1::Distribution::Bucket> few(spread.buckets().begin(), spread.buckets().end());
  for (double doublings = 0.25; few.size() > kMostBars; doublings *= 2) {
    std::vector<v1::Distribution::Bucket> fewer;
    double group = 0;
    for (const v1::Distribution::Bucket& bucket : few) {
      // Halves of a bucket away from the bounds, at which logarithms are not exact.
      const double middle = std::log2(std::max((bucket.low() + bucket.high()) / 2, 1e-4));
      const double its = std::floor(middle / doublings);
      if (fewer.empty() || its != group) {
        fewer.push_back(bucket);
      } else {
        fewer.back().set_high(bucket.high());
        fewer.back().set_count(fewer.back().count() + bucket.count());
      }
      group = its;
    }
    few = std::move(fewer);
  }
  return few;
}

std::string Histogram(const std::vector<v1::Distribution::Bucket>& buckets, const char* what,
                      const std::function<std::string(double)>& show) {
  int64_t most = 1;
  for (const auto& bucket : buckets) most = std::max<int64_t>(most, bucket.count());
  Table table({what, "HOW MANY", ""});
  for (const auto& bucket : buckets) {
    const auto width = static_cast<size_t>(
        std::ceil(static_cast<double>(kBarWidth) * static_cast<double>(bucket.count()) /
                  static_cast<double>(most)));
    table.AddRow({absl::StrCat(show(bucket.low()), " to ", show(bucket.high())),
                  Grouped(bucket.count()), std::string(width, '#')});
  }
  return table.ToString();
}

std::string Spread(const v1::Distribution& spread, const std::string& what,
                   const std::function<std::string(double)>& show) {
  return absl::StrCat(what, ": from ", show(spread.min()), " to ", show(spread.max()),
                      ", half at most ", show(spread.p50()), ", 99 % at most ", show(spread.p99()),
                      ", 99.9 % at most ", show(spread.p999()), "\n");
}

std::string TimesText(const v1::Distribution& spread, const char* heading,
                      const std::string& what) {
  const auto show = [](double seconds) { return Rounded(seconds); };
  return absl::StrCat("\n", Spread(spread, what, show), "\n",
                      Histogram(FewBuckets(spread), heading, show));
}

std::string ValuesText(const v1::Distribution& spread) {
  const auto show = [](double value) { return NumberText(value); };
  // Of buckets computed, and told by nobody.
  const auto round = [](double value) { return absl::StrCat(value); };
  const std::vector<v1::Distribution::Bucket> buckets(spread.buckets().begin(),
                                                      spread.buckets().end());
  return absl::StrCat("\n", Spread(spread, Counted(spread.count(), "value"), show), "\n",
                      Histogram(buckets, "VALUE", round));
}

}  // namespace

std::string AdviceText(const v1::TimeoutAdvice& advice, bool asked) {
  const bool cron = !advice.has_timeout();
  if (!advice.has_longest_usual()) return "No gap between heartbeats was seen yet.\n";
  const std::string flag = cron ? "grace" : "timeout";
  const std::string seen =
      cron ? absl::StrCat("99.9 % of ", Counted(advice.gap_count(), "heartbeat"), " came at most ",
                          Rounded(SpanOf(advice.longest_usual())), " after the fire time")
           : absl::StrCat("99.9 % of ", Counted(advice.gap_count(), "gap"), " were at most ",
                          Rounded(SpanOf(advice.longest_usual())));
  const std::string beside =
      !cron && advice.grace().seconds() > 0
          ? absl::StrCat(" with its grace of ", Rounded(SpanOf(advice.grace())))
          : "";
  std::string text =
      absl::StrCat(seen, "; ", asked ? "a " : "the ", flag, " of ",
                   Rounded(SpanOf(cron ? advice.grace() : advice.timeout())), beside,
                   " would have raised ", Counted(advice.false_alarms(), "false alarm"), " since ",
                   Show(advice.false_alarms_since()), ".\n");
  if (asked) return text;
  if (advice.has_suggested_timeout() || advice.has_suggested_grace()) {
    const absl::Duration better =
        SpanOf(cron ? advice.suggested_grace() : advice.suggested_timeout());
    absl::StrAppend(
        &text, "Suggested: --", flag, " ", Rounded(better), ", which would have raised ",
        advice.suggested_false_alarms() == 0 ? "none" : Grouped(advice.suggested_false_alarms()),
        ".\n");
  } else {
    absl::StrAppend(&text, "No ", flag, " is suggested before there are ", kFewestGaps, ".\n");
  }
  return text;
}

std::string StatisticsText(const v1::MonitorStatistics& statistics) {
  std::string text = UptimeTable(statistics);
  if (statistics.has_gaps()) {
    absl::StrAppend(&text, TimesText(statistics.gaps(), "GAP",
                                     absl::StrCat(Counted(statistics.gaps().count(), "gap"),
                                                  " between heartbeats since ",
                                                  Show(statistics.heartbeats_since()))));
  }
  if (statistics.has_lateness()) {
    absl::StrAppend(&text,
                    TimesText(statistics.lateness(), "AFTER FIRE TIME",
                              absl::StrCat("After the fire time came ",
                                           Counted(statistics.lateness().count(), "heartbeat"))));
  }
  if (statistics.has_values()) absl::StrAppend(&text, ValuesText(statistics.values()));
  absl::StrAppend(&text, "\n", AdviceText(statistics.timeout_advice(), /*asked=*/false));
  return text;
}

}  // namespace tocsin::cli
