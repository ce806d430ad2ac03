// A small HTTP/1.1 server on loopback that plays the receiver of webhooks in tests.
#include "services/notifier/testing/local_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tocsin::notifier {
namespace {

bool WriteAll(int fd, const std::string& data) {
  size_t written = 0;
  while (written < data.size()) {
    const ssize_t n = send(fd, data.data() + written, data.size() - written, MSG_NOSIGNAL);
    if (n <= 0) return false;
    written += static_cast<size_t>(n);
  }
  return true;
}

bool ReadMore(int fd, std::string& buffer) {
  char chunk[4096];
  const ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
  if (n <= 0) return false;
  buffer.append(chunk, static_cast<size_t>(n));
  return true;
}

}  // namespace

LocalReceiver::LocalReceiver(Handler handler)
    : handler_(std::move(handler)), listen_fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listen_fd_, 512) != 0 ||
      getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  accept_thread_ = std::thread([this] { Accept(); });
}

LocalReceiver::~LocalReceiver() {
  std::vector<std::thread> threads;
  stopping_.Notify();
  {
    absl::MutexLock lock(&mutex_);
    for (int fd : open_fds_) shutdown(fd, SHUT_RDWR);
  }
  shutdown(listen_fd_, SHUT_RDWR);
  accept_thread_.join();
  close(listen_fd_);
  {
    absl::MutexLock lock(&mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

std::string LocalReceiver::Url(const std::string& path) const {
  return absl::StrCat("http://127.0.0.1:", port_, path);
}

std::vector<LocalReceiver::Request> LocalReceiver::requests() const {
  absl::MutexLock lock(&mutex_);
  return requests_;
}

int LocalReceiver::connections() const {
  absl::MutexLock lock(&mutex_);
  return connections_;
}

bool LocalReceiver::WaitForRequests(size_t n) const {
  absl::MutexLock lock(&mutex_);
  const auto enough = [this, n]()
                          ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return requests_.size() >= n; };
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(10));
}

void LocalReceiver::Accept() {
  while (true) {
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    absl::MutexLock lock(&mutex_);
    if (stopping_.HasBeenNotified()) {
      close(fd);
      return;
    }
    ++connections_;
    open_fds_.push_back(fd);
    threads_.emplace_back([this, fd] { Serve(fd); });
  }
}

void LocalReceiver::Serve(int fd) {
  std::string buffer;
  Request request;
  while (ReadRequest(fd, buffer, request)) {
    {
      absl::MutexLock lock(&mutex_);
      requests_.push_back(request);
    }
    const Response response = handler_(request);
    if (response.hang) {
      stopping_.WaitForNotification();
      break;
    }
    if (!Answer(fd, response) || response.close) break;
  }
  absl::MutexLock lock(&mutex_);
  open_fds_.erase(std::find(open_fds_.begin(), open_fds_.end(), fd));
  close(fd);
}

bool LocalReceiver::ReadRequest(int fd, std::string& buffer, Request& request) {
  request = {};
  size_t head_end;
  while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore(fd, buffer)) return false;
    if (buffer[0] == '\x16') {  // the beginning of TLS, which this server does not speak
      buffer.clear();
      request.method = "TLS";
      return true;
    }
  }
  const std::vector<std::string> lines = absl::StrSplit(buffer.substr(0, head_end), "\r\n");
  const std::vector<std::string> words = absl::StrSplit(lines[0], ' ');
  request.method = words[0];
  request.path = words.size() > 1 ? words[1] : "";
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> header =
        absl::StrSplit(lines[i], absl::MaxSplits(':', 1));
    request.headers[absl::AsciiStrToLower(header.first)] =
        std::string(absl::StripAsciiWhitespace(header.second));
  }
  size_t length = 0;
  if (!absl::SimpleAtoi(request.headers["content-length"], &length)) length = 0;
  buffer.erase(0, head_end + 4);
  while (buffer.size() < length) {
    if (!ReadMore(fd, buffer)) return false;
  }
  request.body = buffer.substr(0, length);
  buffer.erase(0, length);
  return true;
}

bool LocalReceiver::Answer(int fd, const Response& response) {
  if (!response.raw.empty()) return WriteAll(fd, response.raw);
  return WriteAll(
      fd, absl::StrCat("HTTP/1.1 ", response.status, " Said\r\n", response.headers,
                       "Content-Length: ", response.body.size(), "\r\n\r\n", response.body));
}

}  // namespace tocsin::notifier
