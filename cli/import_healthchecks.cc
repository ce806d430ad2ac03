// Monitors from Healthchecks.
#include "cli/import_healthchecks.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/import_json.h"

namespace tocsin::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxNameBytes = 128;
constexpr size_t kMaxDescriptionBytes = 4096;

// As /ping/<uuid> takes it: 8-4-4-4-12 digits, in lower case here. Empty when it is none.
std::string Uuid(absl::string_view text) {
  if (text.size() != 36) return "";
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool fit =
        dash ? text[i] == '-' : absl::ascii_isxdigit(static_cast<unsigned char>(text[i]));
    if (!fit) return "";
  }
  return absl::AsciiStrToLower(text);
}

std::string UuidOf(ExportFields& check) {
  const std::string url = check.Text("ping_url");
  const std::string of_url = Uuid(absl::string_view(url).substr(url.rfind('/') + 1));
  return of_url.empty() ? Uuid(check.Text("uuid")) : of_url;
}

// Healthchecks tells its two kinds of schedules apart by the same rule.
bool IsOnCalendar(const std::string& schedule) {
  const absl::string_view text = absl::StripAsciiWhitespace(schedule);
  const std::vector<absl::string_view> words =
      absl::StrSplit(text, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  return words.size() != 5 || text.find('\n') != absl::string_view::npos;
}

// Empty when the check can be imported.
std::string Refusal(ExportFields& check, const std::string& uuid) {
  const bool by_keywords = check.Flag("filter_http_body").value_or(false);
  const std::string schedule = check.Text("schedule");
  if (!check.fault().empty()) return check.fault();
  if (by_keywords) {
    return "keywords in the body of a ping decide whether it is a success, which is not supported: "
           "let the job ping /fail or its exit status";
  }
  if (check.Has("schedule") && IsOnCalendar(schedule)) {
    return "its schedule is an OnCalendar expression, which is not supported: give it a cron "
           "expression";
  }
  if (!uuid.empty()) return "";
  return check.Has("unique_key")
             ? "ping_url is missing: the export was asked for with a read-only key; accepted: that "
               "of a key that may write"
             : "ping_url: it ends in no UUID; accepted: https://…/<uuid>";
}

void ReadSchedule(ExportFields& check, ImportedMonitor& entry) {
  const std::optional<absl::Duration> grace = check.Seconds("grace");
  if (!grace.has_value()) check.Fault("grace", "missing", "a number of seconds");
  v1::Schedule& schedule = *entry.monitor.mutable_schedule();
  if (check.Has("schedule")) {
    v1::CronSchedule& cron = *schedule.mutable_cron();
    cron.set_expression(check.Text("schedule"));
    cron.set_time_zone(check.Text("tz"));
    *cron.mutable_grace() = DurationProto(grace.value_or(absl::ZeroDuration()));
  } else {
    const std::optional<absl::Duration> timeout = check.Seconds("timeout");
    if (!timeout.has_value()) check.Fault("timeout", "missing", "a number of seconds");
    v1::HeartbeatSchedule& heartbeat = *schedule.mutable_heartbeat();
    *heartbeat.mutable_timeout() = DurationProto(timeout.value_or(absl::ZeroDuration()));
    *heartbeat.mutable_grace() = DurationProto(grace.value_or(absl::ZeroDuration()));
  }
  // There the grace is also how long a run may take that began with /start.
  if (grace.has_value() && *grace > absl::ZeroDuration()) {
    *entry.monitor.mutable_max_run_duration() = DurationProto(*grace);
  }
}

void ReadTags(ExportFields& check, ImportedMonitor& entry) {
  const std::string tags = check.Text("tags");
  for (const absl::string_view tag :
       absl::StrSplit(tags, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty())) {
    const size_t equals = tag.find('=');
    if (equals == absl::string_view::npos || equals == 0 || equals + 1 == tag.size()) {
      AddTag(tag, "", entry);
    } else {
      AddTag(tag.substr(0, equals), tag.substr(equals + 1), entry);
    }
  }
}

void NoteWhatIsNotKept(ExportFields& check, ImportedMonitor& entry) {
  if (!check.Text("methods").empty()) {
    entry.notes.emplace_back("pings by GET and HEAD count, too, not only by POST");
  }
  if (check.Flag("filter_subject").value_or(false) || check.Flag("filter_body").value_or(false) ||
      !check.Text("subject").empty() || !check.Text("subject_fail").empty()) {
    entry.notes.emplace_back(
        "its keywords are for pings by e-mail, which are not taken: ping by HTTP");
  }
}

void AddCheck(const Json& object, std::string place, ImportBatch& batch) {
  ExportFields check(object);
  ImportedMonitor entry = {.place = std::move(place)};
  const std::string uuid = UuidOf(check);
  const std::string slug = check.Text("slug");
  entry.name = check.Text("name");
  entry.monitor.set_display_name(Bounded(entry.name, kMaxNameBytes, "the name", entry.notes));
  entry.monitor.set_description(
      Bounded(check.Text("desc"), kMaxDescriptionBytes, "the description", entry.notes));
  entry.monitor.set_resume_on_heartbeat(!check.Flag("manual_resume").value_or(false));
  entry.paused = check.Text("status") == "paused";
  entry.in_use = !entry.paused && check.Has("last_ping");
  ReadTags(check, entry);
  NoteWhatIsNotKept(check, entry);
  entry.refusal = Refusal(check, uuid);
  if (entry.refusal.empty()) {
    ReadSchedule(check, entry);
    entry.refusal = check.fault();
  }
  if (entry.name.empty()) entry.name = slug;
  batch.Add(std::move(entry), slug.empty() ? check.Text("name") : slug, uuid);
}

// A slug is an address there: /ping/<ping key>/<slug>.
void NoteSlugs(const Json& checks, std::vector<ImportedMonitor>& entries) {
  for (size_t i = 0; i < entries.size(); ++i) {
    ImportedMonitor& entry = entries[i];
    const std::string slug = ExportFields(checks[i]).Text("slug");
    if (entry.id.empty() || slug.empty()) continue;
    if (slug.size() > kMaxIdBytes || entry.id != IdOfName(slug)) {
      entry.notes.push_back(
          absl::StrCat("pings by its slug do not reach it: its id is ", entry.id));
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<ImportedMonitor>> FromHealthchecks(const Json& exported) {
  ExportFields fields(exported);
  const Json* const checks = fields.Array("checks");
  if (checks == nullptr) {
    fields.Fault("checks", "missing", "the answer of GET /api/v3/checks/");
    return absl::InvalidArgumentError(
        absl::StrCat("it is no export of Healthchecks: ", fields.fault()));
  }
  if (checks->size() > kMaxImported) {
    return absl::InvalidArgumentError(
        absl::StrCat("checks: there are ", checks->size(), "; accepted: at most ", kMaxImported));
  }
  ImportBatch batch;
  for (size_t i = 0; i < checks->size(); ++i) {
    AddCheck((*checks)[i], absl::StrCat("checks[", i, "]"), batch);
  }
  std::vector<ImportedMonitor> entries = batch.Take();
  NoteSlugs(*checks, entries);
  return entries;
}

}  // namespace tocsin::cli
