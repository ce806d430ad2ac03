// A core for tests and benchmarks: speaks PushStream for real and stores nothing.
#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tocsin/internal/v1/push_service.grpc.pb.h"

namespace tocsin::testing {

// Thread safe.
class FakeCore {
 public:
  using Push = internal::v1::Push;
  enum class Mode {
    kAnswer,       // each push by its token; unknown unless it was allowed
    kHang,         // batches are read and kept; they are answered when the mode changes
    kUnavailable,  // every push is answered "unavailable"
  };

  // `record`: keep the pushes for pushes(). `port` 0: any free one. `more` is served besides and
  // must outlive the core.
  explicit FakeCore(int port = 0, bool record = true, const std::vector<grpc::Service*>& more = {});
  ~FakeCore();

  int port() const { return port_; }
  // Pushes with this token have this outcome from now on.
  void Allow(const std::string& token,
             internal::v1::PushOutcome outcome = internal::v1::PUSH_OUTCOME_RECORDED);
  // The same for a push key and a monitor.
  void AllowKey(const std::string& key, const std::string& monitor_id,
                internal::v1::PushOutcome outcome = internal::v1::PUSH_OUTCOME_RECORDED);
  // Every token is known.
  void AllowAll();
  void SetMode(Mode mode);
  // New streams need this key; empty: none.
  void RequireKey(const std::string& key);

  // Everything that was received, in order.
  std::vector<Push> pushes() const;
  int batches() const;
  std::vector<std::string> gateways() const;
  uint64_t shed_micros() const;
  // Whether at least `n` pushes were received within 20 s.
  bool AwaitPushes(size_t n) const;
  int streams() const;

  // Ends every stream as a draining core does: what was read is answered, then OK.
  void EndStreams();
  // Ends them without answering anything.
  void BreakStreams();
  // No new streams and connections are served any more, and the old ones are broken.
  void Stop();

 private:
  class Stream;
  class Service;
  friend class Service;
  friend class Stream;

  void Register(Stream* stream);
  void Unregister(Stream* stream);
  void Record(const internal::v1::PushStreamRequest& request);
  // The answer, unless it has to wait.
  bool Answer(const internal::v1::PushStreamRequest& request,
              internal::v1::PushStreamResponse& response) const;
  internal::v1::PushOutcome OutcomeOf(const Push& push) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const bool record_;
  int port_ = 0;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;

  mutable absl::Mutex mutex_;
  Mode mode_ ABSL_GUARDED_BY(mutex_) = Mode::kAnswer;
  std::string key_ ABSL_GUARDED_BY(mutex_);
  bool allow_all_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, internal::v1::PushOutcome> outcomes_ ABSL_GUARDED_BY(mutex_);
  std::vector<Push> pushes_ ABSL_GUARDED_BY(mutex_);
  int batches_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t shed_micros_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> gateways_ ABSL_GUARDED_BY(mutex_);
  std::set<Stream*> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::testing
