// Everything that is known of one monitor, on a page.
#include "cli/describe/page.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/duration.h"
#include "cli/event_view.h"
#include "cli/message_json.h"
#include "cli/monitor_view.h"
#include "cli/status/view.h"
#include "cli/table.h"
#include "cli/values.h"

namespace tocsin::cli {
namespace {

std::string Health(const v1::Channel& channel) {
  if (!channel.has_failing_since()) return "works";
  return absl::StrCat("failing since ", Show(channel.failing_since()), ": ", channel.last_error());
}

Table ToldTable(const MonitorPage& page) {
  Table table({"CHANNEL", "SENDS TO", "WHY", "HEALTH"});
  for (const Told& told : page.told) {
    table.AddRow({IdOf(told.channel.name()), told.channel.url(), told.why, Health(told.channel)});
    table.Tint(3, told.channel.has_failing_since() ? Tone::kBad : Tone::kGood);
  }
  return table;
}

Table SilenceTable(const MonitorPage& page) {
  Table table({"KIND", "ID", "NOW", "MONITORS", "REASON", "BY"});
  for (const v1::Mute& mute : page.mutes) {
    table.AddRow({"mute", IdOf(mute.name()), absl::StrCat("until ", Show(mute.expire_time())),
                  Shortened(Whom(mute)), Shortened(mute.reason()), IdOf(mute.author())});
  }
  for (const v1::Maintenance& m : page.maintenances) {
    table.AddRow({"maintenance", IdOf(m.name()), WindowWords(m), Shortened(Whom(m)),
                  Shortened(m.reason()), IdOf(m.author())});
  }
  return table;
}

// The incident that is open, if it was read.
std::optional<v1::Incident> OpenOne(const MonitorPage& page) {
  for (const v1::Incident& incident : page.incidents.incidents()) {
    if (incident.name() == page.monitor.open_incident()) return incident;
  }
  return std::nullopt;
}

template <typename Items>
nlohmann::ordered_json ListOf(const Items& items) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& item : items) list.push_back(JsonOf(item));
  return list;
}

}  // namespace

std::string PageText(const MonitorPage& page, absl::Time now, bool wide, const Terminal& terminal) {
  std::string text;
  const auto put = [&](absl::string_view line) {
    absl::StrAppend(
        &text, terminal.width == 0 ? std::string(line) : Shortened(line, terminal.width), "\n");
  };
  const auto title = [&](absl::string_view name) {
    absl::StrAppend(&text, "\n", Toned(name, Tone::kTitle, terminal.colour), "\n");
  };
  const auto rows = [&](Table table) {
    table.DropEmptyColumns();
    const std::vector<std::string> plain = table.Lines(), toned = table.Lines(terminal.colour);
    for (size_t i = 0; i < plain.size(); ++i) {
      const bool fits = terminal.width == 0 || Width(plain[i]) <= terminal.width;
      if (fits) {
        absl::StrAppend(&text, toned[i], "\n");
      } else {
        put(plain[i]);
      }
    }
  };

  if (const std::optional<Trouble> trouble = TroubleOf(page.monitor)) {
    const Problem problem = {
        .trouble = *trouble, .monitor = page.monitor, .incident = OpenOne(page)};
    const std::optional<absl::Time> since = problem.Since();
    const std::string word(WordOf(*trouble));
    put(absl::StrCat(word, since.has_value() ? absl::StrCat(" for ", ShowAge(now - *since)) : "",
                     ": ", WhyOf(problem, now)));
    const Tone tone = *trouble == Trouble::kDown ? Tone::kBad : Tone::kWarning;
    text = absl::StrCat(Toned(word, tone, terminal.colour), text.substr(word.size()));
    text += "\n";
  }
  // A description or a runbook is whole, however long.
  text += MonitorTable(page.monitor).ToString();
  if (!page.fires.fire_times().empty()) {
    title("Fires next");
    rows(FireTimesTable(page.fires));
  }
  title("Who is told");
  if (page.told.empty()) {
    put("Nobody: no channel selects it, it names none, and no default channel is enabled.");
  } else {
    rows(ToldTable(page));
  }
  if (!page.mutes.empty() || !page.maintenances.empty()) {
    title("Not told in");
    rows(SilenceTable(page));
  }
  title("Newest heartbeats");
  if (page.heartbeats.heartbeats().empty()) {
    put("None.");
  } else {
    rows(HeartbeatsTable(page.heartbeats, wide));
  }
  title("Newest incidents");
  if (page.incidents.incidents().empty()) {
    put("None.");
  } else {
    rows(IncidentsOfOneTable(page.incidents, wide));
  }
  return text;
}

nlohmann::ordered_json PageJson(const MonitorPage& page) {
  nlohmann::ordered_json channels = nlohmann::ordered_json::array();
  for (const Told& told : page.told) {
    channels.push_back({{"channel", JsonOf(told.channel)}, {"why", told.why}});
  }
  return {{"monitor", JsonOf(page.monitor)},
          {"fireTimes", ListOf(page.fires.fire_times())},
          {"heartbeats", ListOf(page.heartbeats.heartbeats())},
          {"incidents", ListOf(page.incidents.incidents())},
          {"channels", std::move(channels)},
          {"mutes", ListOf(page.mutes)},
          {"maintenances", ListOf(page.maintenances)}};
}

}  // namespace tocsin::cli
