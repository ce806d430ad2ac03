// What adapters read requests with. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::gateway {

// The parts of a path, percent-decoded; a slash in front and one at the end are left out. A part
// that is empty stays, so that the caller can refuse it.
std::vector<std::string> PathParts(std::string_view path);

// Calls `see` with each parameter of a query or form, decoded, in order.
void ForEachParameter(
    std::string_view form,
    const std::function<void(const std::string& name, const std::string& value)>& see);
// The first parameter of that name, which may be empty; nothing when there is none.
std::optional<std::string> FindParameter(std::string_view form, std::string_view name);

// A UUID with its dashes, any case, in lower case.
std::optional<std::string> ReadUuid(std::string_view text);

// A finite number.
std::optional<double> ReadNumber(std::string_view text);
// Digits that say 0 to 255.
std::optional<int> ReadExitStatus(std::string_view text);
// One or more of 0 to 9.
bool IsDigits(std::string_view text);

}  // namespace tocsin::gateway
