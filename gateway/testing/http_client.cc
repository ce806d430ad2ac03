// The test client on a plain socket.
#include "gateway/testing/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>

namespace tocsin::testing {

std::string HttpResponse::Header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (strcasecmp(key.c_str(), name.c_str()) == 0) return value;
  }
  return "";
}

HttpClient::HttpClient(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) Close();
}

HttpClient::~HttpClient() { Close(); }

void HttpClient::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void HttpClient::ShutdownWrite() { shutdown(fd_, SHUT_WR); }

bool HttpClient::Send(const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

bool HttpClient::ReadMore() {
  char buffer[65536];
  const ssize_t n = recv(fd_, buffer, sizeof(buffer), 0);
  if (n <= 0) return false;
  input_.append(buffer, static_cast<size_t>(n));
  return true;
}

bool HttpClient::AtEnd() {
  char byte;
  return input_.empty() && recv(fd_, &byte, 1, 0) == 0;
}

HttpResponse HttpClient::Receive(bool head) {
  size_t end;
  while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore()) return {};
  }
  HttpResponse response;
  const std::string lines = input_.substr(0, end + 2);
  input_.erase(0, end + 4);
  response.status = std::atoi(lines.c_str() + 9);
  for (size_t at = lines.find("\r\n") + 2; at < lines.size(); at = lines.find("\r\n", at) + 2) {
    const std::string line = lines.substr(at, lines.find("\r\n", at) - at);
    const size_t colon = line.find(": ");
    response.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  if (!head && response.Header("Transfer-Encoding") == "chunked") {
    return ReceiveChunks(response.body) ? response : HttpResponse();
  }
  const size_t size = static_cast<size_t>(std::atol(response.Header("Content-Length").c_str()));
  if (head || size == 0) return response;
  while (input_.size() < size) {
    if (!ReadMore()) return {};
  }
  response.body = input_.substr(0, size);
  input_.erase(0, size);
  return response;
}

bool HttpClient::ReceiveChunks(std::string& body) {
  size_t at = 0;  // of the next chunk in input_
  while (true) {
    const size_t line = input_.find("\r\n", at);
    const size_t size =
        line == std::string::npos ? 0 : std::strtoul(input_.c_str() + at, nullptr, 16);
    const size_t end = line + 2 + size + 2;
    if (line == std::string::npos || input_.size() < end) {
      input_.erase(0, std::exchange(at, 0));
      if (!ReadMore()) return false;
      continue;
    }
    body.append(input_, line + 2, size);
    at = end;
    if (size > 0) continue;
    input_.erase(0, at);
    return true;
  }
}

std::string HttpClient::ReceiveUntil(const std::string& end) {
  size_t at;
  while ((at = input_.find(end)) == std::string::npos) {
    if (!ReadMore()) return std::exchange(input_, "");
  }
  const std::string bytes = input_.substr(0, at + end.size());
  input_.erase(0, bytes.size());
  return bytes;
}

HttpResponse Fetch(int port, const std::string& head, const std::string& body) {
  HttpClient client(port);
  std::string request = head + "Host: test\r\n";
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  client.Send(request + "\r\n" + body);
  return client.Receive(head.rfind("HEAD", 0) == 0);
}

}  // namespace tocsin::testing
