// Request ids.
#include "gateway/request_id.h"

#include <algorithm>
#include <cstdint>

#include "common/random.h"
#include "common/sha256.h"

namespace tocsin::gateway {

bool IsFittingRequestId(std::string_view sent) {
  const auto fit = [](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
           c == '_' || c == '.';
  };
  return !sent.empty() && sent.size() <= kMaxRequestId &&
         std::all_of(sent.begin(), sent.end(), fit);
}

std::string FittingRequestId(std::string_view sent) {
  if (IsFittingRequestId(sent)) return std::string(sent);
  const uint64_t id = RandomId();
  return Hex(std::string_view(reinterpret_cast<const char*>(&id), sizeof(id)));
}

}  // namespace tocsin::gateway
