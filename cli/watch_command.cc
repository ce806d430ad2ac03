// `tocsin watch`: alert events as they come, across restarts of core.
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "cli/context.h"
#include "cli/table.h"
#include "common/shutdown.h"
#include "tocsin/v1/alert_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

constexpr absl::Duration kPauseBeforeReconnect = absl::Seconds(1);

// "2026-01-31 03:00:00Z  firing    backup  critical  missed_deadline  …"
std::string Line(const v1::AlertEvent& event) {
  const v1::Incident& incident = event.incident();
  const bool resolved = event.type() == v1::AlertEvent::TYPE_RESOLVED;
  Table line;
  line.AddRow({Show(event.occur_time()), ShowEnum(v1::AlertEvent::Type_Name(event.type()), "TYPE_"),
               IdOf(event.monitor().name()),
               ShowEnum(v1::Monitor::Severity_Name(event.monitor().severity()), "SEVERITY_"),
               resolved
                   ? ShowEnum(v1::Incident::Resolution_Name(incident.resolution()), "RESOLUTION_")
                   : ShowEnum(v1::Incident::Cause_Name(incident.cause()), "CAUSE_"),
               Shortened(incident.message())});
  return line.ToString();
}

// Follows the stream until a signal, an error that stays, or an output that is gone.
class Watcher {
 public:
  Watcher(const Context& context, std::string cursor)
      : context_(context),
        cursor_(std::move(cursor)),
        stub_(context.Connect()),
        canceller_([this] { CancelOnSignal(); }) {}

  ~Watcher() {
    shutdown_.Request();
    canceller_.join();
  }

  absl::Status Run() {
    while (true) {
      const absl::Status status = Follow();
      if (shutdown_.requested() || !std::cout.good()) return absl::OkStatus();
      // A first connection that fails is a wrong address more often than a restart.
      if (!connected_ || !(status.ok() || absl::IsUnavailable(status))) return status;
      if (!told_) std::cerr << "tocsin: the connection to core is lost; trying again" << std::endl;
      told_ = true;
      if (shutdown_.WaitFor(kPauseBeforeReconnect)) return absl::OkStatus();
    }
  }

 private:
  absl::Status Follow() {
    grpc::ClientContext call;
    if (absl::Status status = context_.AddKey(call); !status.ok()) return status;
    SetCall(&call);
    v1::WatchAlertsRequest request;
    request.set_parent(context_.Parent());
    request.set_cursor(cursor_);
    const auto stream = stub_.WatchAlerts(&call, request);
    v1::WatchAlertsResponse response;
    while (std::cout.good() && stream->Read(&response)) {
      if (told_) std::cerr << "tocsin: connected again" << std::endl;
      told_ = false;
      connected_ = true;
      if (context_.json()) {
        context_.PrintNext(response);
      } else if (response.has_event()) {
        Print(Line(response.event()));
      }
      // After the output: an event that was not printed comes again.
      if (!response.cursor().empty()) cursor_ = response.cursor();
    }
    if (!std::cout.good()) call.TryCancel();
    const grpc::Status status = stream->Finish();
    SetCall(nullptr);
    return FromGrpcStatus(status);
  }

  void SetCall(grpc::ClientContext* call) {
    absl::MutexLock lock(&mutex_);
    call_ = call;
    if (call != nullptr && shutdown_.requested()) call->TryCancel();
  }

  void CancelOnSignal() {
    shutdown_.Wait();
    absl::MutexLock lock(&mutex_);
    if (call_ != nullptr) call_->TryCancel();
  }

  const Context& context_;
  std::string cursor_;
  bool connected_ = false;
  bool told_ = false;  // that the connection is lost
  v1::AlertService::Stub stub_;
  Shutdown shutdown_;
  absl::Mutex mutex_;
  grpc::ClientContext* call_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::thread canceller_;
};

}  // namespace

void AddWatchCommand(CLI::App& app, Context& context) {
  CLI::App* watch = app.add_subcommand(
      "watch", "Print alert events as they come; with -o json, one object a line");
  auto cursor = std::make_shared<std::string>();
  watch->add_option("--cursor", *cursor, "Start after the event with this cursor, not from now on");
  watch->callback([cursor, &context] {
    context.action = [cursor](const Context& context) { return Watcher(context, *cursor).Run(); };
  });
}

}  // namespace tocsin::cli
