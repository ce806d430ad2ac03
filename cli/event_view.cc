// What people see of what happened.
#include "cli/event_view.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/duration.h"
#include "cli/values.h"
#include "common/number.h"

namespace tocsin::cli {
namespace {

// What a heartbeat did, in words.
std::string Effect(const v1::Heartbeat& beat) {
  if (beat.reason() == "stored_paused") return "stored, paused";  // as the answer to the push
  return absl::StrReplaceAll(beat.reason(), {{"_", " "}});
}

// Fractions of a second matter for short runs only.
std::string Took(const v1::Heartbeat& beat) {
  if (!beat.has_run_duration()) return "";
  const absl::Duration took =
      absl::Seconds(beat.run_duration().seconds()) + absl::Nanoseconds(beat.run_duration().nanos());
  const absl::Duration unit = took < absl::Seconds(10) ? absl::Milliseconds(1) : absl::Seconds(1);
  return ShowDuration(absl::Trunc(took, unit));
}

std::string Size(int bytes) { return bytes == 0 ? "" : absl::StrCat(bytes, " B"); }

template <typename About>
std::string SelectedAndNamed(const About& about) {
  std::vector<std::string> whom;
  if (!about.selector().empty()) whom.push_back(about.selector());
  for (const std::string& name : about.monitors()) whom.push_back(IdOf(name));
  return absl::StrJoin(whom, ", ");
}

Table Incidents(const v1::ListIncidentsResponse& incidents, bool wide, bool named) {
  std::vector<std::string> header = {"ID", "OPENED", "CLOSED", "CAUSE", "RESOLUTION", "MESSAGE"};
  if (named) header.insert(header.begin() + 1, "MONITOR");
  Table table(std::move(header));
  for (const v1::Incident& i : incidents.incidents()) {
    std::vector<std::string> row = {
        IdOf(i.name()),
        Show(i.open_time()),
        i.has_close_time() ? Show(i.close_time()) : "open",
        ShowEnum(v1::Incident::Cause_Name(i.cause()), "CAUSE_"),
        ShowEnum(v1::Incident::Resolution_Name(i.resolution()), "RESOLUTION_"),
        wide ? i.message() : Shortened(i.message())};
    if (named) row.insert(row.begin() + 1, IdOf(i.monitor()));
    table.AddRow(std::move(row));
    if (!i.has_close_time()) table.Tint(named ? 3 : 2, Tone::kBad);
  }
  return table;
}

}  // namespace

Table HeartbeatsTable(const v1::ListHeartbeatsResponse& heartbeats, bool wide) {
  Table table({"RECEIVED", "KIND", "EFFECT", "VALUE", "EXIT", "RUN", "TOOK", "OUTPUT", "MESSAGE"});
  for (const v1::Heartbeat& beat : heartbeats.heartbeats()) {
    table.AddRow(
        {Show(beat.receive_time()), ShowEnum(v1::Heartbeat::Kind_Name(beat.kind()), "KIND_"),
         Effect(beat), beat.has_value() ? NumberText(beat.value()) : "",
         beat.has_exit_status() ? absl::StrCat(beat.exit_status()) : "", beat.run_id(), Took(beat),
         Size(beat.output_size_bytes()), wide ? beat.message() : Shortened(beat.message())});
  }
  return table;
}

Table IncidentsTable(const v1::ListIncidentsResponse& incidents, bool wide) {
  return Incidents(incidents, wide, /*named=*/true);
}

Table IncidentsOfOneTable(const v1::ListIncidentsResponse& incidents, bool wide) {
  return Incidents(incidents, wide, /*named=*/false);
}

std::string Whom(const v1::Mute& mute) { return SelectedAndNamed(mute); }

std::string Whom(const v1::Maintenance& maintenance) {
  return maintenance.all_monitors() ? "all monitors" : SelectedAndNamed(maintenance);
}

std::string WindowWords(const v1::Maintenance& maintenance) {
  if (maintenance.active()) return absl::StrCat("open until ", Show(maintenance.next_end_time()));
  if (!maintenance.has_next_start_time()) return "over";
  return absl::StrCat("opens ", Show(maintenance.next_start_time()));
}

}  // namespace tocsin::cli
