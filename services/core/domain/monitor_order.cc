// The orders in which lists of monitors go.
#include "services/core/domain/monitor_order.h"

#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/any_string_view.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

constexpr size_t kMostShown = 64;  // bytes of what is refused

absl::Status Refused(std::string_view text) {
  return InvalidField("order_by",
                      absl::StrCat("there is no order \"", CleanText(text, kMostShown), "\""),
                      "id, state_change_time or create_time, each with or without \" desc\"");
}

}  // namespace

absl::StatusOr<MonitorOrder> ParseMonitorOrder(std::string_view text) {
  MonitorOrder order;
  const std::vector<absl::string_view> words =
      absl::StrSplit(AnyStringView(text).absl(), ' ', absl::SkipEmpty());
  if (words.empty()) return order;
  if (words.size() > 2) return Refused(text);
  if (words[0] == "state_change_time" || words[0] == "stateChangeTime") {
    order.by = MonitorOrder::By::kStateChange;
  } else if (words[0] == "create_time" || words[0] == "createTime") {
    order.by = MonitorOrder::By::kCreate;
  } else if (words[0] != "id") {
    return Refused(text);
  }
  if (words.size() == 2 && words[1] != "asc" && words[1] != "desc") return Refused(text);
  order.descending = words.size() == 2 && words[1] == "desc";
  return order;
}

MonitorPlace PlaceOf(const MonitorOrder& order, const Monitor& monitor) {
  MonitorPlace place = {.at = absl::UnixEpoch(), .id = monitor.definition.id};
  if (order.by == MonitorOrder::By::kStateChange) place.at = monitor.state.changed_at;
  if (order.by == MonitorOrder::By::kCreate) place.at = monitor.definition.created_at;
  return place;
}

bool ComesBefore(const MonitorOrder& order, const MonitorPlace& a, const MonitorPlace& b) {
  const MonitorPlace& low = order.descending ? b : a;
  const MonitorPlace& high = order.descending ? a : b;
  return std::tie(low.at, low.id) < std::tie(high.at, high.id);
}

}  // namespace tocsin::core
