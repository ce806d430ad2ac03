// Pushes the start and the end of a run over HTTP while other things go on.
#include "cli/exec/reporter.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/duration.h"
#include "cli/table.h"
#include "common/build_info.h"
#include "common/random.h"

namespace tocsin::cli {
namespace {

// Longer than a gateway takes before it says that it could not (503).
constexpr absl::Duration kLongestAttempt = absl::Seconds(7);
constexpr absl::Duration kLongestConnect = absl::Seconds(4);
// What the end of a run waits for an answer to its start.
constexpr absl::Duration kStartAfterEnd = absl::Seconds(1);
constexpr size_t kMaxAnswerBytes = 64 * 1024;
constexpr size_t kMaxSaid = 300;  // characters

// What an answer of the gateway says is wrong; empty when it says nothing.
std::string ErrorOf(const std::string& body) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("error") || !json["error"].is_string()) return "";
  return OneLine(json["error"].get<std::string>());
}

bool IsHopeless(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_WEIRD_SERVER_REPLY:
      return true;
    default:
      return false;
  }
}

// As the curl command has it; libcurl on its own does not look.
const char* CertificatesOfEnvironment() {
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* const file = std::getenv(name);
    if (file != nullptr && *file != '\0') return file;
  }
  return nullptr;
}

long Milliseconds(absl::Duration duration) {
  return static_cast<long>(std::max<int64_t>(1, absl::ToInt64Milliseconds(duration)));
}

}  // namespace

Reporter::Reporter(std::optional<PushUrl> url, absl::Duration limit, const MonotonicClock& clock)
    : url_(std::move(url)),
      limit_(limit),
      clock_(clock),
      user_agent_(absl::StrCat("tocsin-exec/", Version())),
      error_(CURL_ERROR_SIZE, '\0') {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = curl_multi_init();
  // No `Expect: 100-continue`, which costs a round trip. The body is what the job put out, of any
  // kind.
  headers_ = curl_slist_append(headers_, "Expect:");
  headers_ = curl_slist_append(headers_, "Content-Type: application/octet-stream");
}

Reporter::~Reporter() {
  if (attempt_ != nullptr) EndAttempt();
  curl_multi_cleanup(multi_);
  curl_slist_free_all(headers_);
}

void Reporter::PushStart(const std::string& query) {
  if (!url_) return;
  const absl::Duration now = clock_.Now();
  start_ = {.wanted = true, .url = url_->With(query), .deadline = now + limit_, .next_try = now};
  GoOn();
}

void Reporter::PushEnd(EndQueryOf query, std::string output) {
  if (!url_) return;
  const absl::Duration now = clock_.Now();
  if (attempt_ == nullptr) start_.wanted = false;
  start_.deadline = std::min({start_.deadline, now + kStartAfterEnd, now + limit_ / 2});
  end_query_ = std::move(query);
  end_ = {.wanted = true, .body = std::move(output), .deadline = now + limit_, .next_try = now};
  GoOn();
}

Reporter::Push* Reporter::Current() {
  if (start_.wanted) return &start_;
  return end_.wanted ? &end_ : nullptr;
}

absl::Duration Reporter::Pause(absl::Duration now) {
  const Push* const push = Current();
  if (push == nullptr) return absl::InfiniteDuration();
  return (attempt_ == nullptr ? std::min(push->next_try, push->deadline) : push->deadline) - now;
}

void Reporter::Wait(const std::vector<pollfd>& fds, absl::Duration longest) {
  longest =
      std::clamp(std::min(longest, Pause(clock_.Now())), absl::ZeroDuration(), absl::Seconds(60));
  std::vector<curl_waitfd> watched;
  for (const pollfd& fd : fds) {
    short events = 0;
    if ((fd.events & POLLIN) != 0) events |= CURL_WAIT_POLLIN;
    if ((fd.events & POLLOUT) != 0) events |= CURL_WAIT_POLLOUT;
    watched.push_back({fd.fd, events, 0});
  }
  // Rounded up: what is due in less than a millisecond is not to be waited for in a spin.
  const int64_t milliseconds =
      absl::ToInt64Milliseconds(absl::Ceil(longest, absl::Milliseconds(1)));
  curl_multi_poll(multi_, watched.data(), static_cast<unsigned int>(watched.size()),
                  static_cast<int>(milliseconds), nullptr);
  GoOn();
}

