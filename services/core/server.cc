// Wiring.
#include "services/core/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/build_info.h"
#include "common/log.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "services/core/api/malformed_requests.h"
#include "services/core/store/sealer.h"

namespace tocsin::core {
namespace {

constexpr int kMaxMessageBytes = 4 * 1024 * 1024;
// Lists are cut at less (see AddFitting); pages of an export, which gateways take, need not be.
constexpr int kMaxAnswerBytes = 64 * 1024 * 1024;
constexpr int kMinPingMillis = 5'000;
// A peer whose machine vanished without a word is let go after the sum of these.
constexpr int kKeepaliveMillis = 20'000;
constexpr int kKeepaliveTimeoutMillis = 10'000;
constexpr absl::Duration kTouchRest = absl::Milliseconds(500);
constexpr absl::Duration kClockRest = absl::Milliseconds(500);
// A replica whose newest touch is older is not ready,
constexpr absl::Duration kReadyTouch = absl::Seconds(3);
// or, for others, not there.
constexpr absl::Duration kLiveTouch = absl::Seconds(5);
// While a sweep comes before the feed.
constexpr absl::Duration kFeedRest = absl::Milliseconds(200);
constexpr absl::Duration kMaintainRest = absl::Minutes(1);
constexpr absl::Duration kMaintainAgain = absl::Seconds(10);  // after a failure
constexpr absl::Duration kWakeRest = absl::Seconds(1);
constexpr absl::Duration kTellRest = absl::Seconds(2);
constexpr absl::Duration kCensusRest = absl::Seconds(15);
constexpr absl::Duration kCensusSoon = absl::Seconds(1);  // while an outage is recorded
constexpr absl::Duration kNewsWait = absl::Seconds(1);
constexpr absl::Duration kRetryRest = absl::Seconds(1);
// How often streams are looked at whose key may have ended, and uses of keys are written.
constexpr absl::Duration kKeysRest = absl::Seconds(4);
constexpr absl::Duration kHealthRest = absl::Seconds(1);
constexpr absl::Duration kUnreadyRest = absl::Milliseconds(200);
constexpr absl::Duration kStreamsEnd = absl::Seconds(5);
constexpr absl::Duration kCallsEnd = absl::Seconds(5);

// Asked of the gRPC health service, this name is SERVING as long as the process works.
constexpr char kLiveness[] = "liveness";

std::string GrpcAddress(const HostPort& address) {
  if (address.host.empty()) return absl::StrCat("[::]:", address.port);
  if (absl::StrContains(address.host, ':')) {
    return absl::StrCat("[", address.host, "]:", address.port);
  }
  return absl::StrCat(address.host, ":", address.port);
}

}  // namespace

struct Server::Engine {
  Engine(Store& store, const Clock& clock, const MonotonicClock& monotonic, const Options& options,
         const std::string& instance, const Sealer& sealer, prometheus::Registry& registry)
      : recorder_metrics(registry),
        sweeper_metrics(registry),
        guard_metrics(registry),
        delivery_metrics(registry),
        census_metrics(registry),
        recorder(store, clock, monotonic, RecorderOptionsFor(options.recorder), recorder_metrics),
        guard(store, recorder, clock, GuardOptionsFor(instance), guard_metrics),
        sweeper(store, guard, clock, SweeperOptions(), sweeper_metrics),
        second_sweeper(store, guard, clock, SweeperOptions(), sweeper_metrics),
        deliveries(store, clock, DeliveryOptionsFor(sweeper), delivery_metrics),
        feed(store),
        monitors(store, clock, &sealer),
        channels(store, clock, &sealer),
        maintenances(store, clock),
        projects(store, clock),
        keys(store, clock, &sealer),
        authenticator(store, clock, monotonic),
        pushes(recorder, monitors, store, clock),
        gate(options.auth ? &authenticator : nullptr) {}

  static GuardOptions GuardOptionsFor(const std::string& instance) {
    GuardOptions options;
    options.instance = instance;
    options.touch_every = kTouchRest;
    return options;
  }

  // The sweeper is made after the recorder, and first asked once that has been started.
  RecorderOptions RecorderOptionsFor(RecorderOptions options) {
    options.lingers = [this] { return sweeper.comes_first(); };
    return options;
  }

  // An outage is recorded before it is told: who is told of it first then knows how large it is.
  static DeliveryQueueOptions DeliveryOptionsFor(const Sweeper& sweeper) {
    DeliveryQueueOptions options;
    options.holds_back = [&sweeper] { return sweeper.comes_first(); };
    return options;
  }

