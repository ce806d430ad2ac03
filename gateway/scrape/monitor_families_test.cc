// Monitors as Prometheus reads them.
#include "gateway/scrape/monitor_families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_details.h"
#include "gateway/scrape/gzip.h"

namespace tocsin::gateway {
namespace {

using internal::v1::ExportedMonitor;
using internal::v1::ExportMonitorsResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ExportMonitorsResponse Page(const std::string& project, int first, int count) {
  ExportMonitorsResponse page;
  page.set_project(project);
  for (int i = first; i < first + count; ++i) {
    ExportedMonitor& monitor = *page.add_monitors();
    monitor.set_id(absl::StrCat("m-", i));
    monitor.set_state(v1::Monitor::STATE_UP);
    monitor.mutable_last_heartbeat_time()->set_seconds(1'800'000'000 + i);
    monitor.mutable_deadline_time()->set_seconds(1'900'000'000 + i);
    monitor.set_last_value(i);
  }
  return page;
}

// Everything, with the rest in pieces of about `piece` bytes.
std::string TextOf(const std::vector<ExportMonitorsResponse>& pages, size_t piece = 1000) {
  MonitorFamilies families;
  std::string text;
  for (const ExportMonitorsResponse& page : pages) {
    EXPECT_TRUE(families.AddPage(page, text).ok());
  }
  bool more = true;
  while (more) {
    std::string next;
    more = families.AppendNext(piece, next);
    EXPECT_LT(next.size(), piece + 500);
    text += next;
  }
  return text;
}

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST(MonitorFamilies, SaysEverythingOfAMonitor) {
  ExportMonitorsResponse page;
  page.set_project("p");
  ExportedMonitor& monitor = *page.add_monitors();
  monitor.set_id("backup");
  monitor.set_display_name("The \"backup\"");
  monitor.set_owner("pay\\ments");
  monitor.set_severity(v1::Monitor::SEVERITY_CRITICAL);
  (*monitor.mutable_labels())["team"] = "a\nb";
  monitor.set_state(v1::Monitor::STATE_DOWN);
  monitor.mutable_last_heartbeat_time()->set_seconds(1'800'000'000);
  monitor.mutable_last_heartbeat_time()->set_nanos(5'000);
  monitor.mutable_deadline_time()->set_seconds(1'800'000'060);
  monitor.set_last_value(4.5);
  monitor.set_silenced(true);
  EXPECT_THAT(
      Lines(TextOf({page})),
      ElementsAre(
          HasSubstr("# HELP tocsin_monitor_info "), "# TYPE tocsin_monitor_info gauge",
          R"(tocsin_monitor_info{project="p",monitor="backup",display_name="The \"backup\"",owner="pay\\ments",severity="critical",label_team="a\nb"} 1)",
          HasSubstr("# HELP tocsin_monitor_state "), "# TYPE tocsin_monitor_state gauge",
          R"(tocsin_monitor_state{project="p",monitor="backup",state="new"} 0)",
          R"(tocsin_monitor_state{project="p",monitor="backup",state="up"} 0)",
          R"(tocsin_monitor_state{project="p",monitor="backup",state="down"} 1)",
          R"(tocsin_monitor_state{project="p",monitor="backup",state="paused"} 0)",
          HasSubstr("# HELP tocsin_monitor_silenced "), "# TYPE tocsin_monitor_silenced gauge",
          R"(tocsin_monitor_silenced{project="p",monitor="backup"} 1)",
          HasSubstr("# HELP tocsin_monitor_last_heartbeat_timestamp_seconds "),
          "# TYPE tocsin_monitor_last_heartbeat_timestamp_seconds gauge",
          R"(tocsin_monitor_last_heartbeat_timestamp_seconds{project="p",monitor="backup"} 1800000000.000005)",
          HasSubstr("# HELP tocsin_monitor_deadline_timestamp_seconds "),
          "# TYPE tocsin_monitor_deadline_timestamp_seconds gauge",
          R"(tocsin_monitor_deadline_timestamp_seconds{project="p",monitor="backup"} 1800000060)",
          HasSubstr("# HELP tocsin_monitor_last_value "), "# TYPE tocsin_monitor_last_value gauge",
          R"(tocsin_monitor_last_value{project="p",monitor="backup"} 4.5)"));
}

TEST(MonitorFamilies, LeavesOutWhatAMonitorHasNot) {
  ExportMonitorsResponse page;
  page.set_project("p");
  page.add_monitors()->set_id("fresh");
  page.mutable_monitors(0)->set_state(v1::Monitor::STATE_NEW);
  const std::string text = TextOf({page});
  EXPECT_THAT(text,
              HasSubstr(R"(tocsin_monitor_state{project="p",monitor="fresh",state="new"} 1)"));
  for (const char* family :
       {"last_heartbeat_timestamp_seconds", "deadline_timestamp_seconds", "last_value"}) {
    EXPECT_THAT(text, Not(HasSubstr(absl::StrCat("tocsin_monitor_", family, "{"))));
  }
}

TEST(MonitorFamilies, NumbersLabelsThatPrometheusCouldNotTellApart) {
  ExportMonitorsResponse page;
  page.add_monitors()->set_id("m");
  auto& labels = *page.mutable_monitors(0)->mutable_labels();
  labels["a.b"] = "dot";
  labels["a-b"] = "dash";
  labels["c"] = "alone";
  EXPECT_THAT(
      TextOf({page}),
      HasSubstr(R"(label_a_b_conflict1="dash",label_a_b_conflict2="dot",label_c="alone"})"));
}

TEST(MonitorFamilies, KeepsEachFamilyTogetherHoweverTheTextIsCut) {
  const std::vector<ExportMonitorsResponse> pages = {Page("a", 0, 7), Page("b", 7, 0),
                                                     Page("b", 7, 5)};
  const std::string whole = TextOf(pages, 1 << 20);
  std::vector<std::string> families;
  std::set<std::string> series;
  for (const std::string& line : Lines(whole)) {
    if (line[0] == '#') continue;
    EXPECT_TRUE(series.insert(line.substr(0, line.find("} "))).second) << line;
    const std::string family = line.substr(0, line.find('{'));
    if (families.empty() || families.back() != family) families.push_back(family);
  }
  EXPECT_THAT(families, ElementsAre("tocsin_monitor_info", "tocsin_monitor_state",
                                    "tocsin_monitor_last_heartbeat_timestamp_seconds",
                                    "tocsin_monitor_deadline_timestamp_seconds",
                                    "tocsin_monitor_last_value"));
  EXPECT_EQ(series.size(), 12u * 8);
  for (const size_t piece : {1u, 10u, 700u, 3000u}) EXPECT_EQ(TextOf(pages, piece), whole);
}

TEST(MonitorFamilies, OfNoMonitorsShowsTheFamilies) {
  const std::vector<std::string> lines = Lines(TextOf({}));
  EXPECT_EQ(lines.size(), 12u);
  EXPECT_EQ(lines, Lines(TextOf({ExportMonitorsResponse()})));
}

TEST(MonitorFamilies, KeepsFewBytesOfAMonitorAndNoMoreThanItMay) {
  MonitorFamilies families;
  std::string text;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(families.AddPage(Page("p", i * 1000, 1000), text).ok());
  EXPECT_LT(families.kept(), 20'000u * 48);
  MonitorFamilies small(1000);
  const absl::Status status = small.AddPage(Page("p", 0, 1000), text);
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(Reason(status), "TOO_MANY_MONITORS");
}

TEST(Gzip, ReadsBackAsTheSameText) {
  const std::string text = TextOf({Page("p", 0, 2000)});
  Gzip gzip;
  std::string packed;
  for (size_t at = 0; at < text.size(); at += 999) {
    gzip.Add(std::string_view(text).substr(at, 999), packed);
  }
  gzip.End(packed);
  EXPECT_LT(packed.size() * 8, text.size());
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string read(text.size() + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(read.data());
  stream.avail_out = static_cast<uInt>(read.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  read.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(read, text);
}

}  // namespace
}  // namespace tocsin::gateway
