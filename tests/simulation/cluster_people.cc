// What people do: with monitors, and with maintenances.
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulation/cluster.h"

namespace tocsin::core::simulation {
namespace {

constexpr int kMaintenances = 4;  // ids of maintenances

}  // namespace

void Cluster::RunPeople() {
  for (Job& job : jobs_) {
    if (job.admin_at <= Now()) TendTo(job);
  }
  if (tends_at_ <= Now()) TendMaintenances();
}

// Asks any core that is there. Nobody hears what became of it: it may die meanwhile.
void Cluster::AskFor(const std::function<void(Replica&)>& what) {
  Host* const host = AnyCore();
  if (host == nullptr) return;
  const bool dies = host != &hosts_[sound_] && !calm_ && !host->doomed && Chance(20);
  if (dies) host->connection->DieNext(DrawDeath());
  what(*host->core);
  if (dies) Crash(*host, Between(absl::Milliseconds(100), absl::Seconds(15)));
}

void Cluster::TendTo(Job& job) {
  job.admin_at = Now() + Between(absl::Seconds(10), absl::Minutes(3));
  if (Chance(50)) return ChangeRules(job);
  const ResourceName name = {.project = "default", .id = job.twin->definition().id};
  const bool resume = job.twin->state().state == State::kPaused;
  bool done = false;
  AskFor([&](Replica& core) {
    MonitorAdmin& monitors = core.monitors();
    done = (resume ? monitors.Resume(Caller(), name) : monitors.Pause(Caller(), name)).ok();
  });
  job.twin->AfterAdmin(resume ? Input(Resumed{}) : Input(Paused{}), done, Now());
}

void Cluster::ChangeRules(Job& job) {
  MonitorDefinition wanted = job.twin->definition();
  switch (Pick(5)) {
    case 0:
      wanted.schedule = Schedule();
      wanted.schedule.timeout = Between(absl::Seconds(5), absl::Seconds(60));
      wanted.schedule.recommended_interval = wanted.schedule.timeout;
      break;
    case 1:
      wanted.schedule.grace = Between(absl::Seconds(5), absl::Seconds(20));
      break;
    case 2:
      wanted.labels["rack"] = wanted.labels["rack"] == "a" ? "b" : "a";
      break;
    case 3:
      wanted.reminder_interval =
          Chance(30) ? absl::ZeroDuration() : Between(absl::Seconds(60), absl::Seconds(90));
      break;
    default:
      VaryRules(wanted);
      break;
  }
  AskFor([&](Replica& core) {
    const auto edit = [&](MonitorDefinition& definition) {
      definition.schedule = wanted.schedule;
      definition.labels = wanted.labels;
      definition.failure_threshold = wanted.failure_threshold;
      definition.recovery_threshold = wanted.recovery_threshold;
      definition.max_run_duration = wanted.max_run_duration;
      definition.reminder_interval = wanted.reminder_interval;
      return absl::OkStatus();
    };
    // In doubt or not, the store shows what it is now.
    core.monitors()
        .Update(Caller(), {.project = "default", .id = wanted.id}, edit)
        .status()
        .IgnoreError();
  });
  job.twin->AfterChange(Now());
  job.pushes_at = std::min(job.pushes_at, Now() + IntervalOf(job.twin->definition().schedule));
}

Maintenance Cluster::DrawMaintenance() {
  Maintenance maintenance;
  maintenance.project_id = "default";
  maintenance.id = absl::StrCat("work-", Pick(kMaintenances));
  maintenance.reason = "work";
  switch (Pick(3)) {
    case 0:
      maintenance.all_monitors = true;
      break;
    case 1:
      maintenance.selector = Chance(50) ? "rack=a" : "rack=b";
      break;
    default:
      for (size_t i = 0; i < 3; ++i) {
        maintenance.monitors.push_back(absl::StrCat("job-", Pick(jobs_.size())));
      }
      break;
  }
  if (Chance(25)) {
    maintenance.recurring = RecurringWindow{.expression = *CronExpression::Parse("*/4 * * * *"),
                                            .zone = absl::UTCTimeZone(),
                                            .duration = absl::Minutes(1)};
  } else {
    maintenance.start = Now() + Between(absl::Seconds(-30), absl::Seconds(60));
    maintenance.end = maintenance.start + Between(absl::Seconds(5), absl::Minutes(3));
  }
  return maintenance;
}

// Makes one, changes one, or takes one back.
void Cluster::TendMaintenances() {
  tends_at_ = Now() + Between(absl::Seconds(1), absl::Seconds(60));
  const Maintenance drawn = DrawMaintenance();
  const bool drops = calm_ || Chance(30);
  if (calm_) tends_at_ = Now() + absl::Seconds(1);
  const ResourceName name = {.project = "default", .id = drawn.id};
  AskFor([&](Replica& core) {
    MaintenanceAdmin& admin = core.maintenances();
    if (drops) {
      admin.Delete(Caller(), MaintenanceKind::kMaintenance, name).IgnoreError();
    } else if (!admin.Create(Caller(), drawn).ok()) {
      const auto edit = [&](Maintenance& maintenance) {
        maintenance.recurring = drawn.recurring;
        maintenance.start = drawn.start;
        maintenance.end = drawn.end;
        if (Chance(70)) return absl::OkStatus();
        maintenance.all_monitors = drawn.all_monitors;
        maintenance.selector = drawn.selector;
        maintenance.monitors = drawn.monitors;
        return absl::OkStatus();
      };
      admin.Update(Caller(), name, edit).status().IgnoreError();
    }
  });
  const Maintenances now =
      *store_.ListMaintenances({.project = (*store_.FindProject("default")).value(),
                                .after_id = "",
                                .limit = kMaxMaintenances});
  if (calendar_.Note(now, Now())) ++maintenances_;
}

}  // namespace tocsin::core::simulation
