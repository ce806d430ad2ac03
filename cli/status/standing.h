// How the monitors of a project stand, as somebody wants to know it who was woken. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tocsin/v1/incident.pb.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {

// What may be wrong with a monitor, the gravest first. A monitor has the first one that is true.
// kSilenced is not wrong in itself: it is muted, or a maintenance is open.
enum class Trouble { kDown, kLate, kNeverReported, kFlapping, kUnverified, kSilenced };
inline constexpr std::array<Trouble, 6> kTroubles = {Trouble::kDown,          Trouble::kLate,
                                                     Trouble::kNeverReported, Trouble::kFlapping,
                                                     Trouble::kUnverified,    Trouble::kSilenced};

// "never_reported", for programs.
absl::string_view WordOf(Trouble trouble);

// Nothing for a monitor that is well, is paused, or is new and within its schedule.
std::optional<Trouble> TroubleOf(const v1::Monitor& monitor);

struct Count {
  int64_t number = 0;
  bool more = false;  // not all were read: there may be more
};

struct Problem {
  Trouble trouble = Trouble::kDown;
  v1::Monitor monitor;
  std::optional<v1::Incident> incident = std::nullopt;  // of one that is down, where it was read

  // When it began; nothing where nobody knows.
  std::optional<absl::Time> Since() const;
};

// One thread at a time.
class Standing {
 public:
  void Add(const v1::Monitor& monitor);
  // There may be more monitors of this state.
  void AddUnread(v1::Monitor::State state);
  // By trouble, then by severity, then the newest first.
  void Sort();

  std::vector<Problem>& problems() { return problems_; }
  const std::vector<Problem>& problems() const { return problems_; }
  const Count& Of(Trouble trouble) const { return troubles_[static_cast<size_t>(trouble)]; }
  // Those without trouble.
  const Count& up() const { return up_; }
  const Count& fresh() const { return fresh_; }
  const Count& paused() const { return paused_; }

  // Nobody has made a monitor.
  bool empty() const;
  // Something is down, or never reported: somebody is to look.
  bool Wrong() const;

 private:
  Count& OfTrouble(Trouble trouble) { return troubles_[static_cast<size_t>(trouble)]; }

  std::vector<Problem> problems_;
  std::array<Count, kTroubles.size()> troubles_;
  Count up_, fresh_, paused_;
};

}  // namespace tocsin::cli
