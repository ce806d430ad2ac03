// Monitors from Uptime Kuma.
#include "cli/import_kuma.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/duration.h"
#include "cli/import_json.h"
#include "cli/table.h"

namespace tocsin::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxNameBytes = 128;
constexpr size_t kMaxDescriptionBytes = 4096;
constexpr size_t kLeastTokenBytes = 16;
constexpr int kMaxThreshold = 100;
constexpr absl::Duration kLongest = absl::Hours(24 * 366);
// Kuma waits so much longer than the interval, for differences between clocks.
constexpr absl::Duration kBuffer = absl::Seconds(1);
constexpr absl::Duration kLeastReminder = absl::Minutes(1);

// Kuma is down after interval + buffer + retries × retry interval without a push.
void ReadSchedule(ExportFields& fields, ImportedMonitor& entry) {
  const absl::Duration interval = fields.Seconds("interval").value_or(absl::ZeroDuration());
  if (interval == absl::ZeroDuration()) {
    fields.Fault("interval", "missing or 0", "a number of seconds");
    return;
  }
  const int retries = fields.Count("maxretries").value_or(0);
  absl::Duration retry = fields.Seconds("retryInterval").value_or(interval);
  if (retry == absl::ZeroDuration()) retry = interval;

  v1::HeartbeatSchedule& heartbeat = *entry.monitor.mutable_schedule()->mutable_heartbeat();
  *heartbeat.mutable_timeout() = DurationProto(interval);
  absl::Duration grace = kBuffer;
  if (retries > 0 && retry == interval && retries < kMaxThreshold) {
    entry.monitor.set_failure_threshold(retries + 1);
  } else if (retries > 0) {
    // A threshold would wait for as many intervals, which may be days where a retry is a minute.
    grace = std::min(kBuffer + retries * retry, kLongest);
    entry.notes.push_back(absl::StrCat(retries, " retries every ", ShowDuration(retry),
                                       " become a grace of ", ShowDuration(grace),
                                       "; a push that says down counts at once"));
  }
  *heartbeat.mutable_grace() = DurationProto(grace);

  const int resend = fields.Count("resendInterval").value_or(0);
  if (resend == 0) return;
  const absl::Duration every = std::clamp(resend * interval, kLeastReminder, kLongest);
  *entry.monitor.mutable_reminder_interval() = DurationProto(every);
  if (every != resend * interval) {
    entry.notes.push_back(absl::StrCat("reminders come every ", ShowDuration(every), " instead of ",
                                       ShowDuration(resend * interval)));
  }
}

void ReadTags(ExportFields& fields, ImportedMonitor& entry) {
  const Json* const tags = fields.Array("tags");
  if (tags == nullptr) return;
  for (size_t i = 0; i < tags->size(); ++i) {
    ExportFields tag((*tags)[i]);
    const std::string name = tag.Text("name");
    const std::string value = tag.Text("value");
    if (tag.fault().empty()) {
      AddTag(name, value, entry);
    } else {
      fields.Fault(absl::StrCat("tags[", i, "]"), tag.fault(), "an object with name and value");
    }
  }
}

// The last part of its push URL; the first versions made short ones.
std::string ReadToken(ExportFields& fields, ImportedMonitor& entry) {
  std::string token = fields.Text("pushToken");
  if (token.empty()) {
    fields.Fault("pushToken", "missing", "the last part of its push URL");
  } else if (token.size() < kLeastTokenBytes) {
    entry.notes.push_back(
        absl::StrCat("its push token has ", token.size(),
                     " characters only, which can be guessed: \"tocsin monitor rotate-token\" "
                     "makes another one"));
  }
  return token;
}

void AddMonitor(const Json& object, std::string place, ImportBatch& batch) {
  ExportFields fields(object);
  ImportedMonitor entry = {.place = std::move(place)};
  entry.name = fields.Text("name");
  const std::string type = fields.Text("type");
  if (type.empty()) fields.Fault("type", "missing", "push");
  if (fields.fault().empty() && type != "push") {
    entry.skipped = absl::StrCat("no push monitor: its type is ", Shortened(OneLine(type)));
    return batch.Add(std::move(entry), "", "");
  }
  entry.monitor.set_display_name(Bounded(entry.name, kMaxNameBytes, "the name", entry.notes));
  entry.monitor.set_description(
      Bounded(fields.Text("description"), kMaxDescriptionBytes, "the description", entry.notes));
  // A group that is paused pauses what is in it.
  entry.paused =
      !fields.Flag("active").value_or(true) || fields.Flag("forceInactive").value_or(false);
  entry.in_use = !entry.paused;
  ReadSchedule(fields, entry);
  ReadTags(fields, entry);
  const std::string token = ReadToken(fields, entry);
  const bool upside_down = fields.Flag("upsideDown").value_or(false);
  entry.refusal = fields.fault();
  if (entry.refusal.empty() && upside_down) {
    entry.refusal = "it is upside down: silence would be good there, which is not supported";
  }
  const std::string name = entry.name;
  batch.Add(std::move(entry), name, token);
}

// The list of the export with what it is called there; null when it has none.
const Json* ListOf(const Json& exported, std::string& name) {
  if (exported.is_array()) return &exported;
  if (!exported.is_object()) return nullptr;
  if (const auto found = exported.find("monitorList"); found != exported.end()) {
    name = "monitorList";
    return found->is_array() || found->is_object() ? &*found : nullptr;
  }
  // By id: nothing but numbers as names.
  for (const auto& [id, monitor] : exported.items()) {
    if (id.find_first_not_of("0123456789") != std::string::npos) return nullptr;
  }
  return exported.empty() ? nullptr : &exported;
}

}  // namespace

absl::StatusOr<std::vector<ImportedMonitor>> FromUptimeKuma(const Json& exported) {
  std::string name;
  const Json* const list = ListOf(exported, name);
  if (list == nullptr) {
    return absl::InvalidArgumentError(
        "it is no export of Uptime Kuma: monitorList is missing or no list; accepted: a backup of "
        "version 1, or the list of monitors that clients of version 2 are sent");
  }
  if (list->size() > kMaxImported) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", list->size(), " monitors; accepted: at most ", kMaxImported));
  }
  ImportBatch batch;
  for (const auto& [key, monitor] : list->items()) {
    AddMonitor(monitor, absl::StrCat(name, "[", key, "]"), batch);
  }
  return batch.Take();
}

}  // namespace tocsin::cli
