// Time, and what core does in it.
#include "tests/simulation/cluster.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "services/core/domain/flapping.h"
#include "tests/simulation/audit.h"

namespace tocsin::core::simulation {
namespace {

constexpr int kJobs = 12;
constexpr int kNotifiers = 2;
constexpr absl::Duration kCheckEvery = absl::Milliseconds(250);
constexpr absl::Duration kLongestCalm = absl::Minutes(30);

Channel MakeChannel(ProjectKey project, const std::string& id, const std::string& selector) {
  Channel channel;
  channel.project = project;
  channel.project_id = "default";
  channel.id = id;
  channel.selector = selector;
  channel.is_default = selector.empty();
  return channel;
}

}  // namespace

Cluster::Cluster(uint64_t seed, int replicas) : random_(seed) {
  AddChannels();
  for (int i = 0; i < replicas; ++i) {
    Host& host = hosts_.emplace_back();
    host.connection = std::make_unique<FaultyStore>(store_, random_());
  }
  for (Host& host : hosts_) Start(host);
  for (int i = 0; i < kNotifiers; ++i) {
    notifiers_.emplace_back(absl::StrCat("notifier-", i), random_(), clock_, arrivals_);
  }
  AddJobs();
  breaks_at_ = Now() + absl::Seconds(5);
  rotates_at_ = Now() + absl::Seconds(30);
  outage_at_ = Now() + Between(absl::Minutes(1), absl::Minutes(5));
  tends_at_ = Now() + Between(absl::Seconds(5), absl::Minutes(1));
}

Cluster::~Cluster() = default;

absl::Duration Cluster::Between(absl::Duration low, absl::Duration high) {
  return absl::Milliseconds(std::uniform_int_distribution<int64_t>(
      absl::ToInt64Milliseconds(low), absl::ToInt64Milliseconds(high))(random_));
}

bool Cluster::Chance(int percent) {
  return std::uniform_int_distribution<int>(1, 100)(random_) <= percent;
}

size_t Cluster::Pick(size_t count) {
  return std::uniform_int_distribution<size_t>(0, count - 1)(random_);
}

void Cluster::AddChannels() {
  const ProjectKey project = **store_.FindProject("default");
  const absl::Status added =
      store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        // More than one alert within a minute are a storm to this one.
        Channel gathering = MakeChannel(project, "also", "");
        gathering.group_limit = 1;
        gathering.group_wait = absl::Seconds(60);
        for (const Channel& channel : {MakeChannel(project, "all", ""), gathering,
                                       MakeChannel(project, "nights", "team=nights")}) {
          if (auto key = transaction.InsertChannel(channel); !key.ok()) return key.status();
        }
        return absl::OkStatus();
      });
  if (!added.ok()) faults_.push_back(added.ToString());
}

// What a job that may fail is judged by, beside its timeout.
void Cluster::VaryRules(MonitorDefinition& definition) {
  if (Chance(30)) definition.failure_threshold = 2;
  if (Chance(30)) definition.recovery_threshold = 2;
  if (Chance(60)) definition.reminder_interval = Between(absl::Seconds(60), absl::Seconds(90));
  if (Chance(40)) definition.max_run_duration = Between(absl::Seconds(5), absl::Seconds(60));
  if (Chance(25)) {
    definition.schedule = Schedule();
    definition.schedule.grace = Between(absl::Seconds(5), absl::Seconds(20));
    definition.schedule.cron =
        CronRule{.expression = *CronExpression::Parse("* * * * *"), .zone = absl::UTCTimeZone()};
  }
}

void Cluster::AddJobs() {
  for (int i = 0; i < kJobs; ++i) {
    Job job;
    job.character = static_cast<Character>(i % 4);
    job.source = Chance(70) ? Source::kHttp : Source::kGrpc;
    MonitorDefinition definition;
    definition.project_id = "default";
    definition.id = absl::StrCat("job-", i);
    definition.display_name = definition.id;
    Schedule& schedule = definition.schedule;
    schedule.timeout = Chance(50) ? Between(absl::Seconds(3), absl::Seconds(10))
                                  : Between(absl::Seconds(10), absl::Seconds(60));
    schedule.recommended_interval =
        Chance(50) ? schedule.timeout : Between(schedule.timeout / 2, schedule.timeout);
    // That of a steady job is longer than a push can be on its way.
    schedule.grace = job.character == Character::kSteady
                         ? Between(absl::Seconds(6), absl::Seconds(20))
                         : Between(absl::ZeroDuration(), absl::Seconds(10));
    if (job.character != Character::kSteady) VaryRules(definition);
    if (Chance(30)) definition.labels["team"] = "nights";
    definition.labels["rack"] = Chance(50) ? "a" : "b";
    definition.resume_on_heartbeat = Chance(20);
    const absl::StatusOr<CreatedMonitor> created =
        hosts_.front().core->monitors().Create(Caller(), definition);
    if (!created.ok()) {
      faults_.push_back(created.status().ToString());
      continue;
    }
    job.token = created->push_token;
    job.twin = std::make_unique<Twin>(store_, calendar_, created->view.monitor.definition, faults_);
    job.pushes_at = Now() + Between(absl::ZeroDuration(), IntervalOf(schedule));
    const bool dies = job.character == Character::kDying || job.character == Character::kPausing;
    if (job.character == Character::kPausing) {
      job.admin_at = Now() + Between(absl::Seconds(10), absl::Minutes(3));
    }
    if (dies) job.dies_at = Now() + Between(absl::Minutes(1), absl::Minutes(6));
    jobs_.push_back(std::move(job));
  }
}

