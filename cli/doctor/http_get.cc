// One GET, for `tocsin doctor`.
#include "cli/doctor/http_get.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/build_info.h"

namespace tocsin::cli {
namespace {

constexpr size_t kMaxBodyBytes = 4 * 1024 * 1024;

size_t OnBody(char* data, size_t, size_t bytes, void* answer) {
  std::string& body = static_cast<HttpAnswer*>(answer)->body;
  body.append(data, std::min(bytes, kMaxBodyBytes - body.size()));
  return bytes;
}

size_t OnHeader(char* data, size_t, size_t bytes, void* answer) {
  constexpr absl::string_view kDate = "date:";
  const absl::string_view line(data, bytes);
  if (absl::StartsWithIgnoreCase(line, kDate)) {
    const time_t at = curl_getdate(std::string(line.substr(kDate.size())).c_str(), nullptr);
    if (at > 0) static_cast<HttpAnswer*>(answer)->date = absl::FromTimeT(at);
  }
  return bytes;
}

}  // namespace

absl::StatusOr<HttpAnswer> HttpGet(const std::string& url, absl::Duration limit) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  HttpAnswer answer;
  const std::string agent = absl::StrCat("tocsin-doctor/", Version());
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy.get(), CURLOPT_USERAGENT, agent.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERDATA, &answer);
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS,
                   static_cast<long>(std::max<int64_t>(1, absl::ToInt64Milliseconds(limit))));
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_QUICK_EXIT, 1L);  // a look-up that hangs holds nothing up
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE"}) {
    const char* const file = std::getenv(name);
    if (file != nullptr && *file != '\0') curl_easy_setopt(easy.get(), CURLOPT_CAINFO, file);
  }
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) return absl::UnavailableError(curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace tocsin::cli
