// A blocking HTTP client for tests that must see every byte.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tocsin::testing {

struct HttpResponse {
  int status = 0;  // 0: the connection ended (or 20 s passed) before a whole response came
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // Empty when there is none.
  std::string Header(const std::string& name) const;
};

class HttpClient {
 public:
  // Connects to the loopback interface.
  explicit HttpClient(int port);
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  HttpClient& operator=(HttpClient&&) = delete;

  // Whether the kernel took all of it.
  bool Send(const std::string& bytes);
  // The next response; without a body when it answers a HEAD.
  HttpResponse Receive(bool head = false);
  // The raw bytes up to and including `end`; what there is when the connection ends before.
  std::string ReceiveUntil(const std::string& end);
  // Whether the server has closed the connection and nothing is left to read.
  bool AtEnd();
  void ShutdownWrite();
  void Close();

 private:
  bool ReadMore();
  // Appends a body that comes in chunks; false when it is not whole.
  bool ReceiveChunks(std::string& body);

  int fd_;
  std::string input_;
};

// One request on a connection of its own. `head` is the request line and headers without Host
// and the empty line, e.g. "GET / HTTP/1.1\r\nA: b\r\n".
HttpResponse Fetch(int port, const std::string& head, const std::string& body = "");

}  // namespace tocsin::testing
