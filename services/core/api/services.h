// Every service of core, put together: what is registered, what health names, what a test walks.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string>
#include <vector>

#include "common/clock.h"
#include "services/core/api/alert_service.h"
#include "services/core/api/audit_service.h"
#include "services/core/api/channel_service.h"
#include "services/core/api/deliver_service.h"
#include "services/core/api/delivery_service.h"
#include "services/core/api/gate.h"
#include "services/core/api/incident_service.h"
#include "services/core/api/key_service.h"
#include "services/core/api/maintenance_service.h"
#include "services/core/api/monitor_export_service.h"
#include "services/core/api/monitor_service.h"
#include "services/core/api/mute_service.h"
#include "services/core/api/project_service.h"
#include "services/core/api/push_service.h"
#include "services/core/api/rejection_service.h"
#include "services/core/api/statistics_service.h"
#include "services/core/api/timeline_service.h"

namespace tocsin::core {

// What the services work with; all of it outlives them.
struct ServiceParts {
  Gate& gate;
  Store& store;
  HistoryStore& history;
  const Clock& clock;
  const MonotonicClock& monotonic;
  PushCreator& pushes;
  OutageGuard& guard;
  DeliveryQueue& queue;
  AlertFeed& feed;
  MonitorAdmin& monitors;
  ChannelAdmin& channels;
  MaintenanceAdmin& maintenances;
  ProjectAdmin& projects;
  KeyAdmin& keys;
  std::string public_url;
  absl::Duration incidents_kept = RetentionPolicy().incidents;
};

struct Services {
  explicit Services(const ServiceParts& parts);

  struct Named {
    std::string name;  // "tocsin.v1.MonitorService"
    grpc::Service* service;
  };
  std::vector<Named> All();

  // Ends the streams of gateways and notifiers whose key gives access no more.
  void RecheckStreams();

  PushServiceHandler push;
  PushStreamHandler push_stream;
  DeliverHandler deliver;
  MonitorServiceHandler monitors;
  MonitorExportHandler monitor_export;
  ChannelServiceHandler channels;
  IncidentServiceHandler incidents;
  DeliveryServiceHandler deliveries;
  AlertServiceHandler alerts;
  MaintenanceServiceHandler maintenances;
  MuteServiceHandler mutes;
  ProjectServiceHandler projects;
  KeyServiceHandler keys;
  AuditServiceHandler audit;
  StatisticsServiceHandler statistics;
  TimelineServiceHandler timeline;
  RejectionServiceHandler rejections;
};

}  // namespace tocsin::core
