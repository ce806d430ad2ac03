// Which fields of a resource an update changes.
#pragma once

#include <google/protobuf/field_mask.pb.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "services/core/domain/api_key.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/project.h"
#include "tocsin/v1/channel.pb.h"
#include "tocsin/v1/key.pb.h"
#include "tocsin/v1/maintenance.pb.h"
#include "tocsin/v1/monitor.pb.h"
#include "tocsin/v1/project.pb.h"

namespace tocsin::core {

// A mask names fields as the proto does (AIP-134): `*` means all that can be changed, an empty mask
// those that are set in the message. A field that the mask names and the message leaves out is
// cleared; so is the label of `labels.KEY` (a key that has other signs may stand in backticks).
// Output only fields are left alone, also when the mask names them. Faults: "update_mask" for a
// path that names no field, and what is wrong with the values of the fields that are named.
class MonitorUpdate {
 public:
  // `project_id` is where the monitor lies; empty when that is not known. Faults of values call the
  // monitor `prefix`, and those of the mask put `below` in front of the path.
  static MonitorUpdate Make(const v1::Monitor& monitor, const google::protobuf::FieldMask& mask,
                            const std::string& project_id, FieldFaults& faults,
                            std::string_view prefix = "monitor", std::string_view below = "");
  // INVALID_ARGUMENT when only parts of a cron schedule are named and `definition` has none that
  // they could be parts of.
  absl::Status Apply(MonitorDefinition& definition) const;
  // The faults of what is named, apart from what it is applied to: for a request that is refused
  // already and is to be told all its faults.
  void Check(FieldFaults& faults) const;
  // A new monitor with every value of the message, whatever the mask; without a schedule when the
  // message has only parts of one.
  MonitorDefinition Complete(const std::string& id) const;

 private:
  void Copy(MonitorDefinition& definition) const;

  MonitorDefinition values_;
  bool lacks_expression_ = false;        // none is named; that of values_ stands in for one
  std::vector<std::string_view> paths_;  // of a constant table
  std::vector<std::string> labels_;      // keys of labels that are named one by one
};

class ChannelUpdate {
 public:
  static ChannelUpdate Make(const v1::Channel& channel, const google::protobuf::FieldMask& mask,
                            const std::string& project_id, FieldFaults& faults);
  // What reads mask and the message sends back as it was read stays as it is. Errors: as
  // KeepHeaders.
  absl::Status Apply(Channel& channel) const;
  void Check(FieldFaults& faults) const;
  Channel Complete(const std::string& id) const;

 private:
  Channel values_;
  std::vector<std::string_view> paths_;
};

// `push.defaults` is changed as a whole, or field by field as a monitor is.
class KeyUpdate {
 public:
  static KeyUpdate Make(const v1::Key& key, const google::protobuf::FieldMask& mask,
                        const std::string& project_id, FieldFaults& faults);
  // Errors: as MonitorUpdate's.
  absl::Status Apply(ApiKey& key) const;

 private:
  ApiKey values_;
  std::vector<std::string_view> paths_;
  std::optional<MonitorUpdate> defaults_;  // parts of the defaults that are named
};

class ProjectUpdate {
 public:
  static ProjectUpdate Make(const v1::Project& project, const google::protobuf::FieldMask& mask,
                            FieldFaults& faults);
  void Apply(Project& project) const;

 private:
  Project values_;
  std::vector<std::string_view> paths_;
};

// The same for maintenances. The window is changed as a whole, `one_off` or `recurring`, or in
// parts; where the maintenance has the other kind of window the parts are the whole of the new one.
// One that comes once keeps its beginning where the message says none.
class MaintenanceUpdate {
 public:
  static MaintenanceUpdate Make(const v1::Maintenance& maintenance,
                                const google::protobuf::FieldMask& mask,
                                const std::string& project_id, absl::Time now, FieldFaults& faults);
  // INVALID_ARGUMENT when only parts of a recurring window are named and `maintenance` has none.
  absl::Status Apply(Maintenance& maintenance) const;

 private:
  Maintenance values_;
  std::vector<std::string_view> paths_;
  bool lacks_cron_ = false;   // none is named; that of values_ stands in for one
  bool keeps_start_ = false;  // of a window that comes once, whose message says no beginning
};

}  // namespace tocsin::core
