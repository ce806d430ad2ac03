// Core as it is: the engine's parts on a store in memory, in virtual time.
#include "tests/scenarios/engine_world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "services/core/domain/words.h"

namespace tocsin::core::scenarios {
namespace {

using simulation::Replica;

constexpr char kToken[] = "the token of the job";
// A gateway that has a push for longer has tried before.
constexpr absl::Duration kTriedOnce = absl::Seconds(1);
constexpr absl::Duration kSettle = absl::Milliseconds(20);
// After an outage judging rests, and people are told.
constexpr absl::Duration kRestless = absl::Seconds(7);

void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "core refused: %s\n", status.ToString().c_str());
  std::abort();
}

template <typename T>
T Must(absl::StatusOr<T> result) {
  Must(result.status());
  return *std::move(result);
}

std::string EventName(const AlertEvent& event) {
  if (event.type == EventType::kFiring) return "FIRING";
  if (event.type == EventType::kReminder) return "REMINDER";
  return absl::StrCat("RESOLVED:", std::string(ResolutionName(*event.incident.resolution)));
}

}  // namespace

EngineWorld::EngineWorld(const MonitorDefinition& monitor, absl::Duration lived)
    : id_(monitor.id.empty() ? "job" : monitor.id), lived_(lived) {
  Start();
  MonitorDefinition definition = monitor;
  definition.id = id_;
  definition.project_id = "default";
  Must(core_->monitors().Create(Caller(), definition));
  Settle();
}

void EngineWorld::Start() {
  core_.reset();
  core_ =
      std::make_unique<Replica>(connection_, clock_, monotonic_, absl::StrCat("core-", ++starts_),
                                [] { return std::string(kToken); });
  gateway_connected_ = !Blind(GapKind::kGateway);
  if (gateway_connected_) core_->GatewayComes();
  Settle();
}

void EngineWorld::Settle() {
  core_->RunDue();
  for (News news = store_.WaitForNews(absl::ZeroDuration()); news.sweep || news.deliveries;
       news = store_.WaitForNews(absl::ZeroDuration())) {
    core_->Wake(news);
    core_->RunDue();
  }
}

void EngineWorld::EndOutages() {
  if (connection_.away() && !Blind(GapKind::kCore)) {
    connection_.set_away(false);
    restless_until_ = Now() + kRestless;
  }
  if (!gateway_connected_ && !Blind(GapKind::kGateway)) {
    gateway_connected_ = true;
    core_->GatewayComes();
    restless_until_ = Now() + kRestless;
  }
}

absl::Time EngineWorld::QuietUntil(absl::Time when) {
  absl::Time until = when;
  for (const absl::Time end : blind_until_) {
    if (end > Now()) until = std::min(until, end);
  }
  // While the store is away everything fails and nothing changes.
  if (connection_.away()) return until;
  if (Now() < restless_until_) return Now();
  return std::min(until, *store_.NextSweepAt({}) + kSettle);
}

// The monotonic clock stands still meanwhile: what is skipped is skipped for the recorder, too,
// which would take a leap for a frozen process.
void EngineWorld::Leap(absl::Time to) {
  if (!connection_.away()) core_->LiveQuietly(to);
  clock_.Set(to);
}

void EngineWorld::AdvanceTo(absl::Time when) {
  while (Now() < when) {
    if (const absl::Time to = QuietUntil(when) - lived_; to > Now()) Leap(to);
    absl::Time next = std::min(when, std::max(Now(), core_->NextDue()));
    for (const absl::Time end : blind_until_) {
      if (end > Now()) next = std::min(next, end);
    }
    monotonic_.Advance(next - Now());
    clock_.Set(next);
    EndOutages();
    Settle();
  }
}

