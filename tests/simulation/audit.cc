// Holds what is stored and what was sent against the promises, when all is over.
#include "tests/simulation/audit.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/scenarios/world.h"

namespace tocsin::core::simulation {
namespace {

constexpr int kAll = 1'000'000;

}  // namespace

void Audit::Fault(const Twin& twin, const std::string& what) const {
  faults.push_back(absl::StrCat(twin.definition().id, ": ", what));
}

void Audit::Check(const Twin& twin, const std::set<uint64_t>& acknowledged, bool steady) const {
  CheckHeartbeats(twin, acknowledged);
  const std::vector<AlertEvent> events = CheckEvents(twin);
  CheckIncidents(twin, events);
  CheckEventDeliveries(twin, events);
  CheckOrder(twin);
  if (steady && !events.empty()) {
    Fault(twin, absl::StrCat("its job lived, and it was alerted: ", Story(twin, events)));
  }
}

// How an alarm came to be, for people.
std::string Audit::Story(const Twin& twin, const std::vector<AlertEvent>& events) const {
  const auto since = [](absl::Time at) {
    return absl::FormatDuration(at - scenarios::Beginning());
  };
  const Schedule& schedule = twin.definition().schedule;
  std::string story = absl::StrCat("timeout ", absl::FormatDuration(schedule.timeout), " interval ",
                                   absl::FormatDuration(schedule.recommended_interval), " grace ",
                                   absl::FormatDuration(schedule.grace));
  for (const AlertEvent& event : events) {
    absl::StrAppend(&story, "; ", EventWords(event.incident), " at ", since(event.occurred_at),
                    " noticed at ", since(event.detected_at));
    if (event.last_heartbeat) {
      absl::StrAppend(&story, ", last heartbeat ", since(event.last_heartbeat->at));
    }
  }
  const GapList gaps = *store.ReadGaps(absl::InfinitePast());
  for (const Gap& gap : gaps) {
    absl::StrAppend(&story, "; gap from ", since(gap.start), " to ", since(gap.end));
  }
  return story;
}

// Acknowledged means stored, exactly once; what nobody acknowledged, at most once.
void Audit::CheckHeartbeats(const Twin& twin, const std::set<uint64_t>& acknowledged) const {
  HeartbeatQuery query;
  query.monitor = twin.definition().key;
  query.limit = kAll;
  const std::vector<StoredHeartbeat> heartbeats = *store.ListHeartbeats(query);
  std::map<uint64_t, int> times;
  for (const StoredHeartbeat& stored : heartbeats) ++times[stored.heartbeat.push_id];
  for (const auto& [push_id, count] : times) {
    if (count > 1) Fault(twin, absl::StrCat("push ", push_id, " is stored ", count, " times"));
  }
  for (const uint64_t push_id : acknowledged) {
    if (!times.contains(push_id)) {
      Fault(twin, absl::StrCat("push ", push_id, " was acknowledged and is not stored"));
    }
  }
}

// The sequence has no holes, and is what the twin expects.
std::vector<AlertEvent> Audit::CheckEvents(const Twin& twin) const {
  std::vector<AlertEvent> events;
  std::vector<std::string> words;
  while (*store.SequenceFeed(1000) > 0) {
  }
  const std::vector<FeedEntry> feed = *store.ReadFeed(0, 0, INT64_MAX, kAll);
  for (const FeedEntry& entry : feed) {
    if (entry.event.monitor != twin.definition().key) continue;
    events.push_back(entry.event);
    words.push_back(entry.event.type == EventType::kReminder ? "REMINDER"
                    : entry.event.type == EventType::kFiring ? "FIRING"
                                                             : EventWords(entry.event.incident));
  }
  if (words != twin.events()) {
    Fault(twin, absl::StrCat("the events are ", absl::StrJoin(words, " "), ", expected ",
                             absl::StrJoin(twin.events(), " ")));
  }
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i].sequence != static_cast<int64_t>(i) + 1) {
      Fault(twin, absl::StrCat("event ", i + 1, " has the sequence ", events[i].sequence));
    }
  }
  return events;
}

void Audit::CheckIncidents(const Twin& twin, const std::vector<AlertEvent>& events) const {
  IncidentQuery query;
  query.project = twin.definition().project;
  query.monitor = twin.definition().key;
  query.limit = kAll;
  std::vector<IncidentView> incidents = *store.ListIncidents(query);
  std::reverse(incidents.begin(), incidents.end());
  size_t next = 0;
  // Whether the next event of them all is this.
  const auto is_next = [&](const Incident& incident, EventType type) {
    if (next == events.size() || events[next].type != type) return false;
    if (events[next].incident.key != incident.key) return false;
    ++next;
    return true;
  };
  for (const IncidentView& view : incidents) {
    const Incident& incident = view.incident;
    const bool closed = incident.closed_at.has_value();
    const bool flaps = twin.state().flapping_since.has_value();
    if ((closed || flaps) && incident.held_until.has_value()) continue;
    if (!is_next(incident, EventType::kFiring)) {
      Fault(twin, absl::StrCat("incident ", incident.key, " was not told"));
    } else if (events[next - 1].occurred_at != incident.opened_at) {
      Fault(twin, absl::StrCat("event ", next, " does not say when it began"));
    }
    while (is_next(incident, EventType::kReminder)) {
    }
    const bool untold = twin.state().untold_end.has_value() && next == events.size();
    if (closed && !untold && !is_next(incident, EventType::kResolved)) {
      Fault(twin, absl::StrCat("the alarm of incident ", incident.key, " never ends"));
    }
    if (!closed && twin.state().state != State::kDown) {
      Fault(twin, absl::StrCat("incident ", incident.key, " is open"));
    }
  }
  if (next != events.size()) {
    Fault(twin, absl::StrCat("event ", next + 1, " is of no incident, or told again"));
  }
}

