// tocsin.internal.v1.MonitorExportService.
#include "services/core/api/monitor_export_service.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/status_macros.h"
#include "services/core/api/convert.h"
#include "services/core/api/unary.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/monitor_filter.h"
#include "services/core/domain/names.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/monitor_export.h"

namespace tocsin::core {
namespace {

using internal::v1::ExportMonitorsRequest;
using internal::v1::ExportMonitorsResponse;

void ToProto(ExportedMonitor& monitor, internal::v1::ExportedMonitor& out) {
  MonitorDefinition& definition = monitor.view.monitor.definition;
  const MonitorState& state = monitor.view.monitor.state;
  out.set_id(std::move(definition.id));
  out.set_display_name(std::move(definition.display_name));
  out.set_owner(std::move(definition.owner));
  out.set_severity(ToProto(definition.severity));
  out.mutable_labels()->insert(definition.labels.begin(), definition.labels.end());
  out.set_state(ToProto(state.state));
  if (state.last_at != absl::InfinitePast()) {
    *out.mutable_last_heartbeat_time() = ToTimestamp(state.last_at);
  }
  out.set_silenced(monitor.silenced);
  if (monitor.deadline != absl::InfiniteFuture()) {
    *out.mutable_deadline_time() = ToTimestamp(monitor.deadline);
  }
  const std::optional<Heartbeat>& last = monitor.view.last_heartbeat;
  if (last.has_value() && last->value.has_value()) out.set_last_value(*last->value);
}

// What the key may see of what is asked for: the id of a project, or kAnyProject.
absl::StatusOr<std::string> ProjectFor(const ExportMonitorsRequest& request, const Access& access) {
  if (request.project().empty()) return access.project_id;
  if (!IsResourceId(request.project())) {
    return InvalidField("project", "it is no id of a project",
                        "1 to 63 of [a-z0-9-], beginning with a letter or digit");
  }
  if (!access.of_all() && request.project() != access.project_id) {
    return OtherProject(access.project_id);
  }
  return request.project();
}

}  // namespace

// One export. gRPC calls it once at a time, but for OnCancel, which a write that fails tells too.
class MonitorExportHandler::Export final : public grpc::ServerWriteReactor<ExportMonitorsResponse> {
 public:
  Export(MonitorExportHandler& service, grpc::CallbackServerContext* context,
         const ExportMonitorsRequest* request)
      : service_(service), counted_(service.exports_.fetch_add(1) < kMaxExports) {
    if (!counted_) service_.exports_.fetch_sub(1);
    const absl::Status status = Begin(*context, *request);
    status.ok() ? WriteNext() : End(status);
  }
  ~Export() override {
    if (counted_) service_.exports_.fetch_sub(1);
  }

  void OnWriteDone(bool ok) override {
    ok ? WriteNext() : End(absl::CancelledError("the client went"));
  }
  void OnDone() override { delete this; }

 private:
  absl::Status Begin(const grpc::CallbackServerContext& context,
                     const ExportMonitorsRequest& request) {
    RETURN_IF_ERROR(service_.gate_.Admit(context, *request.GetDescriptor(), &request, access_));
    if (!counted_) return TooManyExports(kMaxExports);
    ASSIGN_OR_RETURN(std::string project, ProjectFor(request, access_));
    ASSIGN_OR_RETURN(MonitorFilter filter, ParseMonitorFilter(request.filter()));
    export_.emplace(service_.store_, std::move(filter), std::move(project));
    return absl::OkStatus();
  }

  void WriteNext() {
    if (export_->done()) return End(absl::OkStatus());
    const absl::Status status = ReadPage();
    if (!status.ok()) return End(status);
    StartWrite(&page_);
  }

  absl::Status ReadPage() {
    RETURN_IF_ERROR(service_.gate_.Recheck(access_));
    ASSIGN_OR_RETURN(ExportedPage page,
                     export_->Next(*service_.guard_.Gaps(), service_.clock_.Now()));
    page_.Clear();
    page_.set_project(page.project_id);
    for (ExportedMonitor& monitor : page.monitors) ToProto(monitor, *page_.add_monitors());
    return absl::OkStatus();
  }

  void End(const absl::Status& status) { Finish(Answer(access_.caller, status)); }

  MonitorExportHandler& service_;
  const bool counted_;
  Access access_;
  std::optional<MonitorExport> export_;
  ExportMonitorsResponse page_;  // gRPC's while it is written
};

grpc::ServerWriteReactor<ExportMonitorsResponse>* MonitorExportHandler::ExportMonitors(
    grpc::CallbackServerContext* context, const ExportMonitorsRequest* request) {
  return new Export(*this, context, request);
}

}  // namespace tocsin::core
