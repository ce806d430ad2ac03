// Backlogs that are cut while others lease and report what is in them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "services/core/domain/gathering.h"
#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kStart =
    absl::FromCivil(absl::CivilSecond(2026, 3, 2, 10, 0, 0), absl::UTCTimeZone());

class BacklogTest : public testing::Test {
 protected:
  BacklogTest() {
    database_.Migrate();
    store_ = database_.OpenStore();
    Channel channel;
    channel.project = 1;
    channel.id = "pager";
    channel.url = "https://hooks.example/";
    channel.secrets = {"whsec_1"};
    channel.created_at = channel.updated_at = kStart;
    const absl::Status added =
        store_->Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
          const absl::StatusOr<ChannelKey> inserted = transaction.InsertChannel(channel);
          if (inserted.ok()) channel_ = *inserted;
          return inserted.status();
        });
    EXPECT_TRUE(added.ok()) << added;
  }

  static std::string Id(MonitorKey monitor, int64_t sequence) {
    return absl::StrCat("msg_", monitor, "_", sequence);
  }
  Delivery Make(MonitorKey monitor, int64_t sequence) {
    Delivery delivery;
    delivery.id = Id(monitor, sequence);
    delivery.project = 1;
    delivery.channel = channel_;
    delivery.monitor = monitor;
    delivery.sequence = sequence;
    delivery.type =
        sequence % 2 == 1 ? DeliveryType::kIncidentOpened : DeliveryType::kIncidentResolved;
    delivery.events = {sequence};
    delivery.occurred_at = delivery.created_at = delivery.next_attempt_at = kStart;
    delivery.expires_at = kStart + absl::Hours(72);
    return delivery;
  }
  absl::Status Add(TransactionClass klass, MonitorKey monitor, int64_t sequence) {
    const Delivery delivery = Make(monitor, sequence);
    return store_->Transact(klass, [&](Transaction& transaction) {
      return transaction.AddDeliveries({&delivery, 1});
    });
  }
  std::vector<LeasedDelivery> Lease(const std::string& lease_id, int limit = 100) {
    const absl::StatusOr<std::vector<LeasedDelivery>> leased =
        store_->LeaseDeliveries({.notifier = "notifier",
                                 .lease_id = lease_id,
                                 .now = kStart + absl::Seconds(1),
                                 .lease = absl::Seconds(60),
                                 .limit = limit,
                                 .per_channel = 100,
                                 .per_failing_channel = 100});
    EXPECT_TRUE(leased.ok()) << leased.status();
    return leased.ok() ? *leased : std::vector<LeasedDelivery>();
  }
  std::string StateOf(const std::string& id) {
    return database_.Query(absl::StrCat("SELECT state FROM delivery WHERE id = '", id, "'")).at(0);
  }

  // Thread-safe, unlike the test's own session.
  DeliveryState Read(const std::string& id) {
    DeliveryState state = DeliveryState::kDead;
    const absl::Status read =
        store_->Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
          const auto found = transaction.LockDelivery(1, id);
          if (found.ok()) state = found->value().state;
          return found.status();
        });
    EXPECT_TRUE(read.ok()) << read;
    return state;
  }

  TestDatabase database_;
  std::unique_ptr<PgStore> store_;
  ChannelKey channel_ = 0;
};

TEST_F(BacklogTest, WhatIsSupersededCannotBeLeasedBeforeTheCommit) {
  for (int64_t i = 2; i <= 11; ++i) ASSERT_TRUE(Add(TransactionClass::kSweeper, 7, i).ok());
  std::vector<LeasedDelivery> meanwhile;
  const Delivery eleventh = Make(7, 12);
  const absl::Status status =
      store_->Transact(TransactionClass::kSweeper, [&](Transaction& transaction) -> absl::Status {
        EXPECT_TRUE(transaction.AddDeliveries({&eleventh, 1}).ok());
        EXPECT_TRUE(transaction.LockDelivery(1, eleventh.id).ok());  // writes what is held back
        meanwhile = Lease("meanwhile");
        return absl::OkStatus();
      });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(meanwhile, IsEmpty());
  EXPECT_EQ(StateOf(Id(7, 2)), "4");
  const std::vector<LeasedDelivery> after = Lease("after");
  ASSERT_THAT(after, SizeIs(1));
  EXPECT_EQ(after[0].delivery.id, Id(7, 3));
}

