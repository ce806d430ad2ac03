// Supersedes what is too much of the deliveries that wait for a channel; see CutBacklog.
#pragma once

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "services/core/domain/keys.h"
#include "services/core/store/pg/session.h"

namespace tocsin::core::pg {

// Cuts the backlogs of these monitors and channels, as CutBacklog says. Their deliveries
// are locked first, in the order in which reports lock them: what is leased meanwhile is known to
// be, and what is superseded cannot be leased any more. The monitors are locked by the transaction.
// Where the first was superseded, whoever is first now is due at once.
absl::Status CutBacklogs(Session& session,
                         absl::Span<const std::pair<MonitorKey, ChannelKey>> backlogs);

}  // namespace tocsin::core::pg