std::string EngineWorld::PushNow(const Heartbeat& heartbeat) {
  if (Blind(GapKind::kCore)) return "lost";
  if (heartbeat.source == Source::kHttp && Blind(GapKind::kGateway)) return "lost";
  PushItem item = {.token = Sha256(kToken), .heartbeat = heartbeat};
  item.retried = Now() - heartbeat.at > kTriedOnce;
  const PushAnswer answer = core_->Push(item);
  Settle();
  switch (answer.result) {
    case PushResult::kRecorded:
    case PushResult::kRecordedPaused:
    case PushResult::kCreated:
      return std::string(ReasonName(answer.reason));
    case PushResult::kUnknownToken:
      return "unknown_token";
    case PushResult::kUnavailable:
      return "unavailable";
    case PushResult::kInvalid:
      return "invalid";
    default:
      return "of no scenario";  // only of pushes that create monitors
  }
}

void EngineWorld::Do(const Admin& admin) {
  const ResourceName name = {.project = "default", .id = id_};
  MonitorAdmin& monitors = core_->monitors();
  switch (admin.what) {
    case Admin::What::kPause:
      Must(monitors.Pause(Caller(), name));
      break;
    case Admin::What::kResume:
      Must(monitors.Resume(Caller(), name));
      break;
    case Admin::What::kDelete:
      Must(monitors.Delete(Caller(), name));
      break;
    case Admin::What::kUndelete:
      Must(monitors.Undelete(Caller(), name));
      break;
  }
  Settle();
}

void EngineWorld::Do(const Change& change) {
  const auto edit = [&](MonitorDefinition& definition) {
    for (const Edit& each : change.edits) each(definition);
    return absl::OkStatus();
  };
  Must(core_->monitors().Update(Caller(), {.project = "default", .id = id_}, edit));
  Settle();
}

void EngineWorld::Do(const SetMaintenance& set) {
  const ResourceName name = {.project = "default", .id = set.id};
  MaintenanceAdmin& maintenances = core_->maintenances();
  const auto edit = [&](Maintenance& maintenance) {
    for (const auto& each : set.edits) each(maintenance);
    return absl::OkStatus();
  };
  if (absl::IsNotFound(maintenances.Get(MaintenanceKind::kMaintenance, name).status())) {
    Maintenance made = NewMaintenance(set.id, Now());
    Must(edit(made));
    Must(maintenances.Create(Caller(), made));
  } else {
    Must(maintenances.Update(Caller(), name, edit));
  }
  Settle();
}

void EngineWorld::Do(const DeleteMaintenance& gone) {
  Must(core_->maintenances().Delete(Caller(), MaintenanceKind::kMaintenance,
                                    {.project = "default", .id = gone.id}));
  Settle();
}

void EngineWorld::Do(const Restart&) { Start(); }

void EngineWorld::Do(const Outage& outage) {
  const bool core = outage.kind == GapKind::kCore;
  blind_until_[core ? 0 : 1] = Now() + outage.length;
  if (core) {
    connection_.set_away(true);
  } else if (gateway_connected_) {
    gateway_connected_ = false;
    core_->GatewayLeaves();
  }
}

Sight EngineWorld::Look() {
  const Monitor monitor = **store_.FindMonitor("default", id_);
  while (*store_.SequenceFeed(100) > 0) {
  }
  const std::vector<FeedEntry> entries =
      Must(store_.ReadFeed(0, feed_position_, INT64_MAX, 1'000'000));
  for (const FeedEntry& entry : entries) {
    events_.push_back(EventName(entry.event));
    occurred_at_ = entry.event.occurred_at;
    feed_position_ = entry.position;
  }
  const Maintenances maintenances =
      Must(store_.ListMaintenances({.project = monitor.definition.project,
                                    .after_id = "",
                                    .limit = kMaxMaintenances,
                                    .with_deleted = true}));
  const GapList gaps = WithMaintenances(*core_->guard().Gaps(), maintenances, monitor.definition,
                                        monitor.state, Now());
  return {.monitor = monitor,
          .view = ConditionOf(monitor.definition, monitor.state, gaps, Now()),
          .maintained = MaintainedUntil(gaps, Now()).has_value(),
          .events = events_,
          .occurred_at = occurred_at_};
}

}  // namespace tocsin::core::scenarios
