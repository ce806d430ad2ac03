// What a process knows of its own standstills.
#include "common/standstills.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace tocsin {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;
using ::testing::Optional;

constexpr absl::Duration kTick = absl::Milliseconds(250);
constexpr StandstillLimits kLimits = {.standstill = absl::Milliseconds(800), .mark_every = kTick};

class StandstillsTest : public ::testing::Test {
 protected:
  StandstillsTest() { standstills_.MarkAwake(now_); }

  void StandStill(absl::Duration duration) {
    now_ += duration;
    standstills_.MarkAwake(now_);
  }
  void BeAwake(absl::Duration duration) {
    for (; duration > absl::ZeroDuration(); duration -= kTick) {
      now_ += std::min(kTick, duration);
      standstills_.MarkAwake(now_);
    }
  }
  // How long what is read now may have waited; nullopt: not at all.
  std::optional<absl::Duration> Unseen() const {
    const std::optional<absl::Duration> since = standstills_.UnseenSince();
    if (!since.has_value()) return std::nullopt;
    return now_ - *since;
  }

  absl::Duration now_ = absl::Hours(7);
  Standstills standstills_{kLimits};
};

TEST_F(StandstillsTest, WhatCameBeforeTheFirstMarkIsNoStandstill) {
  Standstills fresh(kLimits);
  EXPECT_EQ(fresh.UnseenSince(), std::nullopt);
  fresh.MarkAwake(now_);
  EXPECT_EQ(fresh.UnseenSince(), std::nullopt);
}

TEST_F(StandstillsTest, AProcessThatIsAwakeHasSeenEverything) {
  BeAwake(absl::Minutes(1));
  EXPECT_EQ(Unseen(), std::nullopt);
}

TEST_F(StandstillsTest, APauseThatIsTooShortForASecondAttemptIsNoStandstill) {
  StandStill(kLimits.standstill);
  EXPECT_EQ(Unseen(), std::nullopt);
  StandStill(kLimits.standstill + absl::Milliseconds(1));
  EXPECT_THAT(Unseen(), Optional(kLimits.standstill + absl::Milliseconds(1)));
}

TEST_F(StandstillsTest, ItHasReadAllThatWaitedOnceItWasAwakeForTwoSeconds) {
  BeAwake(absl::Seconds(5));
  StandStill(absl::Seconds(10));
  BeAwake(kLimits.all_read - kTick);
  EXPECT_THAT(Unseen(), Optional(absl::Seconds(12) - kTick));
  BeAwake(kTick);
  EXPECT_EQ(Unseen(), std::nullopt);
}

TEST_F(StandstillsTest, WhatWasNotReadBetweenTwoHasWaitedForBoth) {
  StandStill(absl::Seconds(10));
  BeAwake(absl::Milliseconds(1250));
  StandStill(absl::Seconds(10));
  EXPECT_THAT(Unseen(), Optional(absl::Milliseconds(21250)));
  // The rest of the two seconds.
  BeAwake(absl::Milliseconds(750));
  EXPECT_THAT(Unseen(), Optional(absl::Milliseconds(10750)));
}

TEST_F(StandstillsTest, MarksThatAreFarApartCountForLittleTimeAwake) {
  StandStill(absl::Seconds(10));
  for (int i = 0; i < 3; ++i) StandStill(absl::Milliseconds(790));
  StandStill(absl::Seconds(10));
  EXPECT_THAT(Unseen(), Optional(absl::Milliseconds(22370)));
}

TEST_F(StandstillsTest, AMachineThatStuttersLooksBackAFewSecondsAndNoFurther) {
  for (int i = 0; i < 100; ++i) {
    StandStill(absl::Milliseconds(900));
    BeAwake(absl::Milliseconds(900));
    EXPECT_THAT(Unseen(), Optional(AllOf(Ge(absl::Milliseconds(1800)), Le(absl::Seconds(6)))));
  }
}

TEST_F(StandstillsTest, HoweverManyThereAreTheOldestIsNotForgotten) {
  for (int i = 0; i < 100; ++i) StandStill(absl::Seconds(1));
  EXPECT_THAT(Unseen(), Optional(absl::Seconds(100)));
  BeAwake(kLimits.all_read);
  EXPECT_EQ(Unseen(), std::nullopt);
}

TEST_F(StandstillsTest, OneMoreThanAreKeptIsNotForgottenEither) {
  for (int i = 0; i < 16; ++i) StandStill(absl::Seconds(1));
  BeAwake(kLimits.all_read - kTick);
  StandStill(absl::Seconds(1));
  BeAwake(kTick);
  // Since the last of the sixteen, with which it counts as one.
  EXPECT_THAT(Unseen(), Optional(absl::Seconds(4)));
  BeAwake(kLimits.all_read - kTick);
  EXPECT_EQ(Unseen(), std::nullopt);
}

}  // namespace
}  // namespace tocsin
