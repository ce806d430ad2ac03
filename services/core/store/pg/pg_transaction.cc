// When a transaction writes what it holds back, and what it announces.
#include "services/core/store/pg/pg_transaction.h"

#include "common/status_macros.h"

namespace tocsin::core::pg {

std::string Announcement::Encode() const {
  std::string payload;
  if (deliveries) payload += 'd';
  if (sweep) payload += 's';
  if (events) payload += 'e';
  if (keys) payload += 'k';
  return payload;
}

absl::Status PgTransaction::Flush() {
  ASSIGN_OR_RETURN(const bool moved_earlier, buffer_.Flush(session_));
  announcement_.sweep |= moved_earlier;
  return absl::OkStatus();
}

absl::Status PgTransaction::BeginLocking() {
  incident_keys_.Forget();
  event_keys_.Forget();
  return Flush();
}

void Announcement::Merge(const std::string& payload) {
  for (const char c : payload) {
    deliveries |= c == 'd';
    sweep |= c == 's';
    events |= c == 'e';
    keys |= c == 'k';
  }
}

}  // namespace tocsin::core::pg
