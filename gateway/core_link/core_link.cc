// Replicas: connecting, losing and leaving them.
#include "gateway/core_link/core_link.h"

#include <algorithm>
#include <utility>

#include "common/log.h"

namespace tocsin::gateway {
namespace {

// gRPC tells of a channel's state only when asked (or through a completion queue of its own).
constexpr absl::Duration kPollWhileConnecting = absl::Milliseconds(20);
constexpr absl::Duration kPollAfterFailure = absl::Milliseconds(100);
// Between the end of a stream and the next one on the same replica.
constexpr absl::Duration kReconnectDelay = absl::Milliseconds(100);
constexpr int kMaxReconnectMillis = 1000;
constexpr int kMaxMessage = 64 * 1024 * 1024;

// The same where the replica does not accept our key: somebody has to change something first.
constexpr absl::Duration kRefusedDelay = absl::Seconds(1);

bool IsRefusal(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAUTHENTICATED ||
         status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target) {
  grpc::ChannelArguments arguments;
  // Two threads must not share a connection, and one that was reset must not come back.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kMaxReconnectMillis);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMillis);
  // A page of a thousand monitors with long descriptions is above gRPC's 4 MiB.
  arguments.SetMaxReceiveMessageSize(kMaxMessage);
  // A batch is tried again by us, not by gRPC; and no proxy stands between our own services.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

// One replica of core. The call begins before there is a connection and waits for it, because gRPC
// makes progress with a connection only while a call does. Connected means: gRPC has exchanged
// settings with a live process, which a frozen one does not do.
class CoreLink::Replica final : public CoreStream {
 public:
  Replica(std::string target, CoreLink& link) : target_(std::move(target)), link_(link) {
    Reconnect();
  }

  const std::string& target() const { return target_; }
  bool idle() const { return !stream_; }
  bool refused() const { return refused_; }
  // nullptr unless it is connected and not draining.
  std::shared_ptr<grpc::Channel> channel() const { return id_ != 0 ? channel_ : nullptr; }

  // Returns when it wants to be called again.
  absl::Duration OnTurn(absl::Duration now) {
    if (id_ != 0 || leaving_) return absl::InfiniteDuration();
    if (now < next_poll_) return next_poll_;
    if (!stream_) {
      session_ = std::make_shared<Session>(*this);
      stream_ = GrpcStream::Start(*stub_, link_.core_key_, link_.loop_, link_.calls_, session_);
    }
    const grpc_connectivity_state state = channel_->GetState(/*try_to_connect=*/true);
    if (state != GRPC_CHANNEL_READY) {
      const bool failed = state == GRPC_CHANNEL_TRANSIENT_FAILURE;
      if (failed && !reported_down_) {
        reported_down_ = true;
        LogWarning("core_unreachable", {{"core", target_}});
      }
      next_poll_ = now + (failed ? kPollAfterFailure : kPollWhileConnecting);
      return next_poll_;
    }
    // After a refusal only the replica's word counts: a connection is no sign that it accepts.
    if (refused_ && !accepted_) {
      next_poll_ = now + kPollAfterFailure;
      return next_poll_;
    }
    refused_ = false;
    id_ = link_.dispatcher_.Add(this);
    if (accepted_) link_.dispatcher_.Greeted(id_);
    reported_down_ = false;
    LogInfo("core_stream_up", {{"core", target_}});
    return now;  // what waits can be sent
  }

  // Not wanted any more.
  void Leave() {
    leaving_ = true;
    if (id_ != 0) return link_.dispatcher_.Retire(id_);
    Cancel();
    Forget();
  }
  void Cancel() {
    if (stream_) stream_->Cancel();
  }

  // CoreStream
  Batch NewBatch() override { return stream_->NewRequest(); }
  void Send(Batch batch) override { stream_->Send(std::move(batch)); }
  void Reset() override {
    LogWarning("core_stalled", {{"core", target_}});
    stream_->Cancel();
    Forget();
    id_ = 0;
    accepted_ = false;  // was the word of that stream
    Reconnect();
  }
  void Finish() override {
    stream_->HalfClose();
    id_ = 0;
  }

  void OnAnswer(const internal::v1::PushStreamResponse& answer) {
    if (id_ != 0) link_.dispatcher_.OnAnswer(id_, answer, link_.loop_.now());
  }
  void OnAccepted() {
    accepted_ = true;
    if (id_ != 0) link_.dispatcher_.Greeted(id_);
  }
  void OnEnd(const grpc::Status& status) {
    const bool was_up = id_ != 0;
    const bool refused = IsRefusal(status);
    if (refused) {
      // Once for each time that it begins.
      if (!refused_) {
        LogError("core_refuses_key", {{"core", target_}, {"error", status.error_message()}});
      }
    } else if (!was_up && !leaving_) {
      // It never was; "unreachable" was said.
    } else if (status.ok()) {
      LogInfo("core_stream_ended", {{"core", target_}, {"reason", leaving_ ? "left" : "draining"}});
    } else {
      LogWarning("core_stream_down", {{"core", target_}, {"error", status.error_message()}});
    }
    Forget();
    if (was_up) link_.dispatcher_.Remove(std::exchange(id_, 0), link_.loop_.now());
    refused_ |= refused;
    accepted_ = false;
    next_poll_ = link_.loop_.now() + (refused ? kRefusedDelay : kReconnectDelay);
  }

 private:
  // What one stream reports to. Replaced with the stream: news of the one before are not heard.
  class Session final : public GrpcStream::Listener {
   public:
    explicit Session(Replica& replica) : replica_(replica) {}
    void OnAnswer(const internal::v1::PushStreamResponse& answer) override {
      replica_.OnAnswer(answer);
    }
    void OnAccepted() override { replica_.OnAccepted(); }
    void OnEnd(const grpc::Status& status) override { replica_.OnEnd(status); }

   private:
    Replica& replica_;
  };

  void Forget() {
    session_.reset();
    stream_.reset();
  }
  void Reconnect() {
    channel_ = MakeChannel(target_);
    stub_ = internal::v1::PushService::NewStub(channel_);
  }

  const std::string target_;
  CoreLink& link_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<internal::v1::PushService::Stub> stub_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<GrpcStream> stream_;
  Dispatcher::StreamId id_ = 0;
  bool leaving_ = false;
  bool reported_down_ = false;
  bool refused_ = false;   // by the stream before, for want of a good key
  bool accepted_ = false;  // by this stream
  absl::Duration next_poll_;
};

CoreLink::CoreLink(DispatcherOptions options, std::string core_key, http::EventLoop& loop,
                   OutcomeSink& sink)
    : core_key_(std::move(core_key)), loop_(loop), dispatcher_(std::move(options), sink) {}

CoreLink::~CoreLink() {
  for (const auto& replica : replicas_) replica->Cancel();
  for (const auto& replica : leaving_) replica->Cancel();
  replicas_.clear();
  leaving_.clear();
  calls_.AwaitNone();
}

void CoreLink::SetTargets(const std::vector<std::string>& targets) {
  const auto wanted = [&](const std::unique_ptr<Replica>& replica) {
    return std::find(targets.begin(), targets.end(), replica->target()) != targets.end();
  };
  for (auto& replica : replicas_) {
    if (wanted(replica)) continue;
    replica->Leave();
    leaving_.push_back(std::move(replica));
  }
  std::erase(replicas_, nullptr);
  for (const std::string& target : targets) {
    const bool known = std::any_of(replicas_.begin(), replicas_.end(),
                                   [&](const auto& r) { return r->target() == target; });
    if (!known) replicas_.push_back(std::make_unique<Replica>(target, *this));
  }
}

bool CoreLink::refused() const {
  return std::any_of(replicas_.begin(), replicas_.end(),
                     [](const auto& r) { return r->refused(); });
}

std::shared_ptr<grpc::Channel> CoreLink::NextChannel(const grpc::Channel* except) {
  for (size_t i = 0; i < replicas_.size(); ++i) {
    const size_t index = (next_channel_ + i) % replicas_.size();
    std::shared_ptr<grpc::Channel> channel = replicas_[index]->channel();
    if (channel == nullptr || channel.get() == except) continue;
    next_channel_ = index + 1;
    return channel;
  }
  return nullptr;
}

absl::Duration CoreLink::OnTurn(absl::Duration now) {
  absl::Duration next = absl::InfiniteDuration();
  for (const auto& replica : replicas_) next = std::min(next, replica->OnTurn(now));
  next = std::min(next, dispatcher_.OnTurn(now));
  std::erase_if(leaving_, [](const auto& replica) { return replica->idle(); });
  return next;
}

}  // namespace tocsin::gateway
