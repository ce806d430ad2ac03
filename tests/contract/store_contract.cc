// The stores under test, and the makings of their contents.
#include "tests/contract/store_contract.h"

#include "common/clock.h"
#include "services/core/store/memory/memory_store.h"
#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core {
namespace {

// One database for the whole program, emptied for each test.
std::unique_ptr<Store> MakePgStore() {
  static pg::TestDatabase& database = *[] {
    static pg::TestDatabase made;
    made.Migrate();
    return &made;
  }();
  database.Clear();
  return database.OpenStore();
}

std::unique_ptr<Store> MakeMemoryStore() {
  static const SystemClock& clock = *new SystemClock;
  return std::make_unique<MemoryStore>(clock);
}

}  // namespace

std::vector<StoreKind> AllStores() {
  return {{"PostgreSQL", &MakePgStore}, {"Memory", &MakeMemoryStore}};
}

std::string StoreKindName(const testing::TestParamInfo<StoreKind>& info) { return info.param.name; }

const absl::Time StoreContract::kStart =
    absl::FromCivil(absl::CivilSecond(2026, 3, 2, 10, 0, 0), absl::UTCTimeZone());

void StoreContract::Do(absl::FunctionRef<absl::Status(Transaction&)> body) {
  const absl::Status status = store().Transact(TransactionClass::kAdmin, body);
  ASSERT_TRUE(status.ok()) << status;
}

Monitor StoreContract::UpMonitor(const std::string& id) {
  Monitor monitor;
  MonitorDefinition& definition = monitor.definition;
  definition.project = project();
  definition.project_id = "default";
  definition.id = id;
  definition.display_name = "The " + id;
  definition.description = "does it";
  definition.owner = "@ops";
  definition.severity = Severity::kWarning;
  definition.runbook_url = "https://runbooks.example/" + id;
  definition.labels = {{"team", "payments"}, {"odd \"key\"", "ü,="}};
  definition.schedule = {.timeout = absl::Seconds(60),
                         .recommended_interval = absl::Seconds(30),
                         .grace = absl::Seconds(5)};
  definition.failure_threshold = 2;
  definition.recovery_threshold = 3;
  definition.arm_on_create = true;
  definition.resume_on_heartbeat = true;
  definition.channels = {"mail", "pager"};
  definition.created_at = kStart - absl::Hours(1);
  definition.updated_at = kStart - absl::Minutes(30);
  monitor.state.state = State::kUp;
  monitor.state.last_at = kStart;
  monitor.state.last_source = Source::kGrpc;
  return monitor;
}

MonitorIdentity StoreContract::Add(const Monitor& monitor, absl::Time sweep_at) {
  MonitorIdentity identity;
  Do([&](Transaction& transaction) {
    absl::StatusOr<MonitorIdentity> added = transaction.InsertMonitor(monitor, sweep_at);
    if (added.ok()) identity = *added;
    return added.status();
  });
  return identity;
}

MonitorIdentity StoreContract::AddUp(const std::string& id) { return Add(UpMonitor(id)); }

Monitor StoreContract::Load(MonitorKey key) {
  Monitor monitor;
  Do([&](Transaction& transaction) {
    absl::StatusOr<std::vector<Monitor>> locked = transaction.LockMonitors({key}, LockMode::kWait);
    if (locked.ok() && locked->size() == 1) monitor = locked->front();
    return locked.status();
  });
  return monitor;
}

void StoreContract::Save(const StateChange& change) {
  Do([&](Transaction& transaction) { return transaction.SaveStates({change}); });
}

Channel StoreContract::MakeChannel(const std::string& id) {
  Channel channel;
  channel.project = project();
  channel.project_id = "default";
  channel.id = id;
  channel.display_name = "The " + id;
  channel.url = "https://hooks.example/secret/" + id;
  channel.secrets = {"whsec_new", "whsec_old"};
  channel.selector = "team=payments";
  channel.fallback_channel = "mail";
  channel.version = int64_t{1} << 62;
  channel.created_at = kStart;
  channel.updated_at = kStart;
  return channel;
}

ChannelKey StoreContract::AddChannel(const std::string& id) {
  ChannelKey key = 0;
  Do([&](Transaction& transaction) {
    absl::StatusOr<ChannelKey> added = transaction.InsertChannel(MakeChannel(id));
    if (added.ok()) key = *added;
    return added.status();
  });
  return key;
}

Channel StoreContract::LoadChannel(const std::string& id) {
  ChannelQuery query;
  query.project = project();
  const std::vector<Channel> channels = store().ListChannels(query).value();
  for (const Channel& channel : channels) {
    if (channel.id == id) return channel;
  }
  ADD_FAILURE() << "no channel " << id;
  return {};
}

