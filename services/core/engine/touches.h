// What touches say: when Tocsin could receive heartbeats, and when not. Pure.
#pragma once

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/store/records.h"

namespace tocsin::core {

// When anybody last touched; InfinitePast: never.
absl::Time NewestTouch(const std::vector<Touch>& touches);

// When a gateway was last heard by anybody; InfinitePast: never.
absl::Time GatewaySeen(const std::vector<Touch>& touches);

// A gateway connected where none was.
struct GatewayReturn {
  absl::Time silent_from = absl::InfinitePast();  // when this replica had last heard one
  absl::Time at;
};

// What a touch that is about to be written says about the time since the others.
//   touches   the committed ones, of all instances, this one's last included
//   mine      the new one; its gateway_seen_at is what this replica heard itself
//   returned  a gateway came to this replica, which had none, since its last touch
// A kCore gap when the newest committed touch is more than `blind_after` older than `mine`; none
// at the very first touch. A kGateway gap when a gateway is heard after more than `blind_after` in
// which nobody heard one (it may have been frozen, or out of reach, with its connection open), and,
// however short, when one returned while no other instance had one that it heard, as far as those
// say that touched in the second before. None before a gateway was heard for the first time ever.
std::vector<Gap> JudgeTouches(const std::vector<Touch>& touches, const Touch& mine,
                              const std::optional<GatewayReturn>& returned,
                              absl::Duration blind_after);

// People are told of a silence of all gateways that lasts for so long.
inline constexpr absl::Duration kSilenceToldAfter = absl::Minutes(5);

// Since when no gateway is heard by anybody, if that is to be told: Tocsin itself could receive for
// all of kSilenceToldAfter, as the touches and the gaps say, `touching_since` this replica's first
// own touch was committed, and a gateway was heard before. nullopt otherwise.
std::optional<absl::Time> LongSilence(const std::vector<Touch>& touches, const GapList& gaps,
                                      absl::Time touching_since, absl::Time now,
                                      absl::Duration blind_after);

// An instance that did not touch for so long is forgotten.
inline constexpr absl::Duration kTouchesKept = absl::Hours(24);

// The time whose transactions a failover may have lost: an own touch was committed at `committed`
// (InfinitePast: none was), and the database does not show it, though it is too young to have been
// forgotten.
std::optional<Gap> JudgeFailover(const std::vector<Touch>& touches, const Touch& mine,
                                 absl::Time committed);

}  // namespace tocsin::core
