// Ids of monitors, and the names of other monitors that become ids. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tocsin::gateway {

// As core has it: 1 to 63 of a-z, 0-9 and "-", beginning with a letter or digit.
bool IsMonitorId(std::string_view id);

// The id of the monitor that another monitor knows by `name`: A to Z become lower case; "_", "."
// and a space become "-"; "-" in front of it all is left out (Gatus' key of an endpoint without a
// group begins with "_"). Nothing when that is no id. Names that differ only in this are one
// monitor.
std::optional<std::string> MonitorIdOf(std::string_view name);

}  // namespace tocsin::gateway
