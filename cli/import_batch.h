// What an export of another monitor becomes: monitors of ours with the credentials that their
// clients have, and what is not as it was. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {

inline constexpr size_t kMaxIdBytes = 63;
// Of one export. Each costs some kilobytes of memory and a call.
inline constexpr size_t kMaxImported = 100'000;

// One entry of the export.
struct ImportedMonitor {
  std::string place = "";               // in the export, e.g. "checks[3]"
  std::string name = "";                // what people call it there; may be empty
  std::string id = "";                  // here; empty for what is refused or skipped
  v1::Monitor monitor = {};             // without name and output fields
  std::string push_token_sha256 = "";   // of what its clients send, in hexadecimal
  bool paused = false;                  // it is to be paused once it is made
  bool in_use = false;                  // it would alert there if its client fell silent
  std::vector<std::string> notes = {};  // what is not as it was, each a sentence without its stop
  std::string refusal = "";             // why it cannot be imported; empty when it can
  std::string skipped = "";             // why it is nothing that we watch; empty when it is
};

// Collects the entries of an export in their order: gives them ids and refuses push URLs that come
// twice. The same export gives the same ids.
class ImportBatch {
 public:
  // `id_source` is the name or slug that the id is made of; `token` what the client sends as its
  // credential. An entry that is refused or skipped needs neither.
  void Add(ImportedMonitor entry, absl::string_view id_source, absl::string_view token);
  // The same of one whose clients send nothing yet. `fallback` is its id when nothing is left of
  // `id_source`. A note says so when others have that id.
  void AddWithoutToken(ImportedMonitor entry, absl::string_view id_source,
                       absl::string_view fallback);

  std::vector<ImportedMonitor> Take() { return std::move(entries_); }

 private:
  std::string UniqueId(absl::string_view id_source, absl::string_view fallback);

  std::vector<ImportedMonitor> entries_;
  std::set<std::string> ids_;
  std::map<std::string, std::string> places_;  // of the hashes of push tokens
};

// The id for `name`. While the gateway knows its characters, what that makes of a name in a URL
// (see docs/compatibility.md), so that URLs by name reach it; otherwise what is no letter or digit
// of ASCII becomes "-", one for a run of them and none at the ends. At most kMaxIdBytes; empty when
// nothing is left.
std::string IdOfName(absl::string_view name);

// `text`, or its beginning when it has more than `max_bytes`; then a note says so. Never cuts a
// character.
std::string Bounded(absl::string_view text, size_t max_bytes, absl::string_view what,
                    std::vector<std::string>& notes);

// Adds a tag to the labels: KEY=VALUE, or tag.KEY=true without a value. A to Z become lower case,
// and characters that keys of labels cannot have become "-"; then a note says so, and without a
// value it is the tag itself. What has no place in the labels becomes a note.
void AddTag(absl::string_view key, absl::string_view value, ImportedMonitor& entry);

// For whole milliseconds.
google::protobuf::Duration DurationProto(absl::Duration duration);

}  // namespace tocsin::cli
