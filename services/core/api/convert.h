// The only place between the public protos and the domain.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/api_key.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/project.h"
#include "services/core/store/reads.h"
#include "services/core/store/records.h"
#include "tocsin/v1/alert.pb.h"
#include "tocsin/v1/audit.pb.h"
#include "tocsin/v1/channel.pb.h"
#include "tocsin/v1/delivery.pb.h"
#include "tocsin/v1/heartbeat.pb.h"
#include "tocsin/v1/incident.pb.h"
#include "tocsin/v1/key.pb.h"
#include "tocsin/v1/maintenance.pb.h"
#include "tocsin/v1/monitor.pb.h"
#include "tocsin/v1/mute.pb.h"
#include "tocsin/v1/project.pb.h"

namespace tocsin::core {

// Time. Finite instants only: an infinite one has no timestamp, its field is left absent.
google::protobuf::Timestamp ToTimestamp(absl::Time at);
google::protobuf::Duration ToDuration(absl::Duration duration);
// Whole microseconds, rounded towards zero. A duration out of the proto's own range saturates.
absl::Time FromTimestamp(const google::protobuf::Timestamp& at);
absl::Duration FromDuration(const google::protobuf::Duration& duration);

// Enumerations. A number that is none of the domain's becomes the unspecified one.
v1::Monitor::Severity ToProto(Severity severity);
v1::Monitor::State ToProto(State state);
v1::Heartbeat::Kind ToProto(HeartbeatKind kind);
v1::Heartbeat::Source ToProto(Source source);
v1::Delivery::State ToProto(DeliveryState state);
v1::Role ToProto(Role role);

v1::Schedule ToProto(const Schedule& schedule);
v1::CronSchedule CronToProto(const Schedule& schedule);
// `prefix` is the path of the message that has the field `schedule`. What is missing reads as a
// timeout of 0, which the domain refuses with the right words.
Schedule FromProto(const v1::Schedule& schedule, std::string_view prefix, FieldFaults& faults);
// `path` is that of the message itself. Without a cron rule when a part of it is none.
Schedule FromProto(const v1::CronSchedule& cron, const std::string& path, FieldFaults& faults);

v1::Run ToProto(const Run& run);

// A monitor as a person sees it at `now`; `gaps` as for ConditionOf.
v1::Monitor ToProto(const MonitorView& view, const GapList& gaps, absl::Time now);
// What monitors made by a push key are like: no name, no times.
v1::Monitor ToProto(const MonitorDefinition& defaults);
// An empty message is shown as "OK"; the first has no reason.
v1::Heartbeat ToProto(const Heartbeat& heartbeat);
v1::Heartbeat ToProto(const StoredHeartbeat& stored);
v1::Incident ToProto(const Incident& incident, const std::string& project_id,
                     const std::string& monitor_id);
v1::Incident ToProto(const IncidentView& view);
// Never with secrets; of the URL only scheme, host and port.
v1::Channel ToProto(const Channel& channel);
v1::Delivery ToProto(const DeliveryView& view);
v1::AlertEvent ToProto(const AlertEvent& event);
v1::AuditEntry ToProto(const AuditView& view);
v1::BlindInterval ToProto(const BlindNotice& notice);

v1::Project ToProto(const Project& project);
// Never with a secret.
v1::Key ToProto(const ApiKey& key);

// From the wire. Faults that the domain has no word for (an unknown enumerator, a
// channel of another project) are added to `faults` with fields below `prefix`;
// the domain judges the rest. Output only fields are ignored. An empty project_id is one that is
// not known, so that nothing is said to lie elsewhere.
Severity FromProto(v1::Monitor::Severity severity, std::string_view prefix, FieldFaults& faults);
// Where the monitor lies is given by the caller.
MonitorDefinition FromProto(const v1::Monitor& monitor, const std::string& project_id,
                            const std::string& id, std::string_view prefix, FieldFaults& faults);
// The ids of channels that a monitor of the project names.
std::vector<std::string> ChannelIds(const google::protobuf::RepeatedPtrField<std::string>& names,
                                    const std::string& project_id, std::string_view prefix,
                                    FieldFaults& faults);
Channel FromProto(const v1::Channel& channel, const std::string& project_id, const std::string& id,
                  std::string_view prefix, FieldFaults& faults);
// The id of the fallback channel that a channel of the project names; empty for none.
std::string FallbackId(const std::string& name, const std::string& project_id,
                       std::string_view prefix, FieldFaults& faults);
ChannelFormat FromProto(v1::Channel::Format format, std::string_view prefix, FieldFaults& faults);
// Where it lies is given by the caller. Nothing else of a project is for people to choose.
Project FromProto(const v1::Project& project, const std::string& id);
ApiKey FromProto(const v1::Key& key, const std::string& project_id, const std::string& id,
                 std::string_view prefix, FieldFaults& faults);
// nullopt when unspecified.
std::optional<DeliveryState> FromProto(v1::Delivery::State state, std::string_view field,
                                       FieldFaults& faults);

v1::Maintenance ToProto(const Maintenance& maintenance, absl::Time now);
v1::Mute ToMute(const Maintenance& mute, absl::Time now);
// It begins at `now`.
Maintenance FromProto(const v1::Mute& mute, const std::string& project_id, const std::string& id,
                      absl::Time now, std::string_view prefix, FieldFaults& faults);
// A window that comes once and says no beginning begins `now`.
Maintenance FromProto(const v1::Maintenance& maintenance, const std::string& project_id,
                      const std::string& id, absl::Time now, std::string_view prefix,
                      FieldFaults& faults);

}  // namespace tocsin::core
