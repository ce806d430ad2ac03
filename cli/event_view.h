// What people see of what happened: heartbeats, incidents, and windows in which nothing is told.
#pragma once

#include <string>

#include "cli/table.h"
#include "tocsin/v1/incident.pb.h"
#include "tocsin/v1/incident_service.pb.h"
#include "tocsin/v1/maintenance.pb.h"
#include "tocsin/v1/monitor_service.pb.h"
#include "tocsin/v1/mute.pb.h"

namespace tocsin::cli {

// One on a line. Messages are whole where `wide` is true, and shortened otherwise.
Table HeartbeatsTable(const v1::ListHeartbeatsResponse& heartbeats, bool wide);
Table IncidentsTable(const v1::ListIncidentsResponse& incidents, bool wide);
// The same of incidents of one monitor, which is not named again.
Table IncidentsOfOneTable(const v1::ListIncidentsResponse& incidents, bool wide);

// Whom a mute or a maintenance is about: "team=payments, nightly", "all monitors".
std::string Whom(const v1::Mute& mute);
std::string Whom(const v1::Maintenance& maintenance);

// "open until 2026-03-10 04:00:00Z", "opens …", "over".
std::string WindowWords(const v1::Maintenance& maintenance);

}  // namespace tocsin::cli
