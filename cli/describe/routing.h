// Who is told of a monitor, and what keeps it from being told: as core decides it. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tocsin/v1/channel.pb.h"
#include "tocsin/v1/maintenance.pb.h"
#include "tocsin/v1/monitor.pb.h"
#include "tocsin/v1/mute.pb.h"

namespace tocsin::cli {

// Whether every term of `selector` ("team=payments,severity=critical") is true of the monitor;
// `severity` and `owner` are its fields or labels of that name. A selector without terms: false.
bool Selects(absl::string_view selector, const v1::Monitor& monitor);

// A channel, and why it gets the alerts of the monitor.
struct Told {
  v1::Channel channel;
  std::string why;  // "named by the monitor", "its selector team=payments", "a default channel"
};

// Those that get the alerts: which the monitor names, or whose selector matches it; when none of
// these is enabled, the default ones. Disabled channels are left out.
std::vector<Told> WhoIsTold(const v1::Monitor& monitor, const std::vector<v1::Channel>& channels);

// Whether the mute or maintenance is about the monitor, open or not.
bool IsAbout(const v1::Mute& mute, const v1::Monitor& monitor);
bool IsAbout(const v1::Maintenance& maintenance, const v1::Monitor& monitor);

}  // namespace tocsin::cli
