// tocsin.v1.DeliveryService.
#include "services/core/api/delivery_service.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/api/answer_size.h"
#include "services/core/api/convert.h"
#include "services/core/api/serve.h"
#include "services/core/api/unary.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"
#include "services/core/engine/audit_writer.h"

namespace tocsin::core {
namespace {

// How long a redelivery is tried.
constexpr absl::Duration kRedeliveryLife = absl::Hours(24 * 3);

absl::StatusOr<ChannelKey> ChannelKeyOf(Store& store, const std::string& name,
                                        const std::string& project_id, ProjectKey project) {
  ASSIGN_OR_RETURN(const ResourceName parsed, ParseChannelName(name, "channel"));
  if (parsed.project != project_id) {
    return InvalidField("channel", "it lies in another project", "a channel of the parent");
  }
  std::optional<ChannelKey> key;
  RETURN_IF_ERROR(store.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) {
    key = std::nullopt;
    absl::StatusOr<ChannelList> channels = transaction.Channels(project);
    RETURN_IF_ERROR(channels.status());
    for (const Channel& channel : **channels) {
      if (channel.id == parsed.id) key = channel.key;
    }
    return absl::OkStatus();
  }));
  if (!key) return ChannelNotFound(name);
  return *key;
}

// Makes a finished delivery wait once more, now.
void Revive(Delivery& delivery, absl::Time now) {
  delivery.state = DeliveryState::kPending;
  delivery.redelivery = true;
  delivery.told_by.clear();
  delivery.may_gather = false;
  delivery.attempts = 0;
  delivery.next_attempt_at = now;
  delivery.expires_at = now + kRedeliveryLife;
  delivery.finished_at.reset();
  delivery.lease_id.clear();
  delivery.leased_until = absl::InfinitePast();
}

// What the audit log says of it.
std::vector<FieldChange> Redelivered(const Delivery& finished) {
  return std::move(FieldChanges()
                       .Text("state", v1::Delivery::State_Name(ToProto(finished.state)),
                             v1::Delivery::State_Name(v1::Delivery::STATE_PENDING))
                       .Number("attempts", finished.attempts, 0))
      .Take();
}

}  // namespace

DeliveryServiceHandler::DeliveryServiceHandler(Gate& gate, Store& store, const Clock& clock)
    : gate_(gate), store_(store), clock_(clock) {}

absl::Status DeliveryServiceHandler::List(const v1::ListDeliveriesRequest& request,
                                          v1::ListDeliveriesResponse& response) {
  ASSIGN_OR_RETURN(const std::string project, ParseParent(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  DeliveryQuery query;
  const ListScope scope = {"ListDeliveries", project, request.channel(), request.monitor(),
                           absl::StrCat(request.state())};
  ASSIGN_OR_RETURN(query.before, NumericPageKey(scope, request.page_token()));
  FieldFaults faults;
  query.state = FromProto(request.state(), "state", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(query.project, RequireProject(store_, project));
  if (!request.channel().empty()) {
    ASSIGN_OR_RETURN(query.channel,
                     ChannelKeyOf(store_, request.channel(), project, query.project));
  }
  if (!request.monitor().empty()) {
    ASSIGN_OR_RETURN(query.monitor, MonitorKeyOf(store_, request.monitor(), project));
  }
  query.limit = size + 1;  // one more than shown says whether there is a next page
  ASSIGN_OR_RETURN(const std::vector<DeliveryView> views, store_.ListDeliveries(query));
  const size_t shown = AddFitting(views, size, *response.mutable_deliveries(),
                                  [](const DeliveryView& view) { return ToProto(view); });
  if (shown < views.size()) {
    response.set_next_page_token(NumericPageToken(scope, views[shown - 1].delivery.key));
  }
  return absl::OkStatus();
}

absl::Status DeliveryServiceHandler::Redeliver(const Caller& caller,
                                               const v1::RedeliverDeliveryRequest& request,
                                               v1::Delivery& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseDeliveryName(request.name(), "name"));
  ASSIGN_OR_RETURN(const ProjectKey project, RequireProject(store_, name.project));
  DeliveryKey key = 0;
  RETURN_IF_ERROR(
      store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(std::optional<Delivery> delivery,
                         transaction.LockDelivery(project, name.id));
        if (!delivery) return DeliveryNotFound(request.name());
        if (delivery->state == DeliveryState::kPending) return DeliveryIsPending(request.name());
        ASSIGN_OR_RETURN(const ChannelList channels, transaction.Channels(project));
        const bool has_channel =
            std::any_of(channels->begin(), channels->end(),
                        [&](const Channel& channel) { return channel.key == delivery->channel; });
        if (!has_channel) return DeliveryHasNoChannel(request.name());
        const absl::Time now = clock_.Now();
        std::vector<FieldChange> changes = Redelivered(*delivery);
        Revive(*delivery, now);
        key = delivery->key;
        RETURN_IF_ERROR(transaction.SaveDelivery(*delivery));
        const AuditedResource resource = {.project = project,
                                          .project_id = name.project,
                                          .name = DeliveryName(name.project, name.id)};
        return WriteAudit(transaction, caller, resource, std::move(changes), now);
      }));
  DeliveryQuery query;
  query.project = project;
  query.before = key + 1;
  query.limit = 1;
  ASSIGN_OR_RETURN(const std::vector<DeliveryView> views, store_.ListDeliveries(query));
  if (views.empty() || views.front().delivery.key != key) return DeliveryNotFound(request.name());
  response = ToProto(views.front());
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* DeliveryServiceHandler::ListDeliveries(
    grpc::CallbackServerContext* context, const v1::ListDeliveriesRequest* request,
    v1::ListDeliveriesResponse* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return List(*request, *response); });
}

grpc::ServerUnaryReactor* DeliveryServiceHandler::RedeliverDelivery(
    grpc::CallbackServerContext* context, const v1::RedeliverDeliveryRequest* request,
    v1::Delivery* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Redeliver(access.caller, *request, *response); });
}

}  // namespace tocsin::core
