// The summary of many alerts that are told together.
#include "services/notifier/channel/digest_summary.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "services/notifier/channel/wording.h"

namespace tocsin::notifier {
namespace {

constexpr size_t kUrlBytes = 2048;

// A type of events: "120 down", and "Down: a, b".
struct Words {
  EventType type;
  absl::string_view counted;
  absl::string_view listed;
};
constexpr Words kTypes[] = {{EventType::kFiring, "down", "Down"},
                            {EventType::kReminder, "still down", "Still down"},
                            {EventType::kResolved, "ended", "Ended"}};

absl::string_view CauseWords(Cause cause) {
  switch (cause) {
    case Cause::kMissedDeadline:
      return "no heartbeat in time";
    case Cause::kReportedDown:
      return "reported down";
    case Cause::kRunOverran:
      return "a run took too long";
    case Cause::kValueOutOfRange:
      return "value out of range";
    case Cause::kUnknown:
      break;
  }
  return "failed";
}

int64_t CountOf(const DigestFacts& digest, EventType type) {
  int64_t events = 0;
  for (const DigestFacts::Count& count : digest.counts) {
    if (count.type == type) events += count.events;
  }
  return events;
}

// `120 down (100 no heartbeat in time, 20 reported down)`.
std::string Counted(const DigestFacts& digest, const Words& words) {
  std::vector<std::string> causes;
  for (const DigestFacts::Count& count : digest.counts) {
    if (count.type == words.type) {
      causes.push_back(absl::StrCat(count.events, " ", CauseWords(count.cause)));
    }
  }
  const std::string counted = absl::StrCat(CountOf(digest, words.type), " ", words.counted);
  // Why something went down does not matter of what has ended.
  if (words.type == EventType::kResolved) return counted;
  return absl::StrCat(counted, " (", absl::StrJoin(causes, ", "), ")");
}

// ` Down: a, b and 118 more.`; empty when none is named.
std::string Listed(const Message& message, const Words& words) {
  std::vector<std::string> names;
  for (const EventFacts& event : message.events) {
    if (event.type == words.type) names.push_back(ShortName(event.monitor.name));
  }
  if (names.empty()) return "";
  const int64_t hidden = CountOf(*message.digest, words.type) - static_cast<int64_t>(names.size());
  return absl::StrCat(" ", words.listed, ": ", absl::StrJoin(names, ", "),
                      hidden > 0 ? absl::StrCat(" and ", hidden, " more") : "", ".");
}

}  // namespace

std::string DigestSummary(const Message& message) {
  const DigestFacts& digest = *message.digest;
  int64_t total = 0;
  std::vector<std::string> counted;
  for (const Words& words : kTypes) {
    const int64_t events = CountOf(digest, words.type);
    total += events;
    if (events > 0) counted.push_back(Counted(digest, words));
  }
  std::string summary =
      absl::StrCat("DIGEST ", PlainText(LastPart(digest.project), 128), ": ", Count(total, "alert"),
                   " in one message: ", absl::StrJoin(counted, ", "), ".");
  for (const Words& words : kTypes) absl::StrAppend(&summary, Listed(message, words));
  if (!digest.url.empty()) {
    absl::StrAppend(&summary, " Open incidents: ", PlainText(digest.url, kUrlBytes));
  }
  return summary;
}

}  // namespace tocsin::notifier
