// Contract of runs that have ended, and of what heartbeats keep of a run.
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr absl::Duration kDay = absl::Hours(24);

class EndedRuns : public StoreContract {
 protected:
  std::vector<bool> Ended(const std::vector<RunRef>& runs, absl::Time since) {
    std::vector<bool> ended;
    Do([&](Transaction& transaction) -> absl::Status {
      ended = transaction.FindEndedRuns(runs, since).value();
      return absl::OkStatus();
    });
    return ended;
  }
  void End(const std::vector<RunRef>& runs, absl::Time at) {
    Do([&](Transaction& transaction) { return transaction.AddEndedRuns(runs, at); });
  }
  void MaintainAll(absl::Time now) {
    for (int i = 0; i < 1000; ++i) {
      if (!store().Maintain(RetentionPolicy(), now).value()) return;
    }
    ADD_FAILURE() << "upkeep does not end";
  }

  StoredHeartbeat UpWith(MonitorKey monitor, std::string output) {
    StoredHeartbeat stored;
    stored.monitor = monitor;
    stored.heartbeat.at = kStart;
    stored.heartbeat.push_id = 1;
    stored.heartbeat.output = std::move(output);
    return stored;
  }
  void Store(const StoredHeartbeat& stored) {
    Do([&](Transaction& transaction) { return transaction.AddHeartbeats({stored}); });
  }
  StoredHeartbeat Only(MonitorKey monitor, bool with_output) {
    HeartbeatQuery query;
    query.monitor = monitor;
    query.with_output = with_output;
    const std::vector<StoredHeartbeat> all = store().ListHeartbeats(query).value();
    EXPECT_THAT(all, SizeIs(1));
    return all.empty() ? StoredHeartbeat() : all.front();
  }
  Heartbeat Newest(MonitorKey monitor) {
    Heartbeat newest;
    Do([&](Transaction& transaction) -> absl::Status {
      newest = *transaction.NewestHeartbeat(monitor, absl::InfiniteFuture()).value();
      return absl::OkStatus();
    });
    return newest;
  }
};

TEST_P(EndedRuns, ThatEndedAreFoundByMonitorAndId) {
  const MonitorKey job = AddUp("job").key, other = AddUp("other").key;
  End({{job, "r1"}, {other, "r2"}}, kStart);
  EXPECT_THAT(Ended({{job, "r1"}, {job, "r2"}, {other, "r1"}, {other, "r2"}, {job, "R1"}}, kStart),
              ElementsAre(true, false, false, true, false));
  EXPECT_THAT(Ended({}, kStart), ElementsAre());
}

TEST_P(EndedRuns, ThatEndedBeforeTheInstantAskedForAreForgotten) {
  const MonitorKey job = AddUp("job").key;
  End({{job, "r1"}}, kStart);
  EXPECT_THAT(Ended({{job, "r1"}}, kStart), ElementsAre(true));
  EXPECT_THAT(Ended({{job, "r1"}}, kStart + absl::Microseconds(1)), ElementsAre(false));
}

TEST_P(EndedRuns, TheLaterEndWins) {
  const MonitorKey job = AddUp("job").key;
  End({{job, "r1"}}, kStart);
  End({{job, "r1"}, {job, "r1"}}, kStart + kDay);
  EXPECT_THAT(Ended({{job, "r1"}}, kStart + kDay), ElementsAre(true));
}

TEST_P(EndedRuns, AreFoundByTheTransactionThatEndedThemAndNotWhenItFails) {
  const MonitorKey job = AddUp("job").key;
  const absl::Status failed =
      store().Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        EXPECT_TRUE(transaction.AddEndedRuns({{job, "r1"}}, kStart).ok());
        EXPECT_THAT(transaction.FindEndedRuns({{job, "r1"}}, kStart).value(), ElementsAre(true));
        return absl::InternalError("no");
      });
  EXPECT_FALSE(failed.ok());
  EXPECT_THAT(Ended({{job, "r1"}}, kStart), ElementsAre(false));
}

