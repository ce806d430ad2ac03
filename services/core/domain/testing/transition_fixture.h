// A monitor of tests to which inputs happen one after the other.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/domain/transition.h"

namespace tocsin::core::testing {

// Instants are seconds since Second(0).
class TransitionTest : public ::testing::Test {
 protected:
  const Decision& Give(const Input& input, absl::Time now, const GapList& gaps = {}) {
    decision_ = Decide(definition_, state_, input, gaps, now);
    state_ = decision_.next;
    return decision_;
  }
  const Decision& Give(const Input& input, double now, const GapList& gaps = {}) {
    return Give(input, Second(now), gaps);
  }
  const Decision& Push(const Heartbeat& heartbeat) {
    return Give(HeartbeatArrived{heartbeat}, heartbeat.at);
  }
  const Decision& PushLate(const Heartbeat& heartbeat, double now) {
    return Give(HeartbeatArrived{heartbeat}, now);
  }
  const Decision& Check(double now) { return Give(DeadlineChecked{}, now); }
  const Decision& Check(absl::Time now) { return Give(DeadlineChecked{}, now); }

  // A heartbeat of a run; unnamed when `run` is empty.
  static Heartbeat OfRun(HeartbeatKind kind, double at, std::string run) {
    Heartbeat heartbeat = Beat(kind, Second(at));
    heartbeat.run_id = std::move(run);
    return heartbeat;
  }
  const Decision& Start(double at, const std::string& run = "") {
    return Push(OfRun(HeartbeatKind::kStart, at, run));
  }
  const Decision& End(double at, const std::string& run = "") {
    return Push(OfRun(HeartbeatKind::kUp, at, run));
  }

  Deadline Due(const GapList& gaps = {}) const { return DeadlineOf(definition_, state_, gaps); }
  absl::Time At() const { return Due().at; }
  void MakeDownByMiss() {
    state_ = UpSince(Second(0));
    Check(61);
    ASSERT_EQ(state_.state, State::kDown);
  }

  MonitorDefinition definition_ = MinuteMonitor();
  MonitorState state_;
  Decision decision_;
};

}  // namespace tocsin::core::testing
