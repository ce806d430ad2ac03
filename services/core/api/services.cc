// Every service of core, put together.
#include "services/core/api/services.h"

namespace tocsin::core {

Services::Services(const ServiceParts& parts)
    : push(parts.gate, parts.pushes, parts.clock),
      push_stream(parts.gate, parts.pushes, parts.guard, parts.clock, parts.monotonic),
      deliver(parts.gate, parts.queue, parts.clock, parts.public_url),
      monitors(parts.gate, parts.monitors, parts.store, parts.guard, parts.clock, parts.public_url),
      monitor_export(parts.gate, parts.store, parts.guard, parts.clock),
      channels(parts.gate, parts.channels),
      incidents(parts.gate, parts.store),
      deliveries(parts.gate, parts.store, parts.clock),
      alerts(parts.gate, parts.feed, parts.store),
      maintenances(parts.gate, parts.maintenances, parts.clock),
      mutes(parts.gate, parts.maintenances, parts.clock),
      projects(parts.gate, parts.projects),
      keys(parts.gate, parts.keys),
      audit(parts.gate, parts.store),
      statistics(parts.gate, parts.store, parts.history, parts.clock, parts.incidents_kept),
      timeline(parts.gate, parts.store, parts.clock),
      rejections(parts.gate, parts.store, parts.clock) {}

std::vector<Services::Named> Services::All() {
  return {{v1::PushService::service_full_name(), &push},
          {internal::v1::PushService::service_full_name(), &push_stream},
          {internal::v1::DeliveryService::service_full_name(), &deliver},
          {v1::MonitorService::service_full_name(), &monitors},
          {internal::v1::MonitorExportService::service_full_name(), &monitor_export},
          {v1::ChannelService::service_full_name(), &channels},
          {v1::IncidentService::service_full_name(), &incidents},
          {v1::DeliveryService::service_full_name(), &deliveries},
          {v1::AlertService::service_full_name(), &alerts},
          {v1::MaintenanceService::service_full_name(), &maintenances},
          {v1::MuteService::service_full_name(), &mutes},
          {v1::ProjectService::service_full_name(), &projects},
          {v1::KeyService::service_full_name(), &keys},
          {v1::AuditService::service_full_name(), &audit},
          {v1::StatisticsService::service_full_name(), &statistics},
          {v1::TimelineService::service_full_name(), &timeline},
          {internal::v1::RejectionService::service_full_name(), &rejections}};
}

void Services::RecheckStreams() {
  push_stream.Recheck();
  deliver.Recheck();
}

}  // namespace tocsin::core