TEST_F(BacklogTest, WhatIsLeasedWhileTheCutWaitsIsKept) {
  for (int64_t i = 2; i <= 12; ++i) {
    if (i == 12) {  // one is being sent, so that the next one is the eleventh that waits
      ASSERT_THAT(Lease("first"), SizeIs(1));
    }
    ASSERT_TRUE(Add(TransactionClass::kSweeper, 7, i).ok());
  }
  database_.Execute(absl::StrCat("UPDATE delivery SET lease_id = NULL, leased_until = NULL ",
                                 "WHERE id = '", Id(7, 2), "'"));
  // Another core leases it, and has not committed yet.
  database_.Execute("BEGIN");
  database_.Execute(
      absl::StrCat("UPDATE delivery SET lease_id = 'other', leased_until = '2027-01-01' ",
                   "WHERE id = '", Id(7, 2), "'"));
  std::thread writer([this] { EXPECT_TRUE(Add(TransactionClass::kSweeper, 7, 13).ok()); });
  while (database_.Number("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0) {
  }
  database_.Execute("COMMIT");
  writer.join();
  EXPECT_EQ(StateOf(Id(7, 2)), "1");
  EXPECT_EQ(StateOf(Id(7, 4)), "4");
}

// Writers flap; two cores lease and report. Nothing that was leased ends as superseded, and of each
// monitor the newest is never lost.
TEST_F(BacklogTest, NothingThatIsBeingSentIsEverSuperseded) {
  constexpr int kMonitors = 3, kEvents = 120;
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::atomic<int> writing{2};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      const auto klass = writer == 0 ? TransactionClass::kSweeper : TransactionClass::kCommitter0;
      for (int64_t i = 1; i <= kEvents; ++i) {
        for (MonitorKey monitor = 1; monitor <= kMonitors; ++monitor) {
          const absl::Status added = Add(klass, writer * kMonitors + monitor, i);
          EXPECT_TRUE(added.ok()) << added;
        }
      }
      --writing;
    });
  }
  for (int core = 0; core < 2; ++core) {
    threads.emplace_back([&, core] {
      std::mt19937_64 random(seed + core);
      for (int round = 0; writing > 0; ++round) {
        const std::string lease_id = absl::StrCat("lease_", core, "_", round);
        std::vector<DeliveryReport> reports;
        for (const LeasedDelivery& leased : Lease(lease_id, 1 + random() % 4)) {
          EXPECT_EQ(Read(leased.delivery.id), DeliveryState::kPending) << leased.delivery.id;
          reports.push_back(
              {.lease_id = lease_id,
               .delivery_id = leased.delivery.id,
               .result = random() % 4 == 0 ? DeliveryResult::kDelivered : DeliveryResult::kRetry,
               .outcome = "status_5xx",
               .retry_after = absl::ZeroDuration()});
        }
        EXPECT_TRUE(store_->ApplyReports(reports, kStart + absl::Seconds(1)).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(database_.Number("SELECT count(*) FROM delivery WHERE state = 4 "
                             "AND lease_id IS NOT NULL"),
            0);
  EXPECT_GT(database_.Number("SELECT count(*) FROM delivery WHERE state = 4"), 0);
  EXPECT_EQ(database_.Number(absl::StrCat("SELECT count(*) FROM delivery WHERE state <> 4 "
                                          "AND sequence = ",
                                          kEvents)),
            2 * kMonitors);
}

// What waits for a digest would be looked at by each lease of any channel, under their one lock.
TEST_F(BacklogTest, WhatWaitsForWhatADigestTellsIsPutOffUntilTheDigestIsFinished) {
  constexpr MonitorKey kMonitors = 30;
  const auto add = [&](MonitorKey monitor, int64_t sequence) {
    Delivery delivery = Make(monitor, sequence);
    delivery.may_gather = true;
    const absl::Status added =
        store_->Transact(TransactionClass::kSweeper, [&](Transaction& transaction) {
          return transaction.AddDeliveries({&delivery, 1});
        });
    ASSERT_TRUE(added.ok()) << added;
  };
  const auto lease = [&](const std::string& lease_id, absl::Time now) {
    return store_
        ->LeaseDeliveries({.notifier = "notifier",
                           .lease_id = lease_id,
                           .now = now,
                           .lease = absl::Seconds(60),
                           .limit = 100,
                           .per_channel = 100,
                           .per_failing_channel = 100})
        .value();
  };
  const auto report = [&](const std::string& lease_id, const std::string& id, DeliveryResult result,
                          absl::Time now) {
    const DeliveryReport report = {.lease_id = lease_id,
                                   .delivery_id = id,
                                   .result = result,
                                   .outcome = "word",
                                   .retry_after = absl::Seconds(5)};
    ASSERT_TRUE(store_->ApplyReports({&report, 1}, now).ok());
  };
  const auto due = [&](const std::string& when) {
    return database_.Number(
        absl::StrCat("SELECT count(*) FROM delivery WHERE state = 1 "
                     "AND sequence = 2 AND next_attempt_at ",
                     when));
  };
  for (MonitorKey monitor = 1; monitor <= kMonitors; ++monitor) add(monitor, 1);
  const std::vector<LeasedDelivery> alone = lease("alone", kStart);
  ASSERT_THAT(alone, SizeIs(kDefaultGroupLimit));
  for (const LeasedDelivery& each : alone) {
    report("alone", each.delivery.id, DeliveryResult::kDelivered, kStart);
  }
  add(kMonitors, 2);  // before there is a digest
  const absl::Time end = kStart + kDefaultGroupWait;
  const std::vector<LeasedDelivery> digest = lease("digest", end);
  ASSERT_THAT(digest, SizeIs(1));
  const std::string id = digest[0].delivery.id;
  for (MonitorKey monitor = kDefaultGroupLimit + 1; monitor < kMonitors; ++monitor) {
    add(monitor, 2);
  }
  EXPECT_THAT(lease("next", end), IsEmpty());
  EXPECT_EQ(due("<= '2026-03-02 10:00:10+00'"), 0);
  EXPECT_EQ(due("= '2026-03-02 10:01:10+00'"), 20);
  report("digest", id, DeliveryResult::kRetry, end);
  EXPECT_EQ(store_->NextDeliveryAt().value(), end + absl::Seconds(5));
  EXPECT_THAT(lease("again", end + absl::Seconds(5)), SizeIs(1));
  report("again", id, DeliveryResult::kDelivered, end + absl::Seconds(6));
  EXPECT_EQ(due("<= '2026-03-02 10:00:16+00'"), 20);
}

}  // namespace
}  // namespace tocsin::core::pg