  RecorderMetrics recorder_metrics;
  SweeperMetrics sweeper_metrics;
  GuardMetrics guard_metrics;
  DeliveryMetrics delivery_metrics;
  CensusMetrics census_metrics;
  PushRecorder recorder;
  OutageGuard guard;
  Sweeper sweeper;
  Sweeper second_sweeper;  // helps while the first is behind
  DeliveryQueue deliveries;
  AlertFeed feed;
  MonitorAdmin monitors;
  ChannelAdmin channels;
  MaintenanceAdmin maintenances;
  ProjectAdmin projects;
  KeyAdmin keys;
  Authenticator authenticator;
  PushCreator pushes;
  Gate gate;
};

struct Server::Tasks {
  std::unique_ptr<PeriodicTask> awake, touch, clock, sweep, second_sweep, deliveries, reports, feed,
      maintain, wake, tell, census, news, health, keys;

  void Stop() {
    for (auto* task : {&health, &news, &keys, &sweep, &second_sweep, &deliveries, &reports, &feed,
                       &maintain, &wake, &tell, &census, &clock, &touch, &awake}) {
      if (*task != nullptr) (*task)->Stop();
    }
  }
};

Server::Server(const Options& options, const Shutdown& shutdown)
    : options_(options),
      shutdown_(shutdown),
      instance_(RandomToken()),
      clock_(monotonic_, system_clock_),
      readiness_(absl::UnavailableError("starting")) {}

Server::~Server() { Stop(); }

absl::Status Server::Start() {
  if (!options_.migrate_only) RETURN_IF_ERROR(StartAdmin());
  RETURN_IF_ERROR(
      UntilAvailable("migrate", [this] { return PgStore::Migrate(options_.database_url); }));
  if (options_.migrate_only) return absl::OkStatus();
  RETURN_IF_ERROR(OpenStore());
  engine_ = std::make_unique<Engine>(*store_, clock_, monotonic_, options_, instance_, *sealer_,
                                     registry_);
  engine_->recorder.Start();
  engine_->pushes.Start();
  RETURN_IF_ERROR(InstallKeys());
  services_ =
      std::make_unique<Services>(ServiceParts{.gate = engine_->gate,
                                              .store = *store_,
                                              .history = *store_,
                                              .clock = clock_,
                                              .monotonic = monotonic_,
                                              .pushes = engine_->pushes,
                                              .guard = engine_->guard,
                                              .queue = engine_->deliveries,
                                              .feed = engine_->feed,
                                              .monitors = engine_->monitors,
                                              .channels = engine_->channels,
                                              .maintenances = engine_->maintenances,
                                              .projects = engine_->projects,
                                              .keys = engine_->keys,
                                              .public_url = options_.public_url,
                                              .incidents_kept = options_.retention.incidents});
  StartTasks();
  RETURN_IF_ERROR(StartGrpc());
  SetReadiness(absl::OkStatus());
  // Soon after /readyz: at first it mostly lacks the first touch, which takes a moment.
  tasks_->health = std::make_unique<PeriodicTask>(
      "health", [this] { return ShowHealth() ? kHealthRest : kUnreadyRest; });
  return absl::OkStatus();
}

absl::Status Server::StartAdmin() {
  RegisterBuildInfo(registry_, "tocsin-core");
  ASSIGN_OR_RETURN(admin_, AdminServer::Start({.address = options_.admin_listen.host,
                                               .port = options_.admin_listen.port},
                                              registry_, [this] { return Ready(); }));
  admin_->AddMetrics(process_metrics_);
  return absl::OkStatus();
}

absl::Status Server::OpenStore() {
  ASSIGN_OR_RETURN(Sealer sealer, Sealer::FromFile(options_.secret_key_file));
  PgStoreOptions options;
  options.url = options_.database_url;
  sealer_ = std::make_unique<Sealer>(sealer);
  ASSIGN_OR_RETURN(store_, PgStore::Open(options, std::move(sealer), monotonic_));
  RETURN_IF_ERROR(UntilAvailable("check_secrets", [this] { return store_->CheckSecrets(); }));
  RETURN_IF_ERROR(UntilAvailable("follow_clock", [this] { return clock_.Follow(*store_); }));
  // So that today's pushes find their partition. Without one the default partition takes them: who
  // holds a lock for long, such as a dump, does not hold up the start, and the task tries again.
  RetentionPolicy at_once = options_.retention;
  at_once.rollups.steps = 0;  // who waits to be served does not wait for statistics
  const absl::Status maintained = store_->Maintain(at_once, clock_.Now()).status();
  if (!maintained.ok()) LogWarning("maintain_at_start_failed", {{"status", maintained}});
  return absl::OkStatus();
}

absl::Status Server::InstallKeys() {
  const Caller caller = {.actor = "system", .method = "start", .source = "", .request_id = ""};
  for (const BootstrapKey& key : options_.bootstrap_keys) {
    const absl::Status installed = UntilAvailable("install_keys", [&] {
      return engine_->keys.Install(caller, key.id, key.role, key.secret);
    });
    // Whoever took that key away meant it, and watching goes on without it.
    if (absl::IsFailedPrecondition(installed)) {
      LogError("bootstrap_key_refused",
               {{"key", KeyName(kAnyProject, key.id)}, {"error", installed}});
      continue;
    }
    RETURN_IF_ERROR(installed);
  }
  if (!options_.auth) LogWarning("auth_disabled", {{"address", options_.listen.host}});
  return absl::OkStatus();
}

absl::Status Server::UntilAvailable(const std::string& what,
                                    const std::function<absl::Status()>& action) {
  ChangeLogger log("database_" + what);
  while (!shutdown_.requested()) {
    absl::Status status = action();
    log.Report(status);
    if (!absl::IsUnavailable(status)) return status;
    SetReadiness(absl::UnavailableError(
        absl::StrCat("waiting for the database (", what, "): ", status.message())));
    shutdown_.WaitFor(kRetryRest);
  }
  return absl::CancelledError("stopped while waiting for the database");
}

void Server::StartTasks() {
  tasks_ = std::make_unique<Tasks>();
  Tasks& tasks = *tasks_;
  Engine& engine = *engine_;
  // Alone: a touch waits for the database, which is no standstill.
  tasks.awake = std::make_unique<PeriodicTask>("awake", PushRecorder::kAwakeEvery,
                                               [&engine] { engine.recorder.NoteAwake(); });
  // Alone: a touch that comes late is an own outage.
  tasks.touch = std::make_unique<PeriodicTask>(
      "touch", kTouchRest, [this, &engine, log = std::make_shared<ChangeLogger>("touch")] {
        const absl::Status touched = engine.guard.TouchNow();
        // That it ends with the recorder is no news.
        if (touched.ok() || !shutdown_.requested()) log->Report(touched);
      });
  tasks.clock = std::make_unique<PeriodicTask>(
      "clock", kClockRest, [this, log = std::make_shared<ChangeLogger>("clock")] {
        log->Report(clock_.Follow(*store_));
      });
  tasks.second_sweep = std::make_unique<PeriodicTask>("second_sweep", [&] {
    return engine.sweeper.behind() ? engine.second_sweeper.Sweep() : absl::InfiniteDuration();
  });
  tasks.sweep = std::make_unique<PeriodicTask>("sweep", [&tasks, &engine] {
    const absl::Duration rest = engine.sweeper.Sweep();
    if (engine.sweeper.behind()) tasks.second_sweep->Wake();
    return rest;
  });
  tasks.deliveries =
      std::make_unique<PeriodicTask>("deliveries", [&] { return engine.deliveries.TickLeases(); });
  tasks.reports =
      std::make_unique<PeriodicTask>("reports", [&] { return engine.deliveries.TickReports(); });
  tasks.feed = std::make_unique<PeriodicTask>(
      "feed", [&] { return engine.sweeper.comes_first() ? kFeedRest : engine.feed.Tick(); });
  // Whoever changes a maintenance does it, too, and may have left some of it.
  tasks.wake = std::make_unique<PeriodicTask>(
      "wake", [this, log = std::make_shared<ChangeLogger>("wake_sweeps")] {
        const absl::StatusOr<bool> woken =
            store_->WakeSweeps(MaintenanceAdmin::kWokenTogether, clock_.Now());
        log->Report(woken.status());
        return woken.ok() && *woken ? absl::ZeroDuration() : kWakeRest;
      });
  tasks.maintain = std::make_unique<PeriodicTask>(
      "maintain", [this, log = std::make_shared<ChangeLogger>("maintain")] {
        const absl::StatusOr<bool> more = store_->Maintain(options_.retention, clock_.Now());
        log->Report(more.status());
        // What failed may have kept something from being told that there is more.
        if (!more.ok()) return kMaintainAgain;
        return *more ? absl::Seconds(1) : kMaintainRest;
      });
  tasks.tell = std::make_unique<PeriodicTask>(
      "tell", kTellRest, [&engine, log = std::make_shared<ChangeLogger>("tell_gaps")] {
        log->Report(engine.guard.TellGaps());
      });
  tasks.census = std::make_unique<PeriodicTask>("census", [this, &engine] {
    if (engine.sweeper.comes_first()) return kCensusSoon;
    TakeCensus();
    return kCensusRest;
  });
  tasks.keys = std::make_unique<PeriodicTask>(
      "keys", kKeysRest, [this, &engine, log = std::make_shared<ChangeLogger>("note_key_uses")] {
        absl::Status noted = engine.authenticator.NoteUses();
        noted.Update(engine.recorder.key_uses().Write(*store_, clock_.Now()));
        log->Report(noted);
        services_->RecheckStreams();
      });
  engine.guard.OnUrgent([&tasks] { tasks.touch->Wake(); });
  engine.guard.OnAsk([this] { services_->push_stream.Ask(); });
  engine.deliveries.OnUrgent([&tasks] { tasks.deliveries->Wake(); },
                             [&tasks] { tasks.reports->Wake(); });
  tasks.news =
      std::make_unique<PeriodicTask>("news", absl::ZeroDuration(), [this] { WakeOnNews(); });
}

void Server::WakeOnNews() {
  const News news = store_->WaitForNews(kNewsWait);
  if (news.sweep) tasks_->sweep->Wake();
  if (news.deliveries) tasks_->deliveries->Wake();
  if (news.events) tasks_->feed->Wake();
  if (news.keys) {
    engine_->gate.KeysChanged();
    engine_->recorder.DoubtKeys();
  }
}

absl::StatusOr<bool> Server::IsFirst() {
  std::vector<Touch> touches;
  RETURN_IF_ERROR(store_->Transact(TransactionClass::kAdmin, [&](Transaction& transaction) {
    ASSIGN_OR_RETURN(touches, transaction.ReadTouches());
    return absl::OkStatus();
  }));
  const absl::Time live = clock_.Now() - kLiveTouch;
  for (const Touch& touch : touches) {
    if (touch.at >= live && touch.instance < instance_) return false;
  }
  return true;
}

void Server::TakeCensus() {
  const absl::StatusOr<bool> first = IsFirst();
  if (first.ok() && *first) {
    const absl::StatusOr<Census> census = store_->TakeCensus(clock_.Now());
    census_log_.Report(census.status());
    engine_->census_metrics.Publish(census.ok() ? &*census : nullptr);
  } else {
    if (!first.ok()) census_log_.Report(first.status());
    engine_->census_metrics.Publish(nullptr);
  }
}

absl::Status Server::StartGrpc() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(GrpcAddress(options_.listen), grpc::InsecureServerCredentials(), &port_);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxAnswerBytes);
  // A second process on the same port is a mistake to be told, not to be shared with.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Peers whose streams are quiet may ask whether we are still there.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingMillis);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMillis);
  for (const Services::Named& named : services_->All()) builder.RegisterService(named.service);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(ExplainMalformedRequests());
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr || port_ == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", GrpcAddress(options_.listen)));
  }
  grpc_->GetHealthCheckService()->SetServingStatus(kLiveness, true);
  return absl::OkStatus();
}

