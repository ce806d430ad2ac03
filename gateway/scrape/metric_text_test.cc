// The letters of Prometheus' text format.
#include "gateway/scrape/metric_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gateway/scrape/gzip.h"
#include "gateway/scrape/scrape_query.h"

namespace tocsin::gateway {
namespace {

std::string Label(std::string_view value) {
  std::string out;
  AppendLabel("l", value, out);
  return out;
}

std::string Number(double value) {
  std::string out;
  AppendNumber(value, out);
  return out;
}

std::string Seconds(int64_t micros) {
  std::string out;
  AppendSeconds(micros, out);
  return out;
}

TEST(MetricText, EscapesWhatWouldEndAValue) {
  EXPECT_EQ(Label(""), R"(l="")");
  EXPECT_EQ(Label("a \"b\" \\ c\nd"), R"(l="a \"b\" \\ c\nd")");
  EXPECT_EQ(Label("größer, {x}=1 #"), R"(l="größer, {x}=1 #")");
  EXPECT_EQ(Label("\\n"), R"(l="\\n")");
}

TEST(MetricText, WritesNumbersSoThatTheyReadBackTheSame) {
  EXPECT_EQ(Number(0), "0");
  EXPECT_EQ(Number(-4.5), "-4.5");
  EXPECT_EQ(Number(0.1), "0.1");
  EXPECT_EQ(Number(1e300), "1e+300");
  EXPECT_EQ(std::stod(Number(1.0 / 3)), 1.0 / 3);
  EXPECT_EQ(Number(std::nan("")), "NaN");
  EXPECT_EQ(Number(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(Number(-std::numeric_limits<double>::infinity()), "-Inf");
}

TEST(MetricText, WritesTimesToTheMicrosecond) {
  EXPECT_EQ(Seconds(1'800'000'000'000'000), "1800000000");
  EXPECT_EQ(Seconds(1'800'000'000'000'005), "1800000000.000005");
  EXPECT_EQ(Seconds(1'800'000'000'250'000), "1800000000.25");
  EXPECT_EQ(Seconds(0), "0");
  EXPECT_EQ(Seconds(-1), "-0.000001");
}

TEST(MetricText, MakesNamesOfKeys) {
  EXPECT_EQ(LabelNameOf("team"), "label_team");
  EXPECT_EQ(LabelNameOf("app.kubernetes-io_name"), "label_app_kubernetes_io_name");
  EXPECT_EQ(LabelNameOf("0"), "label_0");
}

TEST(Gzip, IsAcceptedWhenTheClientSaysSo) {
  for (const char* yes : {"gzip", "GZIP", "deflate, gzip;q=0.5", "br , gzip ; q=1"}) {
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  }
  for (const char* no : {"", "identity", "*", "gzip;q=0", "gzip;q=0.0", "xgzip", "gzip;q"}) {
    EXPECT_FALSE(AcceptsGzip(no)) << no;
  }
}

TEST(ScrapeQuery, TakesAProjectAndAFilter) {
  const auto none = ReadScrapeQuery("");
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->project() + none->filter(), "");
  const auto both = ReadScrapeQuery("filter=labels.team+%3D+payments&&project=p");
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both->project(), "p");
  EXPECT_EQ(both->filter(), "labels.team = payments");
}

TEST(ScrapeQuery, RefusesWhatItDoesNotKnowAndSaysWhatItTakes) {
  for (const char* query :
       {"match[]=up", "project=a&project=b", "filter=%zz", "%=1", "filter=%00", "label=team"}) {
    const absl::Status status = ReadScrapeQuery(query).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << query;
    EXPECT_NE(status.message().find("accepted are project and filter"), std::string::npos);
  }
}

}  // namespace
}  // namespace tocsin::gateway