bool Cluster::Works(const Host& host) const {
  return host.core != nullptr && host.thaws_at <= Now() && !host.connection->away();
}

Cluster::Host* Cluster::AnyCore() {
  for (size_t i = 0; i < hosts_.size(); ++i) {
    Host& host = hosts_[++next_host_ % hosts_.size()];
    if (Works(host)) return &host;
  }
  return nullptr;
}

void Cluster::Start(Host& host) {
  host.starts_at = absl::InfiniteFuture();
  host.connection->set_away(database_away_);
  host.core = std::make_unique<Replica>(*host.connection, clock_, monotonic_,
                                        absl::StrCat("core-", ++starts_),
                                        [this] { return absl::StrCat("token ", random_()); });
  if (!gateways_away_) host.core->GatewayComes();
}

void Cluster::Crash(Host& host, absl::Duration down) {
  ++crashes_;
  for (Notifier& notifier : notifiers_) notifier.Lose(host.core->deliveries());
  host.core.reset();
  host.socket.clear();
  host.doomed = false;
  host.connection->Spare();
  host.thaws_at = absl::InfinitePast();
  host.starts_at = Now() + down;
}

void Cluster::Thaw(Host& host) {
  host.doomed = false;
  host.connection->Spare();
  for (Sent& sent : std::exchange(host.socket, {})) {
    // It is told how old the push was when it was sent.
    sent.item.heartbeat.at += Now() - sent.at;
    Hand(host, sent.job, sent.item);
  }
}

absl::Time Cluster::NextInstant() {
  absl::Time next = Now() + kCheckEvery;
  for (const Host& host : hosts_) {
    next = std::min(next, host.starts_at);
    if (host.core == nullptr) continue;
    next = std::min(next, host.thaws_at > Now() ? host.thaws_at : host.core->NextDue());
  }
  for (const Job& job : jobs_) next = std::min({next, job.pushes_at, job.admin_at});
  for (const Waiting& waiting : waiting_) next = std::min(next, waiting.next_try);
  for (const Notifier& notifier : notifiers_) next = std::min(next, notifier.NextDue());
  return std::max(next, Now());
}

void Cluster::RunCores() {
  for (Host& host : hosts_) {
    if (host.core == nullptr) {
      if (host.starts_at > Now()) continue;
      Start(host);
    }
    if (host.thaws_at > Now()) continue;
    if (!host.socket.empty()) Thaw(host);
    if (host.core->NextDue() <= Now()) {
      host.core->RunDue();
    } else if (!host.doomed) {
      continue;
    }
    if (host.doomed && !host.connection->dies()) {
      Crash(host, Between(absl::Milliseconds(100), absl::Seconds(15)));
    }
    NoteTouches();
    for (Job& job : jobs_) job.twin->AfterSweep(Now());
  }
  const News news = store_.WaitForNews(absl::ZeroDuration());
  for (Host& host : hosts_) {
    if (host.core != nullptr && host.thaws_at <= Now()) host.core->Wake(news);
  }
}

void Cluster::StepTo(absl::Time when) {
  monotonic_.Advance(when - Now());
  clock_.Set(when);
  RunFaults();
  RunCores();
  RunPeople();
  RunJobs();
  RunGateways();
  for (Notifier& notifier : notifiers_) {
    notifier.RunDue([this]() -> DeliveryQueue* {
      Host* const host = AnyCore();
      return host == nullptr ? nullptr : &host->core->deliveries();
    });
  }
  if (Now() < checked_at_ + kCheckEvery) return;
  checked_at_ = Now();
  // During an own outage nothing is promised, and it is known with the touch that ends it.
  if (Now() < outage_ends_at_ + absl::Seconds(2)) return;
  for (Job& job : jobs_) job.twin->CheckPunctual(Now());
}

