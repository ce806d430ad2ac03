// How explanations write times, spans and what was received.
#include "services/core/domain/tell.h"

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/any_string_view.h"
#include "services/core/domain/text.h"
#include "services/core/domain/words.h"

namespace tocsin::core {
namespace {

constexpr size_t kMaxQuotedBytes = 200;
constexpr size_t kMaxSources = 3;

// On one line: what a job wrote must not look like a sentence of ours.
std::string Quoted(std::string_view text) {
  const bool cut = text.size() > kMaxQuotedBytes;
  std::string line = CleanText(text, kMaxQuotedBytes);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return absl::StrCat("\"", line, cut ? "…" : "", "\"");
}

}  // namespace

std::string_view RejectionText(Rejection rejection) {
  switch (rejection) {
    case Rejection::kBadParameter:
      return "400 bad parameter";
    case Rejection::kTooLarge:
      return "413 too large";
    case Rejection::kTooOften:
      return "429 too often";
    case Rejection::kUnknownToken:
      return "404 old token";
  }
  return "refused";
}

std::string TellTime(absl::Time at) {
  if (at == absl::InfiniteFuture() || at == absl::InfinitePast()) return "never";
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", at, absl::UTCTimeZone());
}

std::string TellSpan(absl::Duration span) {
  const absl::Duration unit = span < absl::Seconds(10) ? absl::Milliseconds(1) : absl::Seconds(1);
  return absl::FormatDuration(absl::Trunc(span, unit));
}

std::string TellHeartbeat(const Heartbeat& heartbeat) {
  std::string text(HeartbeatKindName(heartbeat.kind));
  if (!heartbeat.message.empty()) absl::StrAppend(&text, " ", Quoted(heartbeat.message));
  if (heartbeat.exit_status.value_or(0) != 0) {
    absl::StrAppend(&text, " (exit status ", *heartbeat.exit_status, ")");
  }
  return text;
}

std::string TellCount(int64_t count, std::string_view what) {
  return absl::StrCat(count, " ", AnyStringView(what).absl(), count == 1 ? "" : "s");
}

std::string TellRejected(const std::vector<RejectedPush>& rejected) {
  std::map<Rejection, int64_t> counts;
  std::set<std::string> sources;
  for (const RejectedPush& each : rejected) {
    counts[each.reason] += each.count;
    if (!each.source.empty()) sources.insert(each.source);
  }
  std::vector<std::string> parts;
  for (const auto& [reason, count] : counts) {
    parts.push_back(absl::StrCat(count, " × ", AnyStringView(RejectionText(reason)).absl()));
  }
  std::string text = absl::StrJoin(parts, ", ");
  if (!sources.empty()) {
    const bool many = sources.size() > kMaxSources;
    const auto end = many ? std::next(sources.begin(), kMaxSources) : sources.end();
    absl::StrAppend(&text, " from ", absl::StrJoin(sources.begin(), end, ", "),
                    many ? " and others" : "");
  }
  if (!rejected.empty() && !rejected.front().detail.empty()) {
    absl::StrAppend(&text, "; the newest was told: ", Quoted(rejected.front().detail));
  }
  return text;
}

std::string TellWindow(const KnownWindow& known) {
  const Maintenance& maintenance = known.maintenance;
  const bool mute = maintenance.kind == MaintenanceKind::kMute;
  std::string text = mute ? absl::StrCat("muted (", maintenance.id, ")")
                          : absl::StrCat("in maintenance ", maintenance.id);
  absl::StrAppend(&text, " from ", TellTime(known.window.start), " to ",
                  TellTime(known.window.end));
  if (!maintenance.author.empty()) absl::StrAppend(&text, " by ", maintenance.author);
  if (!maintenance.reason.empty()) absl::StrAppend(&text, ": ", Quoted(maintenance.reason));
  return text;
}

}  // namespace tocsin::core
