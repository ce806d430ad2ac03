// Putting responses together.
#include "gateway/http/message.h"

#include <ctime>

namespace tocsin::http {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

std::string_view Request::Header(std::string_view name) const {
  for (const HeaderField& field : fields) {
    if (EqualsIgnoreCase(field.name, name)) return field.value;
  }
  return {};
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

std::string DateLine(int64_t unix_seconds) {
  const time_t t = static_cast<time_t>(unix_seconds);
  tm parts;
  gmtime_r(&t, &parts);
  char buffer[64];
  // Nothing here depends on the locale: the process never leaves "C".
  const size_t size =
      strftime(buffer, sizeof(buffer), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  return std::string(buffer, size);
}

CannedResponse::CannedResponse(const Response& response, Framing framing)
    : status_(response.status), close_(response.close) {
  status_line_ = "HTTP/1.1 " + std::to_string(status_) + " ";
  status_line_ += ReasonPhrase(status_);
  status_line_ += "\r\n";
  if (!response.content_type.empty()) {
    rest_ += "Content-Type: " + response.content_type + "\r\n";
  }
  if (framing == Framing::kChunked) rest_ += "Transfer-Encoding: chunked\r\n";
  // RFC 9110: a 204 has no Content-Length.
  if (framing == Framing::kLength && status_ != 204)
    rest_ += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  for (const auto& [name, value] : response.headers) rest_ += name + ": " + value + "\r\n";
  rest_ += "\r\n";
  head_size_ = rest_.size();
  rest_ += response.body;
}

void CannedResponse::AppendTo(std::string& out, std::string_view date, ConnectionField connection,
                              bool head_only) const {
  out.append(status_line_).append(date);
  if (connection == ConnectionField::kClose) out.append("Connection: close\r\n");
  if (connection == ConnectionField::kKeepAlive) out.append("Connection: keep-alive\r\n");
  out.append(rest_, 0, head_only ? head_size_ : rest_.size());
}

}  // namespace tocsin::http