void Reporter::GoOn() {
  if (attempt_ != nullptr) Collect();
  const absl::Duration now = clock_.Now();
  Push* push = Current();
  if (push != nullptr && now >= push->deadline) {
    if (attempt_ != nullptr) {
      push->unanswered |= Sent();
      EndAttempt();
      push->last = {.trouble = absl::StrCat("no answer within ", ShowDuration(limit_))};
    }
    push->wanted = false;
    push = Current();
  }
  if (push != nullptr && attempt_ == nullptr && now >= push->next_try) Begin(*push, now);
}

void Reporter::Begin(Push& push, absl::Duration now) {
  ++push.tries;
  if (push.url.empty()) push.url = url_->With(end_query_(start_.recorded));
  answer_.clear();
  error_.assign(CURL_ERROR_SIZE, '\0');
  CURL* const easy = attempt_ = curl_easy_init();
  const absl::Duration left = std::min(kLongestAttempt, push.deadline - now);
  curl_easy_setopt(easy, CURLOPT_URL, push.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, push.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(push.body.size()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent_.c_str());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Reporter::OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer_);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Milliseconds(left));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(std::min(left, kLongestConnect)));
  // Hours may pass until the end: no connection is kept for it.
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a look-up that hangs holds nothing up
  if (const char* const file = CertificatesOfEnvironment()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, file);
  }
  curl_multi_add_handle(multi_, easy);
  Collect();
}

void Reporter::Collect() {
  int running = 0, left = 0;
  curl_multi_perform(multi_, &running);
  while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE || attempt_ == nullptr) continue;
    const Answer answer = AnswerOf(message->data.result);
    Current()->unanswered |= answer.status == 0 && Sent();
    EndAttempt();
    Judge(*Current(), answer);
  }
}

Answer Reporter::AnswerOf(CURLcode code) const {
  Answer answer;
  long status = 0;
  curl_off_t seconds = 0;
  curl_easy_getinfo(attempt_, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(attempt_, CURLINFO_RETRY_AFTER, &seconds);
  // The answer counts, even if the rest of it was too long, late or cut off. (100 is none yet.)
  answer.status = status >= 200 ? static_cast<int>(status) : 0;
  answer.retry_after = absl::Seconds(seconds);
  if (answer.status != 0) {
    answer.said = ErrorOf(answer_);
    if (url_->IsIn(answer.said)) answer.said.clear();
    answer.said = Shortened(answer.said, kMaxSaid);
    return answer;
  }
  answer.hopeless = IsHopeless(code);
  answer.trouble = OneLine(error_.c_str());
  if (code == CURLE_OPERATION_TIMEDOUT) answer.trouble = "no answer in time";
  if (answer.trouble.empty() || url_->IsIn(answer.trouble)) {
    answer.trouble = curl_easy_strerror(code);
  }
  return answer;
}

bool Reporter::Sent() const {
  // Only then the request is next: names, connections, proxies and TLS come before.
  curl_off_t began = 0;
  curl_easy_getinfo(attempt_, CURLINFO_PRETRANSFER_TIME_T, &began);
  return began > 0;
}

void Reporter::EndAttempt() {
  curl_multi_remove_handle(multi_, attempt_);
  curl_easy_cleanup(attempt_);
  attempt_ = nullptr;
}

void Reporter::Judge(Push& push, const Answer& answer) {
  push.last = answer;
  push.recorded = IsRecorded(answer);
  push.next_try = clock_.Now() + PauseAfter(answer, push.tries, RandomFraction());
  const bool again = CanBeCured(answer) && push.next_try < push.deadline;
  // A start is not tried again once the command has ended.
  push.wanted = !push.recorded && again && !(&push == &start_ && end_.wanted);
}

std::string Reporter::problem() const {
  if (end_.recorded) return "";
  const std::string tries = end_.tries > 1 ? absl::StrCat(" (tried ", end_.tries, " times)") : "";
  return absl::StrCat(WhyNot(end_.last), tries);
}

bool Reporter::in_doubt() const {
  return !end_.recorded && (end_.unanswered || (attempt_ != nullptr && !start_.wanted && Sent()));
}

size_t Reporter::OnBody(char* data, size_t size, size_t count, void* answer) {
  std::string& whole = *static_cast<std::string*>(answer);
  if (whole.size() + size * count > kMaxAnswerBytes) return 0;
  whole.append(data, size * count);
  return size * count;
}

}  // namespace tocsin::cli
