// What a transaction announces, as the payload of a notification.
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core::pg {

std::string Announcement::Encode() const {
  std::string payload;
  if (deliveries) payload += 'd';
  if (sweep) payload += 's';
  if (events) payload += 'e';
  return payload;
}

void Announcement::Merge(const std::string& payload) {
  for (const char c : payload) {
    deliveries |= c == 'd';
    sweep |= c == 's';
    events |= c == 'e';
  }
}

}  // namespace tocsin::core::pg