bool Server::ShowHealth() {
  const bool ready = Ready().ok();
  grpc::HealthCheckServiceInterface& health = *grpc_->GetHealthCheckService();
  health.SetServingStatus("", ready);
  for (const Services::Named& named : services_->All()) health.SetServingStatus(named.name, ready);
  return ready;
}

absl::Status Server::Ready() {
  {
    absl::MutexLock lock(&mutex_);
    if (!readiness_.ok()) return readiness_;
  }
  // A touch says more than a question to the database would, and asking may take as long as it
  // hangs, in a thread that others wait for.
  if (clock_.Now() - engine_->guard.NewestTouch() > kReadyTouch) {
    return absl::UnavailableError("nothing could be committed for a while");
  }
  return absl::OkStatus();
}

void Server::SetReadiness(absl::Status readiness) {
  absl::MutexLock lock(&mutex_);
  readiness_ = std::move(readiness);
}

void Server::Stop() {
  SetReadiness(absl::UnavailableError("draining"));
  if (grpc_ != nullptr) {
    grpc_->GetHealthCheckService()->SetServingStatus(false);
    if (!services_->push_stream.Drain(kStreamsEnd)) LogWarning("push_streams_left");
    if (!services_->deliver.Stop(kStreamsEnd)) LogWarning("deliver_streams_left");
  }
  if (services_ != nullptr) services_->alerts.Stop();
  if (engine_ != nullptr) {
    // Others need not believe for another second that gateways are here. Where the database is away
    // nobody would read it.
    if (clock_.Now() - engine_->guard.NewestTouch() <= kReadyTouch) {
      const absl::Status touched = engine_->guard.TouchNow();
      if (!touched.ok()) LogWarning("last_touch_failed", {{"status", touched}});
    }
    engine_->pushes.Stop();
    engine_->recorder.Stop();
  }
  if (tasks_ != nullptr) {
    store_->StopWaiting();
    tasks_->Stop();
    engine_->deliveries.TickReports();  // the last ones
  }
  if (grpc_ != nullptr) {
    grpc_->Shutdown(absl::ToChronoTime(system_clock_.Now() + kCallsEnd));
    grpc_->Wait();
  }
  admin_.reset();
  grpc_.reset();
  services_.reset();
  // A committer or stream may wake a task until here.
  tasks_.reset();
  engine_.reset();
  store_.reset();
}

}  // namespace tocsin::core
