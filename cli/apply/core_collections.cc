// The collections of a core, by gRPC.
#include "cli/apply/core_collections.h"

#include <utility>

#include "common/status_macros.h"
#include "tocsin/v1/channel_service.grpc.pb.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

using google::protobuf::FieldMask;
using google::protobuf::Message;

constexpr int kPage = 1000;

// The changes here can be made twice, so they are tried again as creations are.
template <typename Try>
auto Persistently(Try attempt) {
  for (int tries = 1;; ++tries) {
    auto result = attempt();
    absl::Status status;
    if constexpr (std::is_same_v<decltype(result), absl::Status>) {
      status = result;
    } else {
      status = result.status();
    }
    if (status.ok() || !WaitToTryAgain(status, tries)) return result;
  }
}

template <typename Items>
std::vector<MessagePtr> Shared(const Items& items) {
  std::vector<MessagePtr> shared;
  shared.reserve(static_cast<size_t>(items.size()));
  for (const auto& item : items) {
    shared.push_back(std::make_shared<std::decay_t<decltype(item)>>(item));
  }
  return shared;
}

class Monitors : public Collection {
 public:
  explicit Monitors(const Context& context) : context_(context) {}

  absl::StatusOr<std::vector<MessagePtr>> List(const std::string& parent) const override {
    v1::ListMonitorsRequest request;
    request.set_parent(parent);
    request.set_page_size(kPage);
    request.set_show_deleted(true);
    ASSIGN_OR_RETURN(
        const auto all,
        context_.List(&Stub::ListMonitors, &v1::ListMonitorsResponse::mutable_monitors, request));
    return Shared(all.monitors());
  }

  absl::StatusOr<Made> Create(const std::string& parent, const std::string& id,
                              const Message& message, const std::string& secret,
                              bool trial) const override {
    v1::CreateMonitorRequest request;
    request.set_parent(parent);
    request.set_monitor_id(id);
    request.mutable_monitor()->CopyFrom(message);
    request.set_push_token_sha256(secret);
    request.set_validate_only(trial);
    ASSIGN_OR_RETURN(const auto made, context_.Create(&Stub::CreateMonitor, request));
    return Made{.message = std::make_shared<v1::Monitor>(made.monitor()),
                .secret = made.push_token(),
                .push_url = made.push_url()};
  }

  absl::StatusOr<MessagePtr> Update(const Message& message, const FieldMask& mask,
                                    bool trial) const override {
    v1::UpdateMonitorRequest request;
    request.mutable_monitor()->CopyFrom(message);
    *request.mutable_update_mask() = mask;
    request.set_validate_only(trial);
    ASSIGN_OR_RETURN(const auto after,
                     Persistently([&] { return context_.Call(&Stub::UpdateMonitor, request); }));
    return std::make_shared<v1::Monitor>(after);
  }

  absl::Status Undelete(const std::string& name) const override {
    v1::UndeleteMonitorRequest request;
    request.set_name(name);
    return context_.Call(&Stub::UndeleteMonitor, request).status();
  }

  absl::Status Resume(const std::string& name) const override {
    v1::ResumeMonitorRequest request;
    request.set_name(name);
    return Persistently([&] { return context_.Call(&Stub::ResumeMonitor, request).status(); });
  }

  absl::Status Delete(const std::string& name, const std::string& etag) const override {
    v1::DeleteMonitorRequest request;
    request.set_name(name);
    request.set_etag(etag);
    return context_.Call(&Stub::DeleteMonitor, request).status();
  }

 private:
  using Stub = v1::MonitorService::Stub;
  const Context& context_;
};

class Channels : public Collection {
 public:
  explicit Channels(const Context& context) : context_(context) {}

  absl::StatusOr<std::vector<MessagePtr>> List(const std::string& parent) const override {
    v1::ListChannelsRequest request;
    request.set_parent(parent);
    request.set_page_size(kPage);
    ASSIGN_OR_RETURN(
        const auto all,
        context_.List(&Stub::ListChannels, &v1::ListChannelsResponse::mutable_channels, request));
    return Shared(all.channels());
  }

  absl::StatusOr<Made> Create(const std::string& parent, const std::string& id,
                              const Message& message, const std::string& secret,
                              bool trial) const override {
    v1::CreateChannelRequest request;
    request.set_parent(parent);
    request.set_channel_id(id);
    request.mutable_channel()->CopyFrom(message);
    request.set_webhook_secret(secret);
    request.set_validate_only(trial);
    ASSIGN_OR_RETURN(const auto made, context_.Create(&Stub::CreateChannel, request));
    return Made{.message = std::make_shared<v1::Channel>(made.channel()),
                .secret = secret.empty() ? made.webhook_secret() : ""};
  }

  absl::StatusOr<MessagePtr> Update(const Message& message, const FieldMask& mask,
                                    bool trial) const override {
    v1::UpdateChannelRequest request;
    request.mutable_channel()->CopyFrom(message);
    *request.mutable_update_mask() = mask;
    request.set_validate_only(trial);
    ASSIGN_OR_RETURN(const auto after,
                     Persistently([&] { return context_.Call(&Stub::UpdateChannel, request); }));
    return std::make_shared<v1::Channel>(after);
  }

  absl::Status Undelete(const std::string& name) const override {
    return absl::NotFoundError(name + " is deleted for good");
  }
  absl::Status Resume(const std::string& /*name*/) const override { return absl::OkStatus(); }

  absl::Status Delete(const std::string& name, const std::string& etag) const override {
    v1::DeleteChannelRequest request;
    request.set_name(name);
    request.set_etag(etag);
    return context_.Call(&Stub::DeleteChannel, request).status();
  }

 private:
  using Stub = v1::ChannelService::Stub;
  const Context& context_;
};

}  // namespace

std::unique_ptr<Collection> MonitorsOf(const Context& context) {
  return std::make_unique<Monitors>(context);
}
std::unique_ptr<Collection> ChannelsOf(const Context& context) {
  return std::make_unique<Channels>(context);
}

}  // namespace tocsin::cli
