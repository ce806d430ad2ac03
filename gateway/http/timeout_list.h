// Connections that wait for the same kind of thing, in order of expiry: since every wait of a
// kind is equally long, arming one is an append, and no timer exists per connection.
#pragma once

#include "absl/time/time.h"

namespace tocsin::http {

// Intrusive; a node is in at most one list.
struct TimeoutNode {
  TimeoutNode* previous = nullptr;
  TimeoutNode* next = nullptr;
  absl::Duration deadline;

  bool linked() const { return next != nullptr; }
  void Unlink() {
    if (!linked()) return;
    previous->next = next;
    next->previous = previous;
    previous = next = nullptr;
  }
};

class TimeoutList {
 public:
  explicit TimeoutList(absl::Duration timeout) : timeout_(timeout) {
    end_.previous = end_.next = &end_;
  }
  TimeoutList(const TimeoutList&) = delete;
  TimeoutList& operator=(const TimeoutList&) = delete;

  // Takes the node out of whatever list it is in.
  void Arm(TimeoutNode& node, absl::Duration now) {
    node.Unlink();
    node.deadline = now + timeout_;
    node.previous = end_.previous;
    node.next = &end_;
    end_.previous->next = &node;
    end_.previous = &node;
  }

  // The node that expires first; nullptr when there is none.
  TimeoutNode* Front() { return end_.next == &end_ ? nullptr : end_.next; }
  absl::Duration NextDeadline() const {
    return end_.next == &end_ ? absl::InfiniteDuration() : end_.next->deadline;
  }

 private:
  const absl::Duration timeout_;
  TimeoutNode end_;
};

}  // namespace tocsin::http