std::vector<Delivery> Audit::Deliveries() const {
  DeliveryQuery query;
  query.project = **store.FindProject("default");
  query.limit = kAll;
  std::vector<Delivery> deliveries;
  const std::vector<DeliveryView> views = *store.ListDeliveries(query);
  for (const DeliveryView& view : views) deliveries.push_back(view.delivery);
  return deliveries;
}

// Each event is in one delivery for each channel, but for alarms that were wrong and that nobody
// had heard of (those are withdrawn with their end), and for what was left out where too much
// waited: that is counted in the message after it. A reminder may be superseded by what is newer.
void Audit::CheckEventDeliveries(const Twin& twin, const std::vector<AlertEvent>& events) const {
  ChannelQuery query;
  query.project = twin.definition().project;
  const std::vector<ChannelKey> channels = Route(twin.definition(), *store.ListChannels(query));
  std::map<std::pair<EventKey, ChannelKey>, int> told, withdrawn;
  std::map<ChannelKey, int> skipped, left_out, wrong;
  for (const Delivery& delivery : Deliveries()) {
    // What a digest tells has deliveries of its own.
    if (delivery.type == DeliveryType::kDigest) continue;
    const bool superseded = delivery.state == DeliveryState::kSuperseded;
    if (!superseded && delivery.monitor == twin.definition().key) {
      skipped[delivery.channel] += delivery.skipped;
    }
    for (const EventKey event : delivery.events) {
      ++(superseded ? withdrawn : told)[{event, delivery.channel}];
    }
  }
  // What happens to an alarm in the end, and its FIRING.
  std::map<IncidentKey, std::pair<EventKey, std::optional<Resolution>>> ends;
  for (const AlertEvent& event : events) {
    auto& [firing, resolution] = ends[event.incident.key];
    if (event.type == EventType::kFiring) firing = event.key;
    resolution = event.incident.resolution;
  }
  for (size_t i = 0; i < events.size(); ++i) {
    const auto& [firing, resolution] = ends[events[i].incident.key];
    const bool was_wrong = resolution == Resolution::kLateHeartbeat;
    for (const ChannelKey channel : channels) {
      const int count = told[{events[i].key, channel}];
      if (count == 1) continue;
      if (count == 0 && was_wrong && withdrawn[{firing, channel}] == 1) {
        ++wrong[channel];
        continue;
      }
      const bool reminds = events[i].type == EventType::kReminder;
      if (count == 0 && reminds && i + 1 < events.size() &&
          withdrawn[{events[i].key, channel}] == 1) {
        continue;
      }
      if (count == 0 && withdrawn[{events[i].key, channel}] > 0) {
        ++left_out[channel];
        continue;
      }
      Fault(twin,
            absl::StrCat("event ", i + 1, " has ", count, " deliveries to channel ", channel));
    }
  }
  for (const ChannelKey channel : channels) {
    const int told_skipped = skipped[channel];
    if (told_skipped >= left_out[channel] && told_skipped <= left_out[channel] + wrong[channel]) {
      continue;
    }
    Fault(twin, absl::StrCat(left_out[channel], " events were left out for channel ", channel,
                             ", which was told of ", told_skipped));
  }
}

void Audit::CheckOrder(const Twin& twin) const {
  for (const auto& [key, sequences] : arrivals.sequences) {
    if (key.first != twin.definition().key) continue;
    if (std::is_sorted(sequences.begin(), sequences.end())) continue;
    Fault(twin, absl::StrCat("events arrived in the order ", absl::StrJoin(sequences, " ")));
  }
}

void Audit::CheckDeliveries() const {
  for (const Delivery& delivery : Deliveries()) {
    if (delivery.state == DeliveryState::kSuperseded) continue;
    // What a digest tells arrives with it.
    const std::string& message = delivery.told_by.empty() ? delivery.id : delivery.told_by;
    if (delivery.state == DeliveryState::kDelivered && arrivals.deliveries.contains(message)) {
      continue;
    }
    faults.push_back(absl::StrCat("delivery ", delivery.id, " of monitor ", delivery.monitor,
                                  " never arrived; its state is ",
                                  static_cast<int>(delivery.state)));
  }
}

}  // namespace tocsin::core::simulation
