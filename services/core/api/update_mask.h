// Which fields of a resource an update changes.
#pragma once

#include <google/protobuf/field_mask.pb.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/core/domain/api_key.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/project.h"
#include "tocsin/v1/channel.pb.h"
#include "tocsin/v1/key.pb.h"
#include "tocsin/v1/monitor.pb.h"
#include "tocsin/v1/project.pb.h"

namespace tocsin::core {

// A mask names fields as the proto does; `*` means all that can be changed, an empty mask those
// that are set in the message. A field that the mask names and the message leaves out is cleared.
// InvalidField("update_mask") for a path that names no field that can be changed.
class MonitorUpdate {
 public:
  // `project_id` is where the monitor lies.
  static absl::StatusOr<MonitorUpdate> Make(const v1::Monitor& monitor,
                                            const google::protobuf::FieldMask& mask,
                                            const std::string& project_id);
  void Apply(MonitorDefinition& definition) const;

 private:
  MonitorDefinition values_;
  std::vector<std::string_view> paths_;  // of a constant table
};

class ChannelUpdate {
 public:
  static absl::StatusOr<ChannelUpdate> Make(const v1::Channel& channel,
                                            const google::protobuf::FieldMask& mask,
                                            const std::string& project_id);
  void Apply(Channel& channel) const;

 private:
  Channel values_;
  std::vector<std::string_view> paths_;
};

class KeyUpdate {
 public:
  static absl::StatusOr<KeyUpdate> Make(const v1::Key& key, const google::protobuf::FieldMask& mask,
                                        const std::string& project_id);
  void Apply(ApiKey& key) const;

 private:
  ApiKey values_;
  std::vector<std::string_view> paths_;
};

class ProjectUpdate {
 public:
  static absl::StatusOr<ProjectUpdate> Make(const v1::Project& project,
                                            const google::protobuf::FieldMask& mask);
  void Apply(Project& project) const;

 private:
  Project values_;
  std::vector<std::string_view> paths_;
};

}  // namespace tocsin::core
