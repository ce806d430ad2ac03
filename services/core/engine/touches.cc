// What touches say: when Tocsin could receive heartbeats, and when not.
#include "services/core/engine/touches.h"

#include <algorithm>
#include <string>

namespace tocsin::core {
namespace {

// An instance whose touch is older was perhaps killed when it had gateways: two of its touches did
// not come.
constexpr absl::Duration kTouchIsNews = absl::Seconds(1);

const Touch* FindTouch(const std::vector<Touch>& touches, const std::string& instance) {
  const auto found = std::find_if(touches.begin(), touches.end(),
                                  [&](const Touch& touch) { return touch.instance == instance; });
  return found == touches.end() ? nullptr : &*found;
}

std::optional<Gap> JudgeGateways(const std::vector<Touch>& touches, const Touch& mine,
                                 const std::optional<GatewayReturn>& returned,
                                 absl::Duration blind_after) {
  const absl::Time seen = GatewaySeen(touches);
  if (seen == absl::InfinitePast()) return std::nullopt;
  if (mine.gateway_seen_at - seen > blind_after) {
    return Gap{.kind = GapKind::kGateway, .start = seen, .end = mine.gateway_seen_at};
  }
  if (!returned.has_value()) return std::nullopt;
  const bool others_had_one = std::any_of(touches.begin(), touches.end(), [&](const Touch& touch) {
    // One that is frozen has its connection, and is heard by nobody.
    return touch.instance != mine.instance && touch.gateways > 0 &&
           touch.at >= returned->at - kTouchIsNews &&
           touch.gateway_seen_at >= returned->at - kTouchIsNews - blind_after;
  });
  const absl::Time start = std::max(seen, returned->silent_from);
  if (others_had_one || start >= returned->at) return std::nullopt;
  return Gap{.kind = GapKind::kGateway, .start = start, .end = returned->at};
}

}  // namespace

absl::Time NewestTouch(const std::vector<Touch>& touches) {
  absl::Time newest = absl::InfinitePast();
  for (const Touch& touch : touches) newest = std::max(newest, touch.at);
  return newest;
}

absl::Time GatewaySeen(const std::vector<Touch>& touches) {
  absl::Time seen = absl::InfinitePast();
  for (const Touch& touch : touches) seen = std::max(seen, touch.gateway_seen_at);
  return seen;
}

std::optional<absl::Time> LongSilence(const std::vector<Touch>& touches, const GapList& gaps,
                                      absl::Time touching_since, absl::Time now,
                                      absl::Duration blind_after) {
  const absl::Time heard = GatewaySeen(touches);
  if (heard == absl::InfinitePast() || NewestTouch(touches) < now - blind_after) {
    return std::nullopt;
  }
  absl::Time silent_from = std::max(heard, touching_since);
  for (const Gap& gap : gaps) {
    if (gap.kind == GapKind::kCore) silent_from = std::max(silent_from, gap.end);
  }
  if (now - silent_from < kSilenceToldAfter) return std::nullopt;
  return heard;
}

std::vector<Gap> JudgeTouches(const std::vector<Touch>& touches, const Touch& mine,
                              const std::optional<GatewayReturn>& returned,
                              absl::Duration blind_after) {
  std::vector<Gap> gaps;
  if (touches.empty()) return gaps;
  const absl::Time newest = NewestTouch(touches);
  if (mine.at - newest > blind_after) {
    gaps.push_back({.kind = GapKind::kCore, .start = newest, .end = mine.at});
  }
  const std::optional<Gap> silence = JudgeGateways(touches, mine, returned, blind_after);
  // Gateways that were heard until there was no core to hear them are no outage beside that one.
  const bool is_told = !gaps.empty() && silence.has_value() &&
                       silence->start >= gaps.front().start - blind_after &&
                       silence->end <= gaps.front().end;
  if (silence.has_value() && !is_told) gaps.push_back(*silence);
  return gaps;
}

std::optional<Gap> JudgeFailover(const std::vector<Touch>& touches, const Touch& mine,
                                 absl::Time committed) {
  if (committed == absl::InfinitePast()) return std::nullopt;
  const Touch* own = FindTouch(touches, mine.instance);
  if (own != nullptr && own->at >= committed) return std::nullopt;
  // Others forget by their clocks.
  constexpr absl::Duration kSkew = absl::Minutes(1);
  if (own == nullptr && mine.at - committed >= kTouchesKept - kSkew) return std::nullopt;
  absl::Time start = committed;
  if (own != nullptr) {
    start = own->at;
  } else if (!touches.empty()) {
    start = std::min(start, NewestTouch(touches));
  }
  if (start >= mine.at) return std::nullopt;
  return Gap{.kind = GapKind::kCore, .start = start, .end = mine.at};
}

}  // namespace tocsin::core
