// How the monitors of a project stand.
#include "cli/status/standing.h"

#include <algorithm>
#include <tuple>

#include "cli/values.h"

namespace tocsin::cli {
namespace {

// Unspecified means error.
int Gravity(v1::Monitor::Severity severity) {
  return severity == v1::Monitor::SEVERITY_UNSPECIFIED ? v1::Monitor::SEVERITY_ERROR : severity;
}

std::optional<absl::Time> Known(bool known, const google::protobuf::Timestamp& time) {
  return known ? std::optional<absl::Time>(TimeOf(time)) : std::nullopt;
}

}  // namespace

absl::string_view WordOf(Trouble trouble) {
  constexpr std::array<absl::string_view, kTroubles.size()> kWords = {
      "down", "late", "never_reported", "flapping", "unverified", "silenced"};
  return kWords[static_cast<size_t>(trouble)];
}

std::optional<Trouble> TroubleOf(const v1::Monitor& monitor) {
  if (monitor.state() == v1::Monitor::STATE_DOWN) return Trouble::kDown;
  if (monitor.state() == v1::Monitor::STATE_PAUSED) return std::nullopt;
  if (monitor.condition() == v1::Monitor::CONDITION_LATE) return Trouble::kLate;
  if (monitor.condition() == v1::Monitor::CONDITION_NEVER_REPORTED) return Trouble::kNeverReported;
  if (monitor.flapping()) return Trouble::kFlapping;
  if (monitor.unverified()) return Trouble::kUnverified;
  if (monitor.has_mute_expire_time() || monitor.in_maintenance()) return Trouble::kSilenced;
  return std::nullopt;
}

std::optional<absl::Time> Problem::Since() const {
  switch (trouble) {
    case Trouble::kDown:
      if (incident.has_value()) return TimeOf(incident->open_time());
      return Known(monitor.has_state_change_time(), monitor.state_change_time());
    case Trouble::kLate:
      return Known(monitor.has_expect_time(), monitor.expect_time());
    case Trouble::kNeverReported:
      return Known(monitor.has_create_time(), monitor.create_time());
    case Trouble::kFlapping:
    case Trouble::kUnverified:
    case Trouble::kSilenced:
      break;
  }
  return std::nullopt;
}

void Standing::Add(const v1::Monitor& monitor) {
  if (const std::optional<Trouble> trouble = TroubleOf(monitor)) {
    ++OfTrouble(*trouble).number;
    problems_.push_back({.trouble = *trouble, .monitor = monitor});
  } else if (monitor.state() == v1::Monitor::STATE_PAUSED) {
    ++paused_.number;
  } else {
    ++(monitor.state() == v1::Monitor::STATE_NEW ? fresh_ : up_).number;
  }
}

void Standing::AddUnread(v1::Monitor::State state) {
  switch (state) {
    case v1::Monitor::STATE_DOWN:
      OfTrouble(Trouble::kDown).more = true;
      break;
    case v1::Monitor::STATE_NEW:
      fresh_.more = true;
      OfTrouble(Trouble::kNeverReported).more = true;
      OfTrouble(Trouble::kSilenced).more = true;
      break;
    case v1::Monitor::STATE_PAUSED:
      paused_.more = true;
      break;
    default:
      up_.more = true;
      for (const Trouble trouble :
           {Trouble::kLate, Trouble::kFlapping, Trouble::kUnverified, Trouble::kSilenced}) {
        OfTrouble(trouble).more = true;
      }
  }
}

void Standing::Sort() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::tuple(a.trouble, Gravity(a.monitor.severity()),
                      b.monitor.state_change_time().seconds()) <
           std::tuple(b.trouble, Gravity(b.monitor.severity()),
                      a.monitor.state_change_time().seconds());
  });
}

bool Standing::empty() const {
  return problems_.empty() && up_.number + fresh_.number + paused_.number == 0;
}

bool Standing::Wrong() const {
  return Of(Trouble::kDown).number > 0 || Of(Trouble::kNeverReported).number > 0;
}

}  // namespace tocsin::cli
