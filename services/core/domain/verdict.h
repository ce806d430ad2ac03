// Why a monitor rang, or why it did not, in plain sentences.
#pragma once

#include <string>
#include <vector>

#include "services/core/domain/evidence.h"

namespace tocsin::core {

enum class VerdictAnswer {
  kRang,          // it failed, and somebody was told
  kHeldBack,      // it failed in a maintenance, while muted or flapping, and nobody was told
  kNotDelivered,  // it failed, and no channel has heard of it
  kQuiet,         // it is watched and had not failed
  kNotWatched,    // paused, deleted, or never pushed and not armed
  kUnknown,       // too little is kept of that time
};

struct Verdict {
  VerdictAnswer answer = VerdictAnswer::kQuiet;
  // One word for programs. kRang: the cause (CauseName). kHeldBack: maintenance, muted, flapping.
  // kNotDelivered: no_channel, channels_disabled, pending, dead, withdrawn. kQuiet: in_time,
  // in_grace, postponed, excused, below_threshold, not_judged, running. kNotWatched: paused,
  // deleted, never_pushed, not_made. kUnknown: not_kept.
  std::string reason;
  std::vector<std::string> sentences;  // the most important first; times in UTC
};

// Pure. With an outage it is about that; one that is over is followed by how things stood after it.
Verdict Explain(const Evidence& evidence);

}  // namespace tocsin::core