std::string Cluster::Untold() {
  DeliveryQuery query;
  query.project = **store_.FindProject("default");
  query.state = DeliveryState::kPending;
  std::vector<std::string> left;
  for (const Job& job : jobs_) {
    const MonitorState& state = job.twin->state();
    // Some never do what is asked of them, and flap for as long as they live.
    if (SteadyAt(state, Now()).has_value()) continue;
    const std::string& id = job.twin->definition().id;
    if (state.incident.has_value() && state.incident->held_until.has_value()) {
      left.push_back(absl::StrCat("an incident of ", id));
    }
    if (state.untold_end.has_value()) left.push_back(absl::StrCat("an end of ", id));
  }
  if (!waiting_.empty()) left.push_back(absl::StrCat(waiting_.size(), " pushes"));
  const std::vector<DeliveryView> pending = *store_.ListDeliveries(query);
  for (const DeliveryView& view : pending) {
    left.push_back(absl::StrCat("delivery ", view.delivery.key,
                                view.delivery.told_by.empty() ? "" : " of a digest"));
  }
  return absl::StrJoin(left, ", ");
}

void Cluster::Live(absl::Duration stormy) {
  const absl::Time calm_at = Now() + stormy;
  while (Now() < calm_at && faults_.empty()) StepTo(NextInstant());
  CalmDown();
  // The rest after an outage, and a lease that nobody holds any more.
  const absl::Time earliest = Now() + absl::Minutes(1);
  const absl::Time latest = Now() + kLongestCalm;
  while (faults_.empty() && (Now() < earliest || !Untold().empty())) {
    if (Now() > latest) faults_.push_back(absl::StrCat("in all the calm was not told: ", Untold()));
    StepTo(NextInstant());
  }
  if (!faults_.empty()) return;
  CheckTouches();
  const Audit audit = {.store = store_, .arrivals = arrivals_, .faults = faults_};
  for (size_t i = 0; i < jobs_.size(); ++i) {
    std::set<uint64_t> acknowledged;
    for (const auto& [job, push_id] : acknowledged_) {
      if (job == i) acknowledged.insert(push_id);
    }
    audit.Check(*jobs_[i].twin, acknowledged, jobs_[i].character == Character::kSteady);
  }
  audit.CheckDeliveries();
}

void Cluster::NoteTouches() {
  const absl::Status read =
      store_.Transact(TransactionClass::kAdmin, [this](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const std::vector<Touch> touches, transaction.ReadTouches());
        for (const Touch& touch : touches) touches_.insert(touch.at);
        return absl::OkStatus();
      });
  if (!read.ok()) faults_.push_back(read.ToString());
}

// An own outage is a time of more than 2 s without a committed touch, and nothing else.
void Cluster::CheckTouches() {
  const auto words = [](const Gap& gap) {
    return absl::StrCat("the gap from ", absl::FormatDuration(gap.start - scenarios::Beginning()),
                        " to ", absl::FormatDuration(gap.end - scenarios::Beginning()));
  };
  const GapList gaps = *store_.ReadGaps(absl::InfinitePast());
  for (const Gap& gap : gaps) {
    const bool caused = std::any_of(outages_.begin(), outages_.end(), [&](const Gap& outage) {
      return gap.start <= outage.end && gap.end >= outage.start;
    });
    if (!caused) faults_.push_back(absl::StrCat(words(gap), " had no cause"));
    const auto inside = touches_.upper_bound(gap.start);
    if (gap.kind == GapKind::kCore && inside != touches_.end() && *inside < gap.end) {
      faults_.push_back(absl::StrCat("there was a touch in ", words(gap)));
    }
  }
  for (auto touch = touches_.begin(); std::next(touch) != touches_.end(); ++touch) {
    const Gap silence = {.kind = GapKind::kCore, .start = *touch, .end = *std::next(touch)};
    if (silence.end - silence.start <= absl::Seconds(2)) continue;
    if (std::find(gaps.begin(), gaps.end(), silence) == gaps.end()) {
      faults_.push_back(absl::StrCat("nobody noticed ", words(silence)));
    }
  }
}

size_t Cluster::Digests() {
  DeliveryQuery query;
  query.project = **store_.FindProject("default");
  query.limit = 1'000'000;
  const std::vector<DeliveryView> views = *store_.ListDeliveries(query);
  return std::count_if(views.begin(), views.end(), [](const DeliveryView& view) {
    return view.delivery.type == DeliveryType::kDigest;
  });
}

std::string Cluster::Summary() {
  int64_t injected = 0;
  size_t recorded = 0, events = 0, held = 0, reminders = 0;
  for (const Host& host : hosts_) injected += host.connection->faults();
  for (const Job& job : jobs_) {
    recorded += job.twin->recorded().size();
    const std::vector<std::string>& told = job.twin->events();
    events += told.size();
    reminders += std::count(told.begin(), told.end(), "REMINDER");
    held += job.twin->held();
  }
  return absl::StrCat(recorded, " heartbeats, ", events, " events, ", held, " held back, ",
                      reminders, " reminders, ", maintenances_, " changes of maintenances, ",
                      arrivals_.deliveries.size(), " deliveries, ", Digests(), " digests, ",
                      crashes_, " crashes, ", freezes_, " freezes, ", retries_,
                      " pushes tried again, ", injected, " faults of the store, ", outages_.size(),
                      " own outages");
}

}  // namespace tocsin::core::simulation