StoreContract::Outage StoreContract::Open(const MonitorIdentity& monitor, int64_t sequence,
                                          absl::Time at) {
  Outage outage;
  Monitor loaded = Load(monitor.key);
  Do([&](Transaction& transaction) -> absl::Status {
    outage.incident = Incident{};
    outage.incident.project = project();
    outage.incident.monitor = monitor.key;
    outage.incident.cause = Cause::kReportedDown;
    outage.incident.opened_at = at;
    outage.incident.detected_at = at + absl::Milliseconds(20);
    outage.incident.message = "disk full";
    absl::StatusOr<IncidentKey> incident = transaction.AddIncident(outage.incident);
    if (!incident.ok()) return incident.status();
    outage.incident.key = *incident;
    absl::StatusOr<EventKey> firing =
        transaction.AddEvent(MakeEvent(loaded, outage.incident, EventType::kFiring, sequence, at));
    if (!firing.ok()) return firing.status();
    outage.firing = *firing;
    StateChange change;
    change.monitor = monitor.key;
    change.state = loaded.state;
    change.state.state = State::kDown;
    change.state.sequence = sequence;
    change.state.incident = outage.incident;
    return transaction.SaveStates({change});
  });
  return outage;
}

AlertEvent StoreContract::MakeEvent(const Monitor& monitor, const Incident& incident,
                                    EventType type, int64_t sequence, absl::Time at) {
  AlertEvent event;
  event.type = type;
  event.project = monitor.definition.project;
  event.monitor = monitor.definition.key;
  event.sequence = sequence;
  event.occurred_at = at;
  event.detected_at = at + absl::Milliseconds(20);
  event.incident = incident;
  event.definition = monitor.definition;
  event.state = type == EventType::kResolved ? State::kUp : State::kDown;
  event.expected_at = at - absl::Seconds(5);
  event.last_heartbeat = Heartbeat{.kind = HeartbeatKind::kUp,
                                   .at = kStart,
                                   .message = "last words: \"ü\"",
                                   .value = 1.5,
                                   .exit_status = 3,
                                   .run_id = "run",
                                   .source = Source::kHttp,
                                   .push_id = 0xfedcba9876543210};
  return event;
}

Delivery StoreContract::MakeDelivery(const std::string& id, ChannelKey channel, MonitorKey monitor,
                                     int64_t sequence, absl::Time at) {
  Delivery delivery;
  delivery.id = id;
  delivery.project = project();
  delivery.channel = channel;
  delivery.monitor = monitor;
  delivery.sequence = sequence;
  delivery.occurred_at = at;
  delivery.created_at = at;
  delivery.next_attempt_at = at;
  delivery.expires_at = at + absl::Hours(72);
  return delivery;
}

void StoreContract::AddDelivery(const Delivery& delivery) {
  Do([&](Transaction& transaction) { return transaction.AddDeliveries({delivery}); });
}

std::vector<LeasedDelivery> StoreContract::Lease(absl::Time now, int limit, int per_channel,
                                                 const std::string& lease_id) {
  return store()
      .LeaseDeliveries({.notifier = "notifier",
                        .lease_id = lease_id,
                        .now = now,
                        .lease = absl::Seconds(60),
                        .limit = limit,
                        .per_channel = per_channel,
                        .per_failing_channel = 2})
      .value();
}

Delivery StoreContract::Find(const std::string& id) {
  DeliveryQuery query;
  query.project = project();
  query.limit = 1000;
  const std::vector<DeliveryView> views = store().ListDeliveries(query).value();
  for (const DeliveryView& view : views) {
    if (view.delivery.id == id) return view.delivery;
  }
  ADD_FAILURE() << "no delivery " << id;
  return {};
}

TokenHash TokenOf(uint8_t byte) {
  TokenHash hash;
  hash.fill(byte);
  return hash;
}

SteadyUp UpOf(const MonitorIdentity& monitor, absl::Time at, uint64_t push_id) {
  SteadyUp up;
  up.monitor = monitor.key;
  up.version = monitor.version;
  up.at = at;
  up.push_id = push_id;
  up.source = Source::kHttp;
  return up;
}

std::vector<std::string> IdsOf(const std::vector<LeasedDelivery>& leased) {
  std::vector<std::string> ids;
  for (const LeasedDelivery& item : leased) ids.push_back(item.delivery.id);
  return ids;
}

}  // namespace tocsin::core
