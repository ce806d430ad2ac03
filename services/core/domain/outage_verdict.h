// The part of a verdict that is about an incident.
#pragma once

#include "services/core/domain/verdict.h"

namespace tocsin::core {

// `evidence.outage` is present.
Verdict ExplainOutage(const Evidence& evidence);

// Why nobody would be told of a failure of the monitor, as the channels are now; empty: somebody
// would. The word for it is put into `reason`.
std::string WhyNobody(const MonitorDefinition& definition, const std::vector<Channel>& channels,
                      std::string& reason);

}  // namespace tocsin::core
