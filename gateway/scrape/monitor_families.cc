// The families, and the records that all but the first are written from.
#include "gateway/scrape/monitor_families.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "gateway/scrape/metric_text.h"

namespace tocsin::gateway {
namespace {

using internal::v1::ExportedMonitor;
using internal::v1::ExportMonitorsResponse;

constexpr std::string_view kInfo = "tocsin_monitor_info";
constexpr std::string_view kState = "tocsin_monitor_state";

constexpr std::pair<v1::Monitor::State, std::string_view> kStates[] = {
    {v1::Monitor::STATE_NEW, "new"},
    {v1::Monitor::STATE_UP, "up"},
    {v1::Monitor::STATE_DOWN, "down"},
    {v1::Monitor::STATE_PAUSED, "paused"}};

std::string_view SeverityWord(v1::Monitor::Severity severity) {
  switch (severity) {
    case v1::Monitor::SEVERITY_CRITICAL:
      return "critical";
    case v1::Monitor::SEVERITY_WARNING:
      return "warning";
    case v1::Monitor::SEVERITY_INFO:
      return "info";
    default:
      return "error";
  }
}

// What is kept of a monitor.
struct Record {
  std::string_view id;
  uint8_t state = 0;
  std::optional<int64_t> last_heartbeat;  // microseconds since 1970
  std::optional<int64_t> deadline;        // the same
  std::optional<double> last_value;
  bool silenced = false;
};

template <typename Number>
void Put(Number number, std::string& out) {
  char bytes[sizeof(number)];
  std::memcpy(bytes, &number, sizeof(number));
  out.append(bytes, sizeof(number));
}

template <typename Number>
Number Take(std::string_view bytes, size_t& offset) {
  Number number;
  std::memcpy(&number, bytes.data() + offset, sizeof(number));
  offset += sizeof(number);
  return number;
}

// Length of the id, the id, the state, which numbers follow (a bit for each) and whether it is
// silenced, and these numbers.
void Pack(const Record& record, std::string& out) {
  out.push_back(static_cast<char>(record.id.size()));
  out.append(record.id);
  out.push_back(static_cast<char>(record.state));
  out.push_back(static_cast<char>((record.last_heartbeat ? 1 : 0) | (record.deadline ? 2 : 0) |
                                  (record.last_value ? 4 : 0) | (record.silenced ? 8 : 0)));
  if (record.last_heartbeat) Put(*record.last_heartbeat, out);
  if (record.deadline) Put(*record.deadline, out);
  if (record.last_value) Put(*record.last_value, out);
}

Record Unpack(std::string_view bytes, size_t& offset) {
  Record record;
  const auto size = Take<uint8_t>(bytes, offset);
  record.id = bytes.substr(offset, size);
  offset += size;
  record.state = Take<uint8_t>(bytes, offset);
  const auto numbers = Take<uint8_t>(bytes, offset);
  if ((numbers & 1) != 0) record.last_heartbeat = Take<int64_t>(bytes, offset);
  if ((numbers & 2) != 0) record.deadline = Take<int64_t>(bytes, offset);
  if ((numbers & 4) != 0) record.last_value = Take<double>(bytes, offset);
  record.silenced = (numbers & 8) != 0;
  return record;
}

int64_t Micros(const google::protobuf::Timestamp& at) {
  return at.seconds() * 1'000'000 + at.nanos() / 1'000;
}

// "name{project=…,monitor=…", without the end.
void BeginSeries(std::string_view name, std::string_view project, std::string_view id,
                 std::string& out) {
  out.append(name).append("{");
  AppendLabel("project", project, out);
  out.push_back(',');
  AppendLabel("monitor", id, out);
}

// Keys that differ in nothing that a name of Prometheus can have get a number each, so that none
// hides another and no series has a name twice.
void AppendLabels(const google::protobuf::Map<std::string, std::string>& labels, std::string& out) {
  const std::map<std::string_view, std::string_view> ordered(labels.begin(), labels.end());
  std::map<std::string, int> uses;
  for (const auto& [key, value] : ordered) ++uses[LabelNameOf(key)];
  std::map<std::string, int> seen;
  for (const auto& [key, value] : ordered) {
    std::string name = LabelNameOf(key);
    if (uses[name] > 1) absl::StrAppend(&name, "_conflict", ++seen[name]);
    out.push_back(',');
    AppendLabel(name, value, out);
  }
}

void AppendInfo(const std::string& project, const ExportedMonitor& monitor, std::string& out) {
  BeginSeries(kInfo, project, monitor.id(), out);
  const std::pair<std::string_view, std::string_view> facts[] = {
      {"display_name", monitor.display_name()},
      {"owner", monitor.owner()},
      {"severity", SeverityWord(monitor.severity())}};
  for (const auto& [name, value] : facts) {
    out.push_back(',');
    AppendLabel(name, value, out);
  }
  AppendLabels(monitor.labels(), out);
  out.append("} 1\n");
}

// A family that is written from records.
struct Family {
  std::string_view name;
  std::string_view help;
  void (*append)(std::string_view name, std::string_view project, const Record& record,
                 std::string& out);
};

template <std::optional<int64_t> Record::*Time>
void AppendTime(std::string_view name, std::string_view project, const Record& record,
                std::string& out) {
  if (!(record.*Time).has_value()) return;
  BeginSeries(name, project, record.id, out);
  out.append("} ");
  AppendSeconds(*(record.*Time), out);
  out.push_back('\n');
}

void AppendValue(std::string_view name, std::string_view project, const Record& record,
                 std::string& out) {
  if (!record.last_value.has_value()) return;
  BeginSeries(name, project, record.id, out);
  out.append("} ");
  AppendNumber(*record.last_value, out);
  out.push_back('\n');
}

void AppendSilenced(std::string_view name, std::string_view project, const Record& record,
                    std::string& out) {
  if (!record.silenced) return;
  BeginSeries(name, project, record.id, out);
  out.append("} 1\n");
}

void AppendStates(std::string_view name, std::string_view project, const Record& record,
                  std::string& out) {
  for (const auto& [state, word] : kStates) {
    BeginSeries(name, project, record.id, out);
    out.push_back(',');
    AppendLabel("state", word, out);
    out.append(record.state == state ? "} 1\n" : "} 0\n");
  }
}

constexpr Family kFamilies[] = {
    {kState, "1 for the state that the monitor is in, 0 for the others.", AppendStates},
    {"tocsin_monitor_silenced",
     "1 while a maintenance, a mute or flapping keeps alerts of the monitor back; none otherwise.",
     AppendSilenced},
    {"tocsin_monitor_last_heartbeat_timestamp_seconds",
     "When the newest up or down heartbeat came; none for a monitor that was never pushed.",
     AppendTime<&Record::last_heartbeat>},
    {"tocsin_monitor_deadline_timestamp_seconds",
     "When the monitor fails once more if nothing is heard; none while nothing is due.",
     AppendTime<&Record::deadline>},
    {"tocsin_monitor_last_value",
     "The value of the newest up or down heartbeat; none when it has none.", AppendValue}};

}  // namespace

void MonitorFamilies::BeginInfo(std::string& out) {
  if (std::exchange(begun_, true)) return;
  AppendGaugeHead(kInfo, "What people said of the monitor, for joins; always 1.", out);
}

absl::Status MonitorFamilies::AddPage(const ExportMonitorsResponse& page, std::string& out) {
  BeginInfo(out);
  Page kept{.project = page.project(), .records = {}};
  for (const ExportedMonitor& monitor : page.monitors()) {
    Record record;
    record.id = monitor.id();
    record.state = static_cast<uint8_t>(monitor.state());
    if (record.id.size() > std::numeric_limits<uint8_t>::max()) {
      return absl::InternalError("core hands out an id that is too long");
    }
    if (monitor.has_last_heartbeat_time()) {
      record.last_heartbeat = Micros(monitor.last_heartbeat_time());
    }
    if (monitor.has_deadline_time()) record.deadline = Micros(monitor.deadline_time());
    if (monitor.has_last_value()) record.last_value = monitor.last_value();
    record.silenced = monitor.silenced();
    AppendInfo(page.project(), monitor, out);
    Pack(record, kept.records);
  }
  if (page.monitors().empty()) return absl::OkStatus();
  kept.records.shrink_to_fit();
  kept_ += sizeof(Page) + kept.records.capacity() + kept.project.capacity();
  if (kept_ > max_kept_) {
    absl::Status status = absl::ResourceExhaustedError(
        absl::StrCat("These are too many monitors for one scrape, which keeps at most ", max_kept_,
                     " bytes of them: scrape project by project, or with a filter."));
    SetReason(status, "TOO_MANY_MONITORS");
    return status;
  }
  pages_.push_back(std::move(kept));
  return absl::OkStatus();
}

bool MonitorFamilies::AppendNext(size_t piece, std::string& out) {
  BeginInfo(out);
  const size_t enough = out.size() + piece;
  while (family_ < std::size(kFamilies)) {
    const Family& family = kFamilies[family_];
    if (page_ == 0 && offset_ == 0) AppendGaugeHead(family.name, family.help, out);
    while (page_ < pages_.size()) {
      const Page& page = pages_[page_];
      while (offset_ < page.records.size()) {
        family.append(family.name, page.project, Unpack(page.records, offset_), out);
        if (out.size() >= enough) return true;
      }
      ++page_;
      offset_ = 0;
    }
    ++family_;
    page_ = 0;
  }
  return false;
}

}  // namespace tocsin::gateway
