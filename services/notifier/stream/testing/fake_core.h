// A core that assigns what a test gives it and remembers what it is told.
#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/notifier/channel/message.h"
#include "tocsin/internal/v1/delivery_service.grpc.pb.h"

namespace tocsin::notifier {

// A real gRPC server on loopback. Thread safe.
class FakeCore : private internal::v1::DeliveryService::Service {
 public:
  // 0: any free port.
  explicit FakeCore(int port = 0);
  ~FakeCore() override;

  int port() const { return port_; }
  std::string address() const;

  // Assigns as soon as some stream has credit.
  void Assign(internal::v1::Assignment assignment);
  // Whether reports are read and forgotten, as by a core that dies before it has stored them.
  void set_loses_reports(bool loses);
  void BreakStreams();
  // New streams need this key; empty: none.
  void RequireKey(const std::string& key);

  std::vector<internal::v1::DeliveryReport> reports() const;
  std::set<std::string> notifiers() const;
  // Credit that is granted and not used.
  int credits() const;
  // The most deliveries that were assigned and not reported at a time.
  int most_outstanding() const;
  // Each waits up to ten seconds; whether it came.
  bool WaitForReports(size_t n) const;
  bool WaitForLostReports(size_t n) const;
  bool WaitForRefusals(int n) const;
  bool WaitForStreams(int n) const;
  bool WaitForCredits(int n) const;
  bool WaitForUnassigned(size_t n) const;

 private:
  using ReaderWriter =
      grpc::ServerReaderWriter<internal::v1::DeliverResponse, internal::v1::DeliverRequest>;
  struct Stream {
    grpc::ServerContext* context = nullptr;
    int credits = 0;
    bool done = false;
  };

  grpc::Status Deliver(grpc::ServerContext* context, ReaderWriter* stream) override;
  void Read(ReaderWriter* reader, Stream& stream);
  template <typename Condition>
  bool WaitFor(Condition condition) const;

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  mutable absl::Mutex mutex_;
  std::deque<internal::v1::Assignment> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<internal::v1::DeliveryReport> reports_ ABSL_GUARDED_BY(mutex_);
  size_t lost_reports_ ABSL_GUARDED_BY(mutex_) = 0;
  bool loses_reports_ ABSL_GUARDED_BY(mutex_) = false;
  std::string key_ ABSL_GUARDED_BY(mutex_);
  int refusals_ ABSL_GUARDED_BY(mutex_) = 0;  // for want of it
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int outstanding_ ABSL_GUARDED_BY(mutex_) = 0;
  int most_outstanding_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<std::string> notifiers_ ABSL_GUARDED_BY(mutex_);
  std::set<Stream*> streams_ ABSL_GUARDED_BY(mutex_);
};

// An `incident.opened` about a monitor of its own to this channel, leased for half a minute.
internal::v1::Assignment MakeAssignment(const std::string& delivery_id, const std::string& channel,
                                        const std::string& url, absl::Time now);

// The secret of every channel that MakeAssignment makes.
inline constexpr char kTestSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

}  // namespace tocsin::notifier
