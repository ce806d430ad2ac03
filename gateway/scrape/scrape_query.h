// Which monitors a scrape asks for. Pure.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "tocsin/internal/v1/monitor_export_service.pb.h"

namespace tocsin::gateway {

// Of "project=payments&filter=labels.team%20%3D%20backup"; each may be left out, and what they say
// is judged by core. INVALID_ARGUMENT (INVALID_FIELD) for any other parameter, one that comes
// twice, or what is not encoded as it should be.
absl::StatusOr<internal::v1::ExportMonitorsRequest> ReadScrapeQuery(std::string_view query);

}  // namespace tocsin::gateway
