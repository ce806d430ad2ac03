// A deadline that passed and that no alert tells of.
#include "services/core/domain/passed_deadline.h"

#include "absl/strings/str_cat.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

constexpr size_t kMaxSettingsBytes = 300;

// Whether the decision was about a deadline, and no event is written for it.
bool IsUntold(const Decision& decision) {
  switch (decision.reason) {
    case Reason::kCounted:
    case Reason::kExcused:
    case Reason::kStillDown:
      return true;
    case Reason::kMissed:
    case Reason::kRunOverran:
      return decision.opened.has_value() && decision.opened->held_until.has_value();
    default:
      return false;
  }
}

}  // namespace

std::string SettingsText(const MonitorDefinition& definition) {
  const Schedule& schedule = definition.schedule;
  std::string text = schedule.cron.has_value()
                         ? absl::StrCat("cron ", schedule.cron->expression.text(), " in ",
                                        schedule.cron->zone.name())
                         : absl::StrCat("every ", absl::FormatDuration(schedule.timeout));
  absl::StrAppend(&text, ", grace ", absl::FormatDuration(schedule.grace));
  if (definition.max_run_duration > absl::ZeroDuration()) {
    absl::StrAppend(&text, ", runs at most ", absl::FormatDuration(definition.max_run_duration));
  }
  if (definition.failure_threshold > 1) {
    absl::StrAppend(&text, ", ", definition.failure_threshold, " failures in a row");
  }
  return CleanText(text, kMaxSettingsBytes);
}

std::optional<PassedDeadline> PassedUntold(const MonitorDefinition& definition,
                                           const Deadline& deadline, const Decision& decision,
                                           absl::Time now) {
  if (!IsUntold(decision)) return std::nullopt;
  PassedDeadline passed;
  passed.monitor = definition.key;
  passed.at = deadline.at;
  passed.plain = deadline.plain;
  passed.expected_at = deadline.expected_at;
  passed.judged_at = now;
  passed.reason = decision.reason;
  passed.failures = decision.next.failures;
  passed.threshold = definition.failure_threshold;
  passed.run_id = deadline.run_id;
  if (decision.opened.has_value()) passed.held_until = decision.opened->held_until;
  passed.settings = SettingsText(definition);
  return passed;
}

}  // namespace tocsin::core
