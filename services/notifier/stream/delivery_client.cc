// Keeps a delivery stream to every core: takes deliveries, grants credits, reports outcomes.
#include "services/notifier/stream/delivery_client.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "common/grpc_status.h"
#include "common/random.h"
#include "services/notifier/stream/convert.h"
#include "services/notifier/stream/resolver.h"

namespace tocsin::notifier {
namespace {

// A stream that lived so long was well: the next one is opened without delay.
constexpr absl::Duration kGoodLife = absl::Seconds(5);
// Messages queued on a stream that does not take them; more wait outside.
constexpr size_t kMostBacklog = 2;

bool IsRefusal(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAUTHENTICATED ||
         status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
}

// Reports kept while no core is reachable; their leases have expired long before.
constexpr size_t kMostHomeless = 65'536;

// How often the tender looks after everything at least, and says that the process is awake.
constexpr absl::Duration kTendEvery = absl::Seconds(1);
constexpr StandstillLimits kLeaseStandstills = {.standstill = absl::Seconds(2),
                                                .mark_every = kTendEvery};

constexpr int kMaxMessageBytes = 32 << 20;

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  // A core that is unplugged closes nothing. The timeout is also TCP's for what we write; pings
  // more often than every five minutes are abuse to a server that was not told to expect them.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 310'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  args.SetMaxReceiveMessageSize(kMaxMessageBytes);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), args);
}

}  // namespace

DeliveryClient::DeliveryClient(const DeliveryClientOptions& options, const MonotonicClock& clock,
                               NotifierMetrics& metrics, Take take)
    : options_(options),
      clock_(clock),
      metrics_(metrics),
      take_(std::move(take)),
      standstills_(kLeaseStandstills),
      flushed_at_(-absl::InfiniteDuration()) {
  tender_ = std::make_unique<PeriodicTask>("streams", [this] { return Tend(); });
  resolver_ = std::make_unique<PeriodicTask>("resolver", [this] { return Resolve(); });
}

DeliveryClient::~DeliveryClient() { Close(absl::ZeroDuration()); }

void DeliveryClient::Report(notifier::Report report) {
  bool wake = false;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = streams_.find(report.origin);
    if (found != streams_.end()) {
      found->second->assigned -= 1;
      found->second->outbox.Add(std::move(report));
    } else {
      homeless_.push_back(std::move(report));
    }
    ++waiting_reports_;
    const absl::Duration now = clock_.Now();
    if (waiting_reports_ >= options_.report_batch ||
        now - flushed_at_ >= options_.report_interval) {
      Flush(now);
    }
    wake = waiting_reports_ == 1;
  }
  if (wake) tender_->Wake();
}

int DeliveryClient::connected() const {
  absl::MutexLock lock(&mutex_);
  return connected_;
}

bool DeliveryClient::refused() const {
  absl::MutexLock lock(&mutex_);
  return std::any_of(targets_.begin(), targets_.end(), [](const auto& entry) {
    return entry.second->refused && entry.second->wanted;
  });
}

void DeliveryClient::StopTaking() {
  absl::MutexLock lock(&mutex_);
  taking_ = false;
}

void DeliveryClient::Close(absl::Duration timeout) {
  {
    absl::MutexLock lock(&mutex_);
    taking_ = false;
    closing_ = true;  // nothing is opened any more
  }
  resolver_->Stop();
  tender_->Stop();
  const auto none_left = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return streams_.empty(); };
  absl::MutexLock lock(&mutex_);
  const absl::Duration end = clock_.Now() + timeout;
  // A stream that does not take its backlog is given time; what it has not taken then is lost.
  bool left = true;
  while (left && clock_.Now() < end) {
    Flush(clock_.Now());
    left = waiting_reports_ > 0 && connected_ > 0;
    if (left) mutex_.AwaitWithTimeout(absl::Condition(&none_left), absl::Milliseconds(5));
  }
  for (const auto& [id, stream] : streams_) stream->stream->HalfClose();
  if (!mutex_.AwaitWithTimeout(absl::Condition(&none_left),
                               std::max(end - clock_.Now(), absl::ZeroDuration()))) {
    for (const auto& [id, stream] : streams_) stream->stream->Cancel();
    mutex_.Await(absl::Condition(&none_left));
  }
}

