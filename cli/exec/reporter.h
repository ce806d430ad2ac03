// Pushes the start and the end of a run over HTTP while other things go on.
#pragma once

#include <curl/curl.h>
#include <poll.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/exec/push_url.h"
#include "cli/exec/report.h"
#include "common/clock.h"

namespace tocsin::cli {

// One push after the other: the end after the start, unless the start is not answered soon, which
// it then loses to. (Should Tocsin get it after all, and after the end, it opens nothing: the run
// has ended.) A push that failed is tried again within `limit`, if another attempt may do better.
//
// As curl does it: http and https, certificates verified (CURL_CA_BUNDLE, SSL_CERT_FILE name
// others), proxies as the environment has them, no redirects. Reads at most 64 KiB of an answer.
// One thread, but libcurl may look names up on another: made only once the command has been
// started.
class Reporter {
 public:
  // Without a URL nothing is pushed, and Wait only waits.
  Reporter(std::optional<PushUrl> url, absl::Duration limit, const MonotonicClock& clock);
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  void PushStart(const std::string& query);
  // Gives the query of the end, once it is known whether the start was recorded.
  using EndQueryOf = std::function<std::string(bool start_known)>;
  // After it, no attempt to push the start is begun any more.
  void PushEnd(EndQueryOf query, std::string output);

  // Waits until one of `fds`, or one of its own, is ready or `longest` has passed; then goes on.
  void Wait(const std::vector<pollfd>& fds, absl::Duration longest);

  // Whether there is nothing more to do, after PushEnd.
  bool done() const { return !end_.wanted; }
  // Why the end was not recorded: free of secrets; empty when it was.
  std::string problem() const;
  // Whether it may have been recorded nevertheless: it was sent, and no answer came.
  bool in_doubt() const;

 private:
  struct Push {
    bool wanted = false;  // and neither recorded nor given up
    bool recorded = false;
    bool unanswered = false;    // an attempt was sent, and ended without an answer
    std::string url{}, body{};  // of the end: the URL is made with the first attempt
    absl::Duration deadline;
    absl::Duration next_try;
    int tries = 0;
    Answer last{};
  };

  Push* Current();
  // How long until there is something to begin or to give up.
  absl::Duration Pause(absl::Duration now);
  void GoOn();
  void Begin(Push& push, absl::Duration now);
  void Collect();
  void Judge(Push& push, const Answer& answer);
  Answer AnswerOf(CURLcode code) const;
  // Whether something of the attempt under way may have arrived.
  bool Sent() const;
  void EndAttempt();

  static size_t OnBody(char* data, size_t size, size_t count, void* bytes);

  const std::optional<PushUrl> url_;
  const absl::Duration limit_;
  const MonotonicClock& clock_;
  CURLM* multi_;
  CURL* attempt_ = nullptr;  // under way
  curl_slist* headers_ = nullptr;
  std::string user_agent_;
  std::string error_;   // libcurl's words
  std::string answer_;  // its body so far
  Push start_, end_;
  EndQueryOf end_query_;
};

}  // namespace tocsin::cli
