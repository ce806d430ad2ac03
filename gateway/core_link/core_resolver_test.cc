// Lookups that change, fail and come back.
#include "gateway/core_link/core_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace tocsin::gateway {
namespace {

using ::testing::ElementsAre;
using Targets = std::vector<std::string>;

// Answers lookups from a script and keeps what the listener was told.
class CoreResolverTest : public ::testing::Test {
 protected:
  void Script(absl::StatusOr<Targets> answer) {
    absl::MutexLock lock(&mutex_);
    answer_ = std::move(answer);
  }
  absl::StatusOr<Targets> LookUpNow() {
    absl::MutexLock lock(&mutex_);
    ++lookups_;
    return answer_;
  }
  void AwaitTold(const Targets& targets) {
    absl::MutexLock lock(&mutex_);
    const auto told = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return !told_.empty() && told_.back() == targets;
    };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&told), absl::Seconds(20)));
  }
  void AwaitLookups(int more) {
    absl::MutexLock lock(&mutex_);
    const int enough = lookups_ + more;
    const auto done = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return lookups_ >= enough; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&done), absl::Seconds(20)));
  }

  absl::Mutex mutex_;
  absl::StatusOr<Targets> answer_ ABSL_GUARDED_BY(mutex_) = Targets{"ipv4:192.0.2.1:1"};
  int lookups_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Targets> told_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(CoreResolverTest, TellsOfChangesAndKeepsWhatItHadWhenALookupFails) {
  CoreResolver resolver(
      {{.host = "core", .port = 1}}, absl::Milliseconds(1),
      [this](const Targets& targets) {
        absl::MutexLock lock(&mutex_);
        told_.push_back(targets);
      },
      [this](const HostPort&) { return LookUpNow(); });
  AwaitTold({"ipv4:192.0.2.1:1"});
  Script(absl::UnavailableError("no such host"));
  AwaitLookups(3);
  Script(Targets{"ipv4:192.0.2.3:1", "ipv4:192.0.2.2:1"});
  AwaitTold({"ipv4:192.0.2.2:1", "ipv4:192.0.2.3:1"});
  AwaitLookups(3);
  absl::MutexLock lock(&mutex_);
  EXPECT_EQ(told_.size(), 2u) << "only changes are told";
}

TEST(LookUpTest, NumbersAndLocalhostNeedNoName) {
  EXPECT_THAT(*LookUp({.host = "127.0.0.1", .port = 7}), ElementsAre("ipv4:127.0.0.1:7"));
  EXPECT_THAT(*LookUp({.host = "::1", .port = 7}), ElementsAre("ipv6:[::1]:7"));
  EXPECT_THAT(*LookUp({.host = "localhost", .port = 7}), ElementsAre("ipv4:127.0.0.1:7"));
  EXPECT_FALSE(LookUp({.host = "no such host.invalid", .port = 7}).ok());
}

}  // namespace
}  // namespace tocsin::gateway
