// What is kept of a backlog, and what the receiver is told of the rest.
#include "services/core/domain/backlog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;

constexpr absl::Time kAt = absl::UnixEpoch();

Delivery Opened(DeliveryKey key) {
  Delivery delivery;
  delivery.key = key;
  delivery.type = DeliveryType::kIncidentOpened;
  delivery.events = {key * 10};
  delivery.created_at = kAt + absl::Seconds(key);
  return delivery;
}

Delivery Resolved(DeliveryKey key) {
  Delivery delivery = Opened(key);
  delivery.type = DeliveryType::kIncidentResolved;
  return delivery;
}

// An incident that opened and closed before anything of it was sent.
Delivery Both(DeliveryKey key) {
  Delivery delivery = Resolved(key);
  delivery.events.push_back(key * 10 + 1);
  return delivery;
}

Delivery Reminder(DeliveryKey key) {
  Delivery delivery = Opened(key);
  delivery.type = DeliveryType::kIncidentReminder;
  return delivery;
}

// FIRING, RESOLVED, FIRING, … from 1.
std::vector<Delivery> Flapping(int count) {
  std::vector<Delivery> queue;
  for (int i = 1; i <= count; ++i) queue.push_back(i % 2 == 1 ? Opened(i) : Resolved(i));
  return queue;
}

std::optional<BacklogCut> Cut(const std::vector<Delivery>& queue) {
  return CutBacklog(queue, /*knows_incidents=*/false);
}

TEST(CutBacklog, LeavesTenAlone) {
  EXPECT_FALSE(Cut({}).has_value());
  EXPECT_FALSE(Cut(Flapping(10)).has_value());
}

TEST(CutBacklog, KeepsTheOldestFiringAndTheNewestOfEleven) {
  const std::optional<BacklogCut> cut = Cut(Flapping(11));
  ASSERT_TRUE(cut.has_value());
  EXPECT_THAT(cut->superseded, ElementsAre(2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_EQ(cut->newest, 11);
  EXPECT_EQ(cut->skipped, 9);
  EXPECT_EQ(cut->at, kAt + absl::Seconds(11));
}

TEST(CutBacklog, AResolutionBeforeTheOldestFiringIsLeftOut) {
  std::vector<Delivery> queue = Flapping(12);
  queue.erase(queue.begin());
  const std::optional<BacklogCut> cut = Cut(queue);
  ASSERT_TRUE(cut.has_value());
  EXPECT_THAT(cut->superseded, ElementsAre(2, 4, 5, 6, 7, 8, 9, 10, 11));
}

TEST(CutBacklog, WhoKnowsIncidentsHearsTheEndOfWhatItHears) {
  // It has heard of the incident that 2 ends; 3 opens one that 4 ends; and 13 is the newest.
  std::vector<Delivery> queue = Flapping(13);
  queue.erase(queue.begin());
  const std::optional<BacklogCut> cut = CutBacklog(queue, /*knows_incidents=*/true);
  ASSERT_TRUE(cut.has_value());
  EXPECT_THAT(cut->superseded, ElementsAre(5, 6, 7, 8, 9, 10, 11, 12));
  EXPECT_EQ(cut->newest, 13);
  EXPECT_EQ(cut->skipped, 8);
  // What tells its own end has no other.
  for (Delivery& delivery : queue) delivery = Both(delivery.key);
  EXPECT_THAT(CutBacklog(queue, /*knows_incidents=*/true)->superseded,
              ElementsAre(3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
}

TEST(CutBacklog, WhatMayBeUnderWayIsKeptAndDoesNotWait) {
  std::vector<Delivery> queue = Flapping(11);
  queue[0].lease_id = "lease";
  EXPECT_FALSE(Cut(queue).has_value());
  queue.push_back(Resolved(12));
  const std::optional<BacklogCut> cut = Cut(queue);
  ASSERT_TRUE(cut.has_value());
  // The FIRING that is being sent is the oldest: no other is kept for its age.
  EXPECT_THAT(cut->superseded, ElementsAre(2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_EQ(cut->skipped, 10);
}

TEST(CutBacklog, CountsEventsAndWhatWasLeftOutBefore) {
  std::vector<Delivery> queue;
  for (int i = 1; i <= 11; ++i) queue.push_back(Both(i));
  queue[4].skipped = 7;
  const std::optional<BacklogCut> cut = Cut(queue);
  ASSERT_TRUE(cut.has_value());
  EXPECT_THAT(cut->superseded, ElementsAre(2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_EQ(cut->skipped, 9 * 2 + 7);
}

TEST(CutBacklog, WhatTheNewestSaysAlreadyIsNotForgotten) {
  std::vector<Delivery> queue = Flapping(11);
  queue.back().skipped = 3;
  EXPECT_EQ(Cut(queue)->skipped, 9 + 3);
}

TEST(CutBacklog, WithoutAFiringOnlyTheNewestIsKept) {
  std::vector<Delivery> queue;
  for (int i = 1; i <= 11; ++i) queue.push_back(Resolved(i));
  const std::optional<BacklogCut> cut = Cut(queue);
  ASSERT_TRUE(cut.has_value());
  EXPECT_THAT(cut->superseded, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
}

TEST(CutBacklog, AFiringThatIsBothOldestAndNewestIsKeptOnce) {
  std::vector<Delivery> queue;
  for (int i = 1; i <= 10; ++i) queue.push_back(Resolved(i));
  queue.push_back(Opened(11));
  const std::optional<BacklogCut> cut = Cut(queue);
  ASSERT_TRUE(cut.has_value());
  EXPECT_EQ(cut->superseded.size(), 10u);
  EXPECT_EQ(cut->newest, 11);
}

TEST(CutBacklog, AReminderIsSupersededByWhateverIsNewerAndNotMissed) {
  EXPECT_FALSE(Cut(std::vector<Delivery>{Opened(1), Reminder(2)}).has_value());
  for (const Delivery& newer : {Reminder(3), Resolved(3)}) {
    const std::vector<Delivery> queue = {Opened(1), Reminder(2), newer};
    const std::optional<BacklogCut> cut = Cut(queue);
    ASSERT_TRUE(cut.has_value());
    EXPECT_THAT(cut->superseded, ElementsAre(2));
    EXPECT_EQ(cut->newest, 3);
    EXPECT_EQ(cut->skipped, 0);
  }
}

TEST(CutBacklog, AReminderThatMayBeUnderWayIsKept) {
  std::vector<Delivery> queue = {Reminder(1), Resolved(2)};
  queue[0].lease_id = "lease";
  EXPECT_FALSE(Cut(queue).has_value());
}

TEST(CutBacklog, WhatAReminderSaysWasLeftOutTheNewerSays) {
  std::vector<Delivery> queue = {Opened(1), Reminder(2), Resolved(3)};
  queue[1].skipped = 4;
  EXPECT_EQ(Cut(queue)->skipped, 4);
}

TEST(CutBacklog, RemindersAreNotAmongTheTenThatMayWait) {
  std::vector<Delivery> queue = Flapping(9);
  queue.push_back(Reminder(10));
  queue.push_back(Resolved(11));
  EXPECT_THAT(Cut(queue)->superseded, ElementsAre(10));
}

}  // namespace
}  // namespace tocsin::core
