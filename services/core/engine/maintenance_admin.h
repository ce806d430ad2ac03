// What people do with maintenances and mutes: create, read, change, delete.
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "services/core/domain/caller.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/names.h"
#include "services/core/domain/request_identity.h"
#include "services/core/store/store.h"

namespace tocsin::core {

std::string EtagOf(const Maintenance& maintenance);

struct MaintenanceOptions {
  std::string etag{};  // empty: any; not for a creation
  bool validate_only = false;
  RequestIdentity request{};  // of a creation
  // Of a creation: it begins when it is made; a repeated request is told when that was.
  bool starts_now = false;
};

// Thread-safe. Audit, errors and validate_only as MonitorAdmin.
//
// What becomes shorter lets the sweeper look at every monitor of the project: what was held back,
// or was not due, may be now.
class MaintenanceAdmin {
 public:
  // Monitors that are woken at a time: they are locked for some ten milliseconds.
  static constexpr int kWokenTogether = 1000;

  // What it is given must outlive it.
  MaintenanceAdmin(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // Of `maintenance`, project_id and id say where; key, project, author, version and times of
  // change are ignored. MaintenanceAlreadyExists when the id is taken; TooManyMaintenances.
  // Repeated requests as with MonitorAdmin::Create.
  absl::StatusOr<Maintenance> Create(const Caller& caller, Maintenance maintenance,
                                     const MaintenanceOptions& options = {});
  absl::StatusOr<Maintenance> Get(MaintenanceKind kind, const ResourceName& name);
  // In order of id. The project of `query` is ignored.
  absl::StatusOr<std::vector<Maintenance>> List(const std::string& project_id,
                                                MaintenanceQuery query);
  // Of a maintenance: mutes do not change. Applies `edit`, which may be called several times and
  // must not touch identity, author or times of change. StaleEtag.
  absl::StatusOr<Maintenance> Update(const Caller& caller, const ResourceName& name,
                                     absl::FunctionRef<absl::Status(Maintenance&)> edit,
                                     const MaintenanceOptions& options = {});
  // StaleEtag.
  absl::Status Delete(const Caller& caller, MaintenanceKind kind, const ResourceName& name,
                      const MaintenanceOptions& options = {});

 private:
  // Does what a change noted, unless it takes long: see Store::WakeSweeps.
  void WakeSweeps();

  Store& store_;
  const Clock& clock_;
};

}  // namespace tocsin::core
