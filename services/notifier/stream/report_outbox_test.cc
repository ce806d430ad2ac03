// Tells which reports are told again when a stream breaks.
#include "services/notifier/stream/report_outbox.h"

#include <gtest/gtest.h>

#include <string>

namespace tocsin::notifier {
namespace {

Report Named(const std::string& id, Result result = Result::kDelivered) {
  Report report;
  report.delivery_id = id;
  report.result = result;
  return report;
}

std::string Ids(const std::vector<Report>& reports) {
  std::string ids;
  for (const Report& report : reports) ids += report.delivery_id;
  return ids;
}

TEST(ReportOutboxTest, GivesBatchesInOrder) {
  ReportOutbox outbox;
  for (const char* id : {"a", "b", "c"}) outbox.Add(Named(id));
  EXPECT_EQ(Ids(outbox.TakeBatch(2, absl::Seconds(1))), "ab");
  EXPECT_EQ(outbox.pending(), 1u);
  EXPECT_EQ(Ids(outbox.TakeBatch(2, absl::Seconds(1))), "c");
}

TEST(ReportOutboxTest, WhatWasWrittenLatelyOrNotAtAllIsUncertain) {
  ReportOutbox outbox;
  outbox.Add(Named("a"));
  outbox.TakeBatch(10, absl::Seconds(1));
  outbox.Add(Named("b"));
  outbox.TakeBatch(10, absl::Seconds(4));
  outbox.Add(Named("c"));
  EXPECT_EQ(Ids(outbox.TakeUncertain(absl::Seconds(2) + ReportOutbox::kMemory)), "bc");
  EXPECT_EQ(Ids(outbox.TakeUncertain(absl::Seconds(2) + ReportOutbox::kMemory)), "");
}

TEST(ReportOutboxTest, DeferralsThatWereWrittenAreNotToldAgain) {
  ReportOutbox outbox;
  outbox.Add(Named("a", Result::kDeferred));
  outbox.Add(Named("b", Result::kRetry));
  outbox.TakeBatch(10, absl::Seconds(1));
  outbox.Add(Named("c", Result::kDeferred));
  EXPECT_EQ(Ids(outbox.TakeUncertain(absl::Seconds(2))), "bc");
}

TEST(ReportOutboxTest, RemembersNoMoreThanItsBound) {
  ReportOutbox outbox;
  for (size_t i = 0; i < ReportOutbox::kMostRemembered + 10; ++i) outbox.Add(Named("x"));
  outbox.TakeBatch(ReportOutbox::kMostRemembered + 10, absl::Seconds(1));
  EXPECT_EQ(outbox.TakeUncertain(absl::Seconds(1)).size(), ReportOutbox::kMostRemembered);
}

}  // namespace
}  // namespace tocsin::notifier
