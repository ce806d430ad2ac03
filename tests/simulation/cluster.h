// A whole Tocsin in one thread of virtual time: replicas of core on one store, gateways, notifiers,
// jobs and people, and everything that goes wrong between them, by a seed.
//
// Outside its own outages one replica, the sound one, always works, so that whatever else breaks,
// product.md's promises hold without an excuse.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/testing/fake_clock.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/scenarios/world.h"
#include "tests/simulation/calendar.h"
#include "tests/simulation/faulty_store.h"
#include "tests/simulation/receivers.h"
#include "tests/simulation/replica.h"
#include "tests/simulation/twin.h"

namespace tocsin::core::simulation {

// How often a job pushes.
inline absl::Duration IntervalOf(const Schedule& schedule) {
  return schedule.cron.has_value() ? absl::Minutes(1) : schedule.recommended_interval;
}

class Cluster {
 public:
  Cluster(uint64_t seed, int replicas);
  ~Cluster();

  // Lives through `stormy` time, then through calm until all is told. Stops at the first fault.
  void Live(absl::Duration stormy);

  // What went wrong, in sentences; empty when every promise was kept.
  const std::vector<std::string>& faults() const { return faults_; }
  // Counts of what happened, so that it can be seen that much did.
  std::string Summary();
  // How many storms were told by a digest.
  size_t Digests();

 private:
  struct Sent {
    size_t job = 0;
    PushItem item;
    absl::Time at;
  };
  // A place where a replica runs.
  struct Host {
    std::unique_ptr<FaultyStore> connection;
    std::unique_ptr<Replica> core;  // null while it is down
    absl::Time starts_at = absl::InfiniteFuture();
    absl::Time thaws_at = absl::InfinitePast();  // frozen until then
    absl::Time heals_at = absl::InfinitePast();  // its connection, until then bad
    bool doomed = false;  // it dies in its next transaction, or before or after that
    // Sent to it while it was frozen: it reads them when it thaws.
    std::vector<Sent> socket;
  };
  enum class Character { kSteady, kDying, kFlapping, kPausing };
  // A monitor with its job.
  struct Job {
    std::unique_ptr<Twin> twin;
    Character character = Character::kSteady;
    std::string token;
    Source source = Source::kHttp;
    std::string run;  // that it has begun
    absl::Time pushes_at;
    absl::Time dies_at = absl::InfiniteFuture();
    absl::Time admin_at = absl::InfiniteFuture();  // people do something with the monitor
  };
  // A push that no core has answered yet.
  struct Waiting {
    size_t job = 0;
    PushItem item;
    absl::Time next_try;
    absl::Time gives_up_at;
  };

  // cluster.cc: time, and what core does in it.
  void AddChannels();
  void AddJobs();
  void VaryRules(MonitorDefinition& definition);
  absl::Time NextInstant();
  void StepTo(absl::Time when);
  void RunCores();
  void Start(Host& host);
  void Crash(Host& host, absl::Duration down);
  void Thaw(Host& host);
  bool Works(const Host& host) const;
  Host* AnyCore();
  std::string Untold();
  void NoteTouches();
  void CheckTouches();

  // cluster_people.cc: what people do.
  void RunPeople();
  void AskFor(const std::function<void(Replica&)>& what);
  void TendTo(Job& job);
  void ChangeRules(Job& job);
  void TendMaintenances();
  Maintenance DrawMaintenance();

  // cluster_jobs.cc: what comes from outside by itself.
  void RunJobs();
  void PushFrom(size_t index);
  void RunGateways();
  // In turns, but one that has owed an answer for too long only when all have.
  Host& NextHost();
  // Whether it is settled: answered, or lost for good.
  bool TryPush(Waiting& waiting);
  // Whether it was recorded.
  bool Hand(Host& host, size_t job, const PushItem& item);
  void CrashUnder(Host& host, const Waiting& waiting);

  // cluster_faults.cc: what goes wrong.
  void RunFaults();
  Fault DrawDeath();
  void BreakOne();
  void BeginOutage();
  void EndOutage();
  void CalmDown();

  absl::Duration Between(absl::Duration low, absl::Duration high);
  bool Chance(int percent);
  size_t Pick(size_t count);
  absl::Time Now() const { return clock_.Now(); }

  std::mt19937_64 random_;
  std::vector<std::string> faults_;
  FakeClock clock_{scenarios::Beginning()};
  FakeMonotonicClock monotonic_;
  MemoryStore store_{clock_};
  std::vector<Host> hosts_;
  size_t sound_ = 0;
  int starts_ = 0;
  std::vector<Job> jobs_;
  std::deque<Waiting> waiting_;
  uint64_t pushes_ = 0;
  size_t next_host_ = 0;
  std::set<std::pair<size_t, uint64_t>> acknowledged_;  // job and push id
  Arrivals arrivals_;
  Calendar calendar_;
  std::vector<Notifier> notifiers_;

  bool calm_ = false;
  absl::Time breaks_at_, rotates_at_, outage_at_, tends_at_;
  absl::Time outage_ends_at_ = absl::InfinitePast();
  bool database_away_ = false;
  bool gateways_away_ = false;
  GapList outages_;  // that were caused
  absl::Time checked_at_ = absl::InfinitePast();
  std::set<absl::Time> touches_;  // that were committed
  int64_t maintenances_ = 0, crashes_ = 0, freezes_ = 0, retries_ = 0;
};

}  // namespace tocsin::core::simulation
