// Which headers a channel may have, and which of them stay when it changes.
#include "services/core/domain/channel_headers.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/any_string_view.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

// What a message says itself, and what belongs to a connection rather than to what is sent over it.
constexpr std::array<absl::string_view, 11> kReserved = {"connection",
                                                         "content-encoding",
                                                         "content-length",
                                                         "content-type",
                                                         "expect",
                                                         "host",
                                                         "keep-alive",
                                                         "te",
                                                         "transfer-encoding",
                                                         "trailer",
                                                         "upgrade"};
constexpr std::array<absl::string_view, 3> kReservedPrefixes = {"proxy-", "tocsin-", "webhook-"};

constexpr size_t kMaxShownHostBytes = 256;

bool IsTokenCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::StrContains("!#$%&'*+-.^_`|~", c);
}

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= kMaxHeaderNameBytes &&
         std::all_of(name.begin(), name.end(), IsTokenCharacter);
}

bool IsReserved(const std::string& lower) {
  return std::find(kReserved.begin(), kReserved.end(), lower) != kReserved.end() ||
         std::any_of(kReservedPrefixes.begin(), kReservedPrefixes.end(),
                     [&](absl::string_view prefix) { return absl::StartsWith(lower, prefix); });
}

// What is wrong with a value, without repeating it; empty when nothing is.
std::string ValueFault(const std::string& value) {
  if (value == kMaskedHeader) return "*** is what reads show, and the channel has no such header";
  if (value.empty()) return "its value is empty";
  if (value.size() > kMaxHeaderValueBytes) {
    return absl::StrCat("its value has ", value.size(), " bytes");
  }
  if (!std::all_of(value.begin(), value.end(), absl::ascii_isprint)) {
    return "its value has a line break or another character that is not of printable ASCII";
  }
  if (value.front() == ' ' || value.back() == ' ') return "its value begins or ends with a space";
  return "";
}

std::string NameOf(const ChannelHeaders& headers, const std::string& name) {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& header) {
    return absl::EqualsIgnoreCase(header.first, name);
  });
  return found == headers.end() ? "" : found->first;
}

}  // namespace

ChannelHeaders MaskHeaders(const ChannelHeaders& headers) {
  ChannelHeaders masked;
  for (const auto& [name, value] : headers) masked.emplace(name, kMaskedHeader);
  return masked;
}

void ValidateHeaders(const ChannelHeaders& headers, std::string_view field, FieldFaults& faults) {
  if (headers.size() > kMaxChannelHeaders) {
    faults.Add(field, absl::StrCat("there are ", headers.size()),
               absl::StrCat("at most ", kMaxChannelHeaders));
    return;
  }
  std::set<std::string> seen;
  for (const auto& [name, value] : headers) {
    // What is no name may be a value that somebody wrote in its place.
    if (!IsName(name)) {
      faults.Add(field, "one of the names is none of a header",
                 absl::StrCat("1 to ", kMaxHeaderNameBytes,
                              " letters, digits and hyphens, e.g. Authorization"));
      continue;
    }
    const std::string path = absl::StrCat(AnyStringView(field).absl(), ".", name);
    // Receivers that take headers for variables of an environment read an underscore so.
    const std::string lower = absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", "-"}});
    const std::string fault = ValueFault(value);
    if (IsReserved(lower)) {
      faults.Add(path, "messages, or the connections that they go over, have it themselves",
                 "another name, not beginning with proxy-, tocsin- or webhook-");
    } else if (!seen.insert(lower).second) {
      faults.Add(path, "it comes twice, and case makes no difference", "each name once");
    } else if (!fault.empty()) {
      faults.Add(path, fault,
                 absl::StrCat("1 to ", kMaxHeaderValueBytes,
                              " printable characters of ASCII, no space at either end"));
    }
  }
}

absl::Status KeepHeaders(const Channel& stored, bool given, Channel& updated) {
  std::vector<std::string> kept;
  if (given) {
    for (auto& [name, value] : updated.headers) {
      if (value != kMaskedHeader) continue;
      const std::string known = NameOf(stored.headers, name);
      if (!known.empty()) value = stored.headers.at(known);
      if (!known.empty() || stored.headers_closed) kept.push_back(name);
    }
  } else {
    for (const auto& [name, value] : stored.headers) kept.push_back(name);
  }
  // None may be what was read, of a core that does not know them.
  const bool keeps_closed =
      stored.headers_closed && (!given || !kept.empty() || updated.headers.empty());
  updated.headers_closed = keeps_closed;
  if (keeps_closed && (given || updated.url != stored.url)) {
    return absl::UnavailableError(
        "this core lacks the key that the channel's headers are sealed with; another may have it");
  }
  const std::string before = MaskUrl(stored.url), after = MaskUrl(updated.url);
  // What is no URL is a fault of its own.
  if (kept.empty() || before == after || after.empty()) return absl::OkStatus();
  return InvalidField(
      "channel.headers",
      absl::StrCat("the values of ", absl::StrJoin(kept, ", "), " were given for ", before,
                   " and would be sent to ", CleanText(after, kMaxShownHostBytes)),
      "their values once more, or none of them");
}

}  // namespace tocsin::core
