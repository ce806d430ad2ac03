// Writes the metrics of each monitor, family by family.
#include "services/core/engine/monitor_metrics.h"

#include <array>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "common/status_macros.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/words.h"

namespace tocsin::core {
namespace {

constexpr int kPage = 1000;
constexpr std::array kStates = {State::kNew, State::kUp, State::kDown, State::kPaused};

// One metric with all its series: the format wants them together.
struct Family {
  Family(const char* name, const char* help)
      : name(name), text(absl::StrCat("# HELP ", name, " ", help, "\n# TYPE ", name, " gauge\n")) {}

  template <typename Number>
  void Add(const std::string& labels, Number value) {
    absl::StrAppend(&text, name, "{", labels, "} ", value, "\n");
  }

  const char* const name;
  std::string text;
};

std::string Escape(const std::string& value) {
  return absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
}

// Six decimals: a double's usual six digits would round a time to hours.
std::string Seconds(absl::Time time) {
  const int64_t micros = absl::ToUnixMicros(time);
  return absl::StrCat(micros / 1'000'000, ".", absl::Dec(micros % 1'000'000, absl::kZeroPad6));
}

struct Families {
  void Add(const MonitorView& view, const GapList& gaps) {
    const MonitorDefinition& definition = view.monitor.definition;
    const MonitorState& moved = view.monitor.state;
    const std::string labels =
        absl::StrCat("project=\"", definition.project_id, "\",monitor=\"", definition.id, "\"");
    for (const State each : kStates) {
      state.Add(absl::StrCat(labels, ",state=\"", std::string(StateName(each)), "\""),
                moved.state == each ? 1 : 0);
    }
    info.Add(absl::StrCat(labels, ",owner=\"", Escape(definition.owner), "\",severity=\"",
                          std::string(SeverityName(definition.severity)), "\""),
             1);
    if (moved.last_at != absl::InfinitePast()) last_heartbeat.Add(labels, Seconds(moved.last_at));
    const absl::Time due = DeadlineOf(definition, moved, gaps).at;
    if (due != absl::InfiniteFuture()) deadline.Add(labels, Seconds(due));
    if (view.last_heartbeat.has_value() && view.last_heartbeat->value.has_value()) {
      last_value.Add(labels, *view.last_heartbeat->value);
    }
  }

  Family state{"tocsin_monitor_state", "1 for the state that the monitor is in, 0 for the others"};
  Family info{"tocsin_monitor_info", "Who answers for the monitor and how bad it is when it dies"};
  Family last_heartbeat{"tocsin_monitor_last_heartbeat_timestamp_seconds",
                        "When the newest up or down heartbeat came"};
  Family deadline{"tocsin_monitor_deadline_timestamp_seconds",
                  "When the monitor fails if nothing is heard"};
  Family last_value{"tocsin_monitor_last_value", "The number that the newest heartbeat carried"};
};

}  // namespace

absl::StatusOr<std::string> MonitorMetrics(Store& store, const GapList& gaps, absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<ProjectKey> project, store.FindProject("default"));
  ASSIGN_OR_RETURN(
      const Maintenances maintenances,
      store.ListMaintenances(
          {.project = project.value_or(0), .after_id = "", .limit = kMaxMaintenances}));
  Families families;
  std::string rest;
  MonitorQuery query;
  query.project = project.value_or(0);
  query.limit = kPage;
  for (int shown = 0; project.has_value();) {
    ASSIGN_OR_RETURN(const MonitorPage page, store.ListMonitors(query));
    if (!page.monitors.empty() && shown >= kMostMonitorsShown) {
      rest = absl::StrCat("# only the first ", kMostMonitorsShown, " monitors are shown\n");
      break;
    }
    for (const MonitorView& view : page.monitors) {
      const auto& [definition, state] = view.monitor;
      families.Add(view, maintenances.empty()
                             ? gaps
                             : WithMaintenances(gaps, maintenances, definition, state, now));
    }
    if (!page.next.has_value()) break;
    shown += static_cast<int>(page.monitors.size());
    query.after = page.next;
  }
  return absl::StrCat(families.state.text, families.info.text, families.last_heartbeat.text,
                      families.deadline.text, families.last_value.text, rest);
}

}  // namespace tocsin::core