TEST_P(EndedRuns, UpkeepForgetsThemAfterThreeDays) {
  const MonitorKey job = AddUp("job").key;
  End({{job, "old"}}, kStart);
  End({{job, "new"}}, kStart + absl::Seconds(1));
  MaintainAll(kStart + kRunMemory + absl::Seconds(1));
  EXPECT_THAT(Ended({{job, "old"}, {job, "new"}}, absl::InfinitePast()), ElementsAre(false, true));
}

TEST_P(EndedRuns, HeartbeatsKeepHowLongARunTook) {
  const MonitorKey job = AddUp("job").key;
  StoredHeartbeat stored = UpWith(job, "");
  stored.heartbeat.run_id = "r1";
  stored.heartbeat.run_duration = absl::Hours(100) + absl::Microseconds(1);
  Store(stored);
  EXPECT_EQ(Only(job, false).heartbeat.run_duration, stored.heartbeat.run_duration);
  EXPECT_EQ(Newest(job).run_duration, stored.heartbeat.run_duration);
}

TEST_P(EndedRuns, ADurationOfZeroIsNotNone) {
  const MonitorKey job = AddUp("job").key;
  StoredHeartbeat stored = UpWith(job, "");
  stored.heartbeat.run_duration = absl::ZeroDuration();
  Store(stored);
  EXPECT_EQ(Only(job, false).heartbeat.run_duration, absl::ZeroDuration());
}

TEST_P(EndedRuns, OutputIsListedOnRequestAndItsSizeAlways) {
  const MonitorKey job = AddUp("job").key;
  std::string output;
  for (size_t i = 0; i < kMaxOutputBytes; ++i) output += static_cast<char>(i);  // any bytes, and 0
  Store(UpWith(job, output));
  const StoredHeartbeat without = Only(job, false);
  EXPECT_EQ(without.heartbeat.output, "");
  EXPECT_EQ(without.output_bytes, static_cast<int32_t>(output.size()));
  const StoredHeartbeat with = Only(job, true);
  EXPECT_TRUE(with.heartbeat.output == output);
  EXPECT_EQ(with.output_bytes, static_cast<int32_t>(output.size()));
}

TEST_P(EndedRuns, AHeartbeatWithoutOutputHasNone) {
  const MonitorKey job = AddUp("job").key;
  Store(UpWith(job, ""));
  EXPECT_EQ(Only(job, true).heartbeat.output, "");
  EXPECT_EQ(Only(job, true).output_bytes, 0);
}

TEST_P(EndedRuns, TheNewestHeartbeatHasTheEndOfItsOutput) {
  const std::string tail = std::string("\0\xff", 2) + std::string(kSnapshotOutputBytes - 2, 'x');
  for (const std::string before : {"", "cut"}) {
    const MonitorKey job = AddUp("job-" + before + "x").key;
    Store(UpWith(job, before + tail));
    EXPECT_EQ(Newest(job).output, tail);
  }
  const MonitorKey job = AddUp("short").key;
  Store(UpWith(job, "short"));
  EXPECT_EQ(Newest(job).output, "short");
}

TEST_P(EndedRuns, TheNewestHeartbeatKeepsAllOfItWhenItsDayIsDropped) {
  const MonitorKey job = AddUp("job").key;
  MaintainAll(kStart);
  StoredHeartbeat stored = UpWith(job, std::string("\0end\xff", 5));
  stored.heartbeat.run_duration = absl::Seconds(5);
  Store(stored);
  MaintainAll(kStart + 30 * kDay);
  const StoredHeartbeat kept = Only(job, true);
  EXPECT_EQ(kept.heartbeat.output, stored.heartbeat.output);
  EXPECT_EQ(kept.heartbeat.run_duration, absl::Seconds(5));
  EXPECT_EQ(Only(job, false).output_bytes, 5);
  EXPECT_EQ(Newest(job).output, stored.heartbeat.output);
}

INSTANTIATE_TEST_SUITE_P(Stores, EndedRuns, ::testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
