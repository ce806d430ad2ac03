// Sends one HTTP request and says how it ended.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/notifier/delivery/outcome.h"

namespace tocsin::notifier {

// A POST. Holds secrets (the URL, the signature, a routing key in the body): never logged.
struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;  // "name: value"
  std::string body;
  absl::Duration timeout;  // for everything, from the look-up of the name to the answer
  // Over a connection of its own: those that are open may lead nowhere.
  bool connects_anew = false;
};

inline constexpr size_t kAnswerBytes = 256;

struct HttpResult {
  Outcome outcome = Outcome::kOk;
  int status = 0;           // 0: there was no answer
  std::string retry_after;  // the header's value; empty when there was none
  std::string answer;       // how its body begins, at most kAnswerBytes, as it came
  std::string detail;       // of a failure, for people; free of secrets
};

class HttpClient {
 public:
  using Done = std::function<void(HttpResult)>;

  virtual ~HttpClient() = default;
  // Begins the request; `done` is called exactly once, later, on the thread of the event loop.
  // Follows no redirect. On the loop's thread only.
  virtual void Send(HttpRequest request, Done done) = 0;
};

}  // namespace tocsin::notifier
