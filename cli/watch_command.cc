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
#include "cli/terminal.h"
#include "common/shutdown.h"
#include "tocsin/v1/alert_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

constexpr absl::Duration kPauseBeforeReconnect = absl::Seconds(1);

constexpr char kFooter[] =
    "\nA connection that is lost is made anew, and goes on behind the last event that was printed: "
    "none\n"
    "is missed while this runs. For programs each line has a \"cursor\", also those without an "
    "event,\n"
    "which say that nothing happened; --cursor goes on from there after a restart.\n"
    "Exit status: 0 ended by a signal, by --once or by who read the output; 1 core refused;\n"
    "4 core could not be reached at the start.";

// "2026-01-31 03:00:00Z  firing    backup  critical  missed_deadline  …"
std::string Line(const v1::AlertEvent& event, bool colour) {
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
  line.Tint(1, resolved ? Tone::kGood : Tone::kBad);
  return line.ToString(colour);
}

// Follows the stream until a signal, an error that stays, or an output that is gone.
class Watcher {
 public:
  Watcher(const Context& context, std::string cursor, bool once)
      : context_(context),
        cursor_(std::move(cursor)),
        once_(once),
        colour_(OutputTerminal().colour),
        stub_(context.Connect()),
        canceller_([this] { CancelOnSignal(); }) {}

  ~Watcher() {
    shutdown_.Request();
    canceller_.join();
  }

  absl::Status Run() {
    while (true) {
      const absl::Status status = Follow();
      if (done_) return absl::OkStatus();
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
        Print(Line(response.event(), colour_));
      }
      // After the output: an event that was not printed comes again.
      if (!response.cursor().empty()) cursor_ = response.cursor();
      done_ = once_ && response.has_event();
      if (done_) break;
    }
    if (done_ || !std::cout.good()) call.TryCancel();
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
  const bool once_;  // to end after the first event
  const bool colour_;
  bool done_ = false;
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
  watch->footer(kFooter);
  auto cursor = std::make_shared<std::string>();
  auto once = std::make_shared<bool>(false);
  watch->add_option("--cursor", *cursor, "Start after the event with this cursor, not from now on");
  watch->add_flag("--once", *once, "End after the first event");
  watch->callback([cursor, once, &context] {
    context.action = [cursor, once](const Context& context) {
      return Watcher(context, *cursor, *once).Run();
    };
  });
}

}  // namespace tocsin::cli