void DeliveryClient::OnStreamUp(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  Stream& stream = *streams_.find(id)->second;
  stream.up = true;
  ++connected_;
  Target& target = *stream.target;
  target.refused = false;
  if (!std::exchange(target.seen, true)) LogInfo("core_connected", {{"address", target.address}});
  target.logger.Report(absl::OkStatus(), {{"address", target.address}});
  Flush(clock_.Now());
  ShowState();
  tender_->Wake();
}

void DeliveryClient::OnAssignments(uint64_t id, const internal::v1::DeliverResponse& response) {
  const int n = response.assignments_size();
  if (n == 0) return;
  absl::Duration leased_at;
  {
    absl::MutexLock lock(&mutex_);
    leased_at = LeasedAt(clock_.Now());
    Stream& stream = *streams_.find(id)->second;
    stream.credits -= n;
    stream.assigned += n;
    ShowState();
  }
  std::vector<Delivery> deliveries;
  deliveries.reserve(n);
  for (const internal::v1::Assignment& assignment : response.assignments()) {
    deliveries.push_back(FromProto(assignment, id, leased_at));
  }
  take_(std::move(deliveries));
}

// A lease counts from when core assigned it, which is when it is read, unless this process stood
// still: what lay in the socket meanwhile may be as old as that, and another notifier may have
// taken it over.
absl::Duration DeliveryClient::LeasedAt(absl::Duration now) {
  standstills_.MarkAwake(now);
  return standstills_.UnseenSince().value_or(now);
}

void DeliveryClient::OnStreamDown(uint64_t id, const grpc::Status& status) {
  absl::MutexLock lock(&mutex_);
  const auto found = streams_.find(id);
  const std::unique_ptr<Stream> stream = std::move(found->second);
  streams_.erase(found);
  dead_.push_back(std::move(stream->stream));
  const absl::Duration now = clock_.Now();
  if (stream->up) --connected_;
  Target& target = *stream->target;
  target.stream = 0;
  if (stream->up && now - stream->opened_at >= kGoodLife) target.backoff = options_.first_backoff;
  target.retry_at = now + target.backoff * (0.5 + RandomFraction() / 2);
  target.backoff = std::min(target.backoff * 2, options_.longest_backoff);
  const absl::Status why =
      status.ok() ? absl::UnavailableError("core ended the stream") : FromGrpcStatus(status);
  target.refused |= IsRefusal(status);
  if (!closing_) target.logger.Report(why, {{"address", target.address}});
  std::vector<notifier::Report> uncertain = stream->outbox.TakeUncertain(now);
  metrics_.CountResentReports(uncertain.size());
  homeless_.insert(homeless_.end(), std::make_move_iterator(uncertain.begin()),
                   std::make_move_iterator(uncertain.end()));
  Flush(now);
  ShowState();
  // With the lock held: once the last stream is gone and the lock is free, so may be this object.
  tender_->Wake();
}

absl::Duration DeliveryClient::Resolve() {
  std::vector<std::string> found;
  bool complete = true;
  for (const std::string& address : options_.core_addresses) {
    const auto targets = ResolveTargets(address);
    if (targets.ok()) {
      found.insert(found.end(), targets->begin(), targets->end());
    } else {
      complete = false;
    }
    resolve_logger_.Report(targets.status(), {{"address", address}});
  }
  {
    absl::MutexLock lock(&mutex_);
    // What cannot be looked up now is kept: its core may well be there.
    for (const auto& [address, target] : targets_) target->wanted = !complete;
    for (const std::string& address : found) {
      std::unique_ptr<Target>& target = targets_[address];
      if (target == nullptr) {
        target = std::make_unique<Target>();
        target->address = address;
        target->stub = internal::v1::DeliveryService::NewStub(MakeChannel(address));
        target->retry_at = clock_.Now();
        target->backoff = options_.first_backoff;
      }
      target->wanted = true;
    }
    // A target that is not named any more keeps its stream for as long as that lasts.
    for (auto it = targets_.begin(); it != targets_.end();) {
      const bool gone = !it->second->wanted && it->second->stream == 0;
      it = gone ? targets_.erase(it) : std::next(it);
    }
  }
  tender_->Wake();
  return complete ? options_.resolve_interval : absl::Seconds(1);
}

