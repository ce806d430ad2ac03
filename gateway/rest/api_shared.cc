// The table, made once.
#include "gateway/rest/api_shared.h"

#include <cstdlib>
#include <utility>

#include "common/log.h"

namespace tocsin::gateway {

const RouteTable& ApiShared::routes() {
  absl::call_once(routes_once_, [this] {
    auto table = RouteTable::Make(PublicServices());
    if (!table.ok()) {
      // The contract is part of the program: a test holds it.
      LogError("routes_broken", {{"error", table.status()}});
      std::abort();
    }
    routes_ = *std::move(table);
  });
  return routes_;
}

}  // namespace tocsin::gateway
