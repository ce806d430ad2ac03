// The push URL that `tocsin exec` reports to. A secret.
#include "cli/exec/push_url.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/flags.h"

namespace tocsin::cli {
namespace {

constexpr absl::string_view kPush = "/api/push/";
constexpr size_t kMaxUrlBytes = 8192;
constexpr char kAccepted[] =
    "accepted: http(s)://HOST/api/push/TOKEN, or http(s)://HOST/api/push/PUSH-KEY/MONITOR";

absl::Status Refused(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(why, "; ", kAccepted));
}

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : std::string(absl::StripAsciiWhitespace(value));
}

absl::StatusOr<PushUrl> From(absl::string_view text, absl::string_view place,
                             absl::string_view monitor) {
  absl::StatusOr<PushUrl> url = PushUrl::Parse(text);
  if (url.ok() && !monitor.empty()) url = url->Of(monitor);
  if (url.ok()) return url;
  return absl::InvalidArgumentError(
      absl::StrCat("what is in ", place, " is no push URL: ", url.status().message()));
}

}  // namespace

absl::StatusOr<PushUrl> PushUrl::Parse(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > kMaxUrlBytes) return Refused("it is longer than 8,192 bytes");
  if (!std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isgraph(c); })) {
    return Refused("it has blanks, control characters or letters in it that a URL must encode");
  }
  const size_t scheme = text.find("://");
  const std::string name = absl::AsciiStrToLower(text.substr(0, std::min(scheme, text.size())));
  if (scheme == absl::string_view::npos || (name != "http" && name != "https")) {
    return Refused("it does not begin with http:// or https://");
  }
  text = text.substr(0, text.find('#'));
  PushUrl url;
  const size_t question = std::min(text.find('?'), text.size());
  url.path_ = std::string(absl::StripSuffix(text.substr(0, question), "/"));
  url.query_ = std::string(absl::StripPrefix(text.substr(question), "?"));
  const size_t host = scheme + 3;
  const size_t path = url.path_.find('/', host);
  if (path == host) return Refused("it names no host");
  // In any case, as the gateway takes it; the last one, since a proxy may have put a path before
  // it.
  const size_t push = absl::AsciiStrToLower(url.path_).rfind(std::string(kPush));
  if (path == std::string::npos || push == std::string::npos || push < path) {
    return Refused("its path has no /api/push/");
  }
  const std::vector<std::string> parts = absl::StrSplit(url.path_.substr(push + kPush.size()), '/');
  if (parts.size() > 2 || std::any_of(parts.begin(), parts.end(),
                                      [](const std::string& part) { return part.empty(); })) {
    return Refused("its path has the wrong number of parts after /api/push/");
  }
  url.secret_ = parts.front();
  url.names_monitor_ = parts.size() == 2;
  return url;
}

absl::StatusOr<PushUrl> PushUrl::Of(absl::string_view monitor) const {
  if (names_monitor_) {
    return absl::InvalidArgumentError(
        "it names a monitor already; with --monitor, accepted: http(s)://HOST/api/push/PUSH-KEY");
  }
  PushUrl url = *this;
  absl::StrAppend(&url.path_, "/", PercentEncoded(monitor));
  url.names_monitor_ = true;
  return url;
}

std::string PushUrl::With(absl::string_view query) const {
  return absl::StrCat(path_, "?", query, query_.empty() ? "" : "&", query_);
}

bool PushUrl::IsIn(absl::string_view text) const { return absl::StrContains(text, secret_); }

absl::StatusOr<PushUrl> FindPushUrl(const std::string& file, const std::string& monitor) {
  const std::string variable = Variable("TOCSIN_PUSH_URL");
  if (file.empty() && !variable.empty()) return From(variable, "TOCSIN_PUSH_URL", monitor);
  const std::string path = file.empty() ? Variable("TOCSIN_PUSH_URL_FILE") : file;
  if (path.empty()) {
    return absl::InvalidArgumentError(
        "there is no push URL: set TOCSIN_PUSH_URL, or name a file that has it with "
        "--push-url-file or TOCSIN_PUSH_URL_FILE");
  }
  absl::StatusOr<std::string> read = ReadSecretFile(path);
  if (!read.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("the push URL: ", read.status().message()));
  }
  return From(*read, absl::StrCat("the file ", path), monitor);
}

bool LooksLikeUrl(absl::string_view word) { return absl::StrContains(word, "://"); }

std::string PercentEncoded(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace tocsin::cli
