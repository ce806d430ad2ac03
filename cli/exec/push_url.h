// The push URL that `tocsin exec` reports to. A secret.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tocsin::cli {

class PushUrl {
 public:
  // An http or https URL whose path ends with /api/push/<token> or /api/push/<push key>/<monitor>;
  // a query stays with it. INVALID_ARGUMENT with what is wrong, which never quotes it.
  static absl::StatusOr<PushUrl> Parse(absl::string_view text);

  // That of one monitor of a push key's project, for a URL that ends with /api/push/<push key>.
  // INVALID_ARGUMENT when it names a monitor already.
  absl::StatusOr<PushUrl> Of(absl::string_view monitor) const;
  // With `query`, encoded, in front of its own: of a repeated parameter the first counts.
  std::string With(absl::string_view query) const;
  // Whether `text` has a part of the URL in it that must not be shown.
  bool IsIn(absl::string_view text) const;

 private:
  std::string path_;    // from the scheme on
  std::string query_;   // its own; empty without
  std::string secret_;  // the token or push key
  bool names_monitor_ = false;
};

// Where the URL comes from: `file` (of the flag), else TOCSIN_PUSH_URL, else the file that
// TOCSIN_PUSH_URL_FILE names. Of `monitor`, unless that is empty. INVALID_ARGUMENT, with the place,
// when there is none or it is none.
absl::StatusOr<PushUrl> FindPushUrl(const std::string& file, const std::string& monitor);

// Whether a word of a command line, which is no place for secrets, looks like a URL.
bool LooksLikeUrl(absl::string_view word);

// As it must be in a query.
std::string PercentEncoded(absl::string_view text);

}  // namespace tocsin::cli
