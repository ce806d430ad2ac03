// How summaries say times, durations, names and what jobs said.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tocsin::notifier {

// "45 s", "2 m", "25 h 3 m", "3 d 4 h": the two largest units, cut, not rounded; hours up to two
// days. Below a second: "0 s". Negative durations read as zero.
std::string DurationWords(absl::Duration duration);

enum class Precision { kMinutes, kSeconds };

// "2026-02-27 02:04 UTC", "2026-02-27 03:04 Europe/Paris". Always with the date: nobody knows on
// which day it is read.
std::string TimeWords(absl::Time time, Precision precision,
                      const absl::TimeZone& zone = absl::UTCTimeZone());

// "2026-02-27 02:04 to 2026-02-27 03:04 UTC".
std::string SpanWords(absl::Time from, absl::Time to, Precision precision,
                      const absl::TimeZone& zone = absl::UTCTimeZone());

// `text` for a line of text: control characters, line and direction marks are escaped (`\n`,
// `\u202e`), so that what a job says cannot forge or hide a part of an alert. Invalid UTF-8
// becomes U+FFFD. Cut to `max_bytes` of output at a character, with "…" in place of the rest.
std::string PlainText(absl::string_view text, size_t max_bytes);

// As PlainText, in double quotes, with `"` and `\` escaped.
std::string Quoted(absl::string_view text, size_t max_bytes);

// The last line of `text` that is not blank, without blanks around it; empty when there is none.
absl::string_view LastLine(absl::string_view text);

// "1 monitor", "3 monitors".
std::string Count(int64_t n, absl::string_view noun);

// "nightly-backup" of the default project, "payments/nightly-backup" of another, for a resource
// name `projects/{project}/{collection}/{id}`.
std::string ShortName(absl::string_view resource_name);

}  // namespace tocsin::notifier
