// Core as a whole: makes the parts, connects them, and takes them down in order.
#pragma once

#include <grpcpp/grpcpp.h>
#include <prometheus/registry.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/admin_server.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/periodic_task.h"
#include "common/process_metrics.h"
#include "common/shutdown.h"
#include "services/core/api/services.h"
#include "services/core/engine/alert_feed.h"
#include "services/core/engine/channel_admin.h"
#include "services/core/engine/database_clock.h"
#include "services/core/engine/delivery_queue.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/engine/outage_guard.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/engine/sweeper.h"
#include "services/core/options.h"
#include "services/core/store/pg/pg_store.h"

namespace tocsin::core {

// For one thread, that of main().
class Server {
 public:
  // Both must outlive it.
  Server(const Options& options, const Shutdown& shutdown);
  ~Server();

  // Brings the schema up to date (and no more with migrate_only), then begins to serve. Waits for a
  // database that is away until a stop is asked for: CANCELLED. The admin port answers from the
  // beginning, so that /readyz says what is waited for.
  absl::Status Start();

  // Answers what was read, ends the streams, stops. Also after a Start that failed. Idempotent.
  void Stop();

  int port() const { return port_; }
  int admin_port() const { return admin_->port(); }

 private:
  struct Engine;
  struct Tasks;

  absl::Status StartAdmin();
  absl::Status OpenStore();
  // Makes or renews the keys that were given in files.
  absl::Status InstallKeys();
  absl::Status StartGrpc();
  void StartTasks();
  // Tells gRPC health whether it is ready, as /readyz says; returns that.
  bool ShowHealth();
  void WakeOnNews();
  // Shows the census if it is for this replica to show.
  void TakeCensus();
  // Whether no live replica has a smaller name.
  absl::StatusOr<bool> IsFirst();
  // Tries again each second while `action` is UNAVAILABLE.
  absl::Status UntilAvailable(const std::string& what, const std::function<absl::Status()>& action);
  absl::Status Ready();
  void SetReadiness(absl::Status readiness);

  const Options& options_;
  const Shutdown& shutdown_;
  const std::string instance_;
  const SystemClock system_clock_;
  const SystemMonotonicClock monotonic_;
  DatabaseClock clock_;
  prometheus::Registry registry_;
  ProcessMetrics process_metrics_;
  int port_ = 0;

  absl::Mutex mutex_;
  absl::Status readiness_ ABSL_GUARDED_BY(mutex_);

  // Each uses those above it.
  std::unique_ptr<Sealer> sealer_;
  std::unique_ptr<PgStore> store_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Tasks> tasks_;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<AdminServer> admin_;

  ChangeLogger census_log_{"census"};  // of the task that takes it
};

}  // namespace tocsin::core
