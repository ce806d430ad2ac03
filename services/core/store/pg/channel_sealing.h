// URLs, signing secrets and headers of channels, as they are sealed in their rows.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/domain/channel.h"
#include "services/core/store/pg/session.h"
#include "services/core/store/sealer.h"

namespace tocsin::core::pg {

std::string SealUrl(const Channel& channel, const Sealer& sealer);
std::string SealSecrets(const Channel& channel, const Sealer& sealer);
// Empty when it has none.
std::string SealHeaders(const Channel& channel, const Sealer& sealer);

// The columns of a channel's row that are sealed.
struct SealedColumns {
  std::string url;
  std::string secrets;
  std::string headers;
};

// Into a channel whose project and id are known. What does not open is logged and left empty.
void OpenSealed(const SealedColumns& sealed, const Sealer& sealer, Channel& channel);

// Seals with the first key what others have sealed, so that their lines may leave the file; up to a
// thousand channels. What does not open, and what somebody changes meanwhile, stays as it is. Says
// in the log how many it was. UNAVAILABLE when the database cannot be asked.
absl::Status SealAnew(Session& session, const Sealer& sealer);

// Forgets secrets that do not sign any more, of up to a thousand channels; after SealAnew, since it
// seals with the first key. What does not open, and what somebody changes meanwhile, stays as it
// is. UNAVAILABLE when the database cannot be asked.
absl::Status ForgetOldSecrets(Session& session, const Sealer& sealer, absl::Time now);

}  // namespace tocsin::core::pg
