// A small HTTP/1.1 server on loopback that plays the receiver of webhooks in tests.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace tocsin::notifier {

// One thread for each connection; connections are kept. Thread safe.
class LocalReceiver {
 public:
  struct Request {
    std::string method;
    std::string path;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
  };
  struct Response {
    int status = 200;
    std::string headers;  // whole lines, each with its CRLF
    std::string body;
    std::string raw;     // sent instead of all that when not empty
    bool hang = false;   // answers nothing until the receiver is destroyed
    bool close = false;  // closes the connection afterwards
  };
  using Handler = std::function<Response(const Request&)>;

  // `handler` is called on many threads at a time.
  explicit LocalReceiver(Handler handler);
  ~LocalReceiver();
  LocalReceiver(const LocalReceiver&) = delete;
  LocalReceiver& operator=(const LocalReceiver&) = delete;

  int port() const { return port_; }
  std::string Url(const std::string& path = "/hook") const;
  std::vector<Request> requests() const;
  int connections() const;
  // Waits until at least `n` requests have come; whether they did within ten seconds.
  bool WaitForRequests(size_t n) const;

 private:
  void Accept();
  void Serve(int fd);
  // Reads one request; false at the end of the connection. `buffer` keeps what is read too much.
  bool ReadRequest(int fd, std::string& buffer, Request& request);
  bool Answer(int fd, const Response& response);

  const Handler handler_;
  int listen_fd_;
  int port_ = 0;
  mutable absl::Mutex mutex_;
  std::vector<Request> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> open_fds_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  int connections_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Notification stopping_;
  std::thread accept_thread_;
};

}  // namespace tocsin::notifier
