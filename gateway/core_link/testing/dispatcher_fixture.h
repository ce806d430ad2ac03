// Dispatchers on fake streams and a time that the test moves.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/core_link/dispatcher.h"

namespace tocsin::gateway {

using internal::v1::PushOutcome;
using internal::v1::PushStreamRequest;
using internal::v1::PushStreamResponse;

class FakeStream : public CoreStream {
 public:
  Batch NewBatch() override { return std::make_unique<PushStreamRequest>(); }
  void Send(Batch batch) override { sent.push_back(std::move(*batch)); }
  void Reset() override { reset = true; }
  void Finish() override { finished = true; }

  std::vector<std::string> Messages(size_t batch) const {
    std::vector<std::string> messages;
    for (const auto& push : sent[batch].pushes()) messages.push_back(push.message());
    return messages;
  }

  std::vector<PushStreamRequest> sent;
  bool reset = false;
  bool finished = false;
};

class DispatcherTest : public ::testing::Test, public OutcomeSink {
 protected:
  void OnOutcome(PendingPush& push, PushResult result, absl::Duration) override {
    EXPECT_TRUE(results_.emplace(push.parameters.message, result).second)
        << "answered twice: " << push.parameters.message;
  }

  bool PushWithKey(const std::string& message) { return Push(message, "job"); }
  bool Push(const std::string& message, const std::string& monitor_id = "") {
    return Push(dispatcher_, message, monitor_id);
  }
  bool Push(Dispatcher& dispatcher, const std::string& message,
            const std::string& monitor_id = "") {
    PendingPush* push = dispatcher.Take();
    push->monitor_id = monitor_id;
    push->parameters.Clear();
    push->parameters.message = message;
    push->push_id = ++last_push_id_;
    push->received = now_;
    return dispatcher.Submit(push, now_);
  }
  void Turn(absl::Duration step = absl::ZeroDuration()) {
    now_ += step;
    next_ = dispatcher_.OnTurn(now_);
    EXPECT_TRUE(next_ > now_) << "it would spin";
  }
  // Lets time pass as the loop would: a turn whenever the dispatcher asks for one.
  void Pass(absl::Duration d) {
    const absl::Duration until = now_ + d;
    while (next_ <= until) Turn(next_ - now_);
    Turn(until - now_);
  }
  void Answer(Dispatcher& dispatcher, Dispatcher::StreamId id, const PushStreamRequest& batch,
              const std::vector<PushOutcome>& outcomes = {}) {
    PushStreamResponse response;
    response.set_batch_id(batch.batch_id());
    for (PushOutcome outcome : outcomes) response.add_outcomes(outcome);
    dispatcher.OnAnswer(id, response, now_);
  }
  void Answer(Dispatcher::StreamId id, const PushStreamRequest& batch,
              const std::vector<PushOutcome>& outcomes = {}) {
    Answer(dispatcher_, id, batch, outcomes);
  }
  PushResult ResultOf(const std::string& message) { return results_.at(message); }

  absl::Duration now_ = absl::Seconds(1000);
  absl::Duration next_ = absl::InfiniteDuration();
  uint64_t last_push_id_ = 0;
  std::map<std::string, PushResult> results_;
  FakeStream a_, b_;
  Dispatcher dispatcher_{{.gateway_name = "gw",
                          .max_batch = 10,
                          .max_batches_in_flight = 2,
                          .small_batch_wait = absl::ZeroDuration(),
                          .max_pending = 50,
                          .sign_of_life = absl::InfiniteDuration()},
                         *this};
};

inline constexpr auto kRecorded = internal::v1::PUSH_OUTCOME_RECORDED;
inline constexpr auto kPaused = internal::v1::PUSH_OUTCOME_RECORDED_PAUSED;
inline constexpr auto kUnknown = internal::v1::PUSH_OUTCOME_UNKNOWN_TOKEN;
inline constexpr auto kUnavailable = internal::v1::PUSH_OUTCOME_UNAVAILABLE;
inline constexpr auto kInvalid = internal::v1::PUSH_OUTCOME_INVALID;

}  // namespace tocsin::gateway