absl::Duration DeliveryClient::Tend() {
  std::vector<std::unique_ptr<DeliverStream>> dead;  // destroyed after the lock is free
  absl::MutexLock lock(&mutex_);
  dead.swap(dead_);
  const absl::Duration now = clock_.Now();
  standstills_.MarkAwake(now);
  if (!closing_) OpenStreams(now);
  if (waiting_reports_ > 0 && now - flushed_at_ >= options_.report_interval) Flush(now);
  absl::Duration rest = kTendEvery;
  if (waiting_reports_ > 0 && connected_ > 0) {
    // Not less than a millisecond: what did not go out now goes out when its stream takes more.
    rest = std::max(flushed_at_ + options_.report_interval - now, absl::Milliseconds(1));
  }
  for (const auto& [address, target] : targets_) {
    if (target->stream == 0 && target->wanted) rest = std::min(rest, target->retry_at - now);
  }
  return rest;
}

void DeliveryClient::OpenStreams(absl::Duration now) {
  for (const auto& [address, target] : targets_) {
    if (target->stream != 0 || !target->wanted || target->retry_at > now) continue;
    const uint64_t id = ++last_stream_;
    auto stream = std::make_unique<Stream>();
    stream->target = target.get();
    stream->opened_at = now;
    target->stream = id;
    internal::v1::DeliverRequest hello;
    hello.set_notifier(options_.name);
    // Its reactions wait for our lock, so they find the stream registered.
    stream->stream = DeliverStream::Open(
        id, *target->stub, {.key = options_.core_key, .await_acceptance = target->refused},
        std::move(hello), *this);
    streams_.emplace(id, std::move(stream));
  }
}

void DeliveryClient::Flush(absl::Duration now) {
  AdoptHomeless();
  flushed_at_ = now;
  size_t waiting = homeless_.size();
  for (const auto& [id, stream] : streams_) {
    if (stream->up) FlushStream(*stream, now);
    waiting += stream->outbox.pending();
  }
  waiting_reports_ = waiting;
}

void DeliveryClient::FlushStream(Stream& stream, absl::Duration now) {
  while (stream.stream->backlog() < kMostBacklog) {
    internal::v1::DeliverRequest request;
    for (const notifier::Report& report : stream.outbox.TakeBatch(options_.report_batch, now)) {
      ToProto(report, *request.add_reports());
    }
    const int credits = taking_ ? Share() - stream.credits - stream.assigned : 0;
    if (credits > 0) {
      request.set_credits(static_cast<uint32_t>(credits));
      stream.credits += credits;
    }
    if (request.reports_size() == 0 && request.credits() == 0) return;
    stream.stream->Send(std::move(request));
  }
}

DeliveryClient::Stream* DeliveryClient::AnyStreamUp() {
  for (const auto& [id, stream] : streams_) {
    if (stream->up) return stream.get();
  }
  return nullptr;
}

void DeliveryClient::AdoptHomeless() {
  if (homeless_.size() > kMostHomeless) {
    const size_t excess = homeless_.size() - kMostHomeless;
    homeless_.erase(homeless_.begin(), homeless_.begin() + static_cast<std::ptrdiff_t>(excess));
    metrics_.CountDroppedReports(excess);
  }
  Stream* stream = AnyStreamUp();
  if (stream == nullptr) return;
  for (notifier::Report& report : homeless_) stream->outbox.Add(std::move(report));
  homeless_.clear();
}

int DeliveryClient::Share() const {
  return std::max<int>(1, options_.max_assigned / std::max<int>(1, targets_.size()));
}

void DeliveryClient::ShowState() {
  int credits = 0;
  for (const auto& [id, stream] : streams_) credits += stream->credits;
  metrics_.SetStreams(connected_);
  metrics_.SetCredits(credits);
}

}  // namespace tocsin::notifier
