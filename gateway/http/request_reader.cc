// The request reader around Boost.Beast's basic_parser.
#include "gateway/http/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <optional>
#include <vector>

namespace tocsin::http {
namespace {

namespace beast = boost::beast::http;
using BeastView = boost::beast::string_view;
using ErrorCode = boost::beast::error_code;

// How much of what is no body may wait for its end: a line of a chunked body, or its trailers.
constexpr size_t kMaxChunkLine = 4096;

std::string_view View(BeastView view) { return {view.data(), view.size()}; }

// Collects what the parser finds. Views point into the input.
class Parser final : public beast::basic_parser<true> {
 public:
  Parser(Request& request, std::vector<HeaderField>& fields, std::string& body, size_t max_body)
      : request_(request), fields_(fields), body_(body) {
    eager(true);
    header_limit(UINT32_MAX);  // the reader holds the limit, on the bytes of the whole head
    body_limit(max_body);
  }

  bool http10() const { return http10_; }

 private:
  void on_request_impl(beast::verb, BeastView method, BeastView target, int version,
                       ErrorCode&) override {
    request_.method = View(method);
    request_.target = View(target);
    http10_ = version == 10;
  }
  void on_field_impl(beast::field, BeastView name, BeastView value, ErrorCode&) override {
    if (is_header_done()) return;  // a trailer
    // An empty value may point nowhere; ours always lie within the input.
    fields_.push_back({View(name), value.empty() ? View(name).substr(name.size()) : View(value)});
  }
  size_t on_body_impl(BeastView body, ErrorCode&) override {
    body_.append(body.data(), body.size());
    return body.size();
  }
  size_t on_chunk_body_impl(uint64_t, BeastView body, ErrorCode&) override {
    body_.append(body.data(), body.size());
    return body.size();
  }
  void on_response_impl(int, BeastView, int, ErrorCode&) override {}
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>&, ErrorCode&) override {}
  void on_chunk_header_impl(uint64_t, BeastView, ErrorCode&) override {}
  void on_finish_impl(ErrorCode&) override {}

  Request& request_;
  std::vector<HeaderField>& fields_;
  std::string& body_;
  bool http10_ = false;
};

bool Within(std::string_view outer, std::string_view inner) {
  return std::less_equal<>()(outer.data(), inner.data()) &&
         std::less_equal<>()(inner.data() + inner.size(), outer.data() + outer.size());
}

bool IsTokenStart(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

struct RequestReader::Impl {
  explicit Impl(const RequestLimits& l) : limits(l) {}

  const RequestLimits limits;
  std::optional<Parser> parser;
  Request request;
  std::vector<HeaderField> fields;
  std::string body;
  std::string head_copy;  // of a head whose body did not come with it
  size_t searched = 0;    // the end of the head is not before this
  bool head_done = false;
  bool wants_continue = false;
  Error error;

  State Refuse(int status, std::string_view reason) {
    error = {status, reason};
    return State::kRefused;
  }
  State RefuseFor(const ErrorCode& ec);
  State FeedHead(std::string_view input, size_t& consumed);
  State FeedBody(std::string_view input, size_t& consumed);
  State CheckHead(std::string_view head);
  void KeepHead(std::string_view head);
  State Finish();
};

RequestReader::State RequestReader::Impl::RefuseFor(const ErrorCode& ec) {
  if (ec == beast::error::body_limit) {
    request.fields = fields;
    return Refuse(413, "the body is too large");
  }
  if (ec == beast::error::bad_version) return Refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken");
  if (ec == beast::error::bad_content_length) return Refuse(400, "bad Content-Length");
  if (ec == beast::error::bad_transfer_encoding) return Refuse(400, "bad Transfer-Encoding");
  if (ec == beast::error::bad_chunk || ec == beast::error::bad_chunk_extension) {
    return Refuse(400, "bad chunked body");
  }
  return Refuse(400, "malformed request");
}

// What the parser does not check.
RequestReader::State RequestReader::Impl::CheckHead(std::string_view head) {
  bool host = false;
  for (const HeaderField& field : fields) {
    // A value outside the head was folded over lines, which RFC 9112 lets a server refuse.
    if (!Within(head, field.value)) return Refuse(400, "folded header line");
    if (EqualsIgnoreCase(field.name, "host")) {
      if (host) return Refuse(400, "more than one Host header");
      host = true;
    } else if (EqualsIgnoreCase(field.name, "transfer-encoding")) {
      if (!EqualsIgnoreCase(field.value, "chunked")) {
        return Refuse(501, "only the chunked Transfer-Encoding is understood");
      }
      // RFC 9112, 6.1: the framing of HTTP/1.0 with it cannot be trusted.
      if (parser->http10()) return Refuse(400, "Transfer-Encoding in HTTP/1.0");
    } else if (EqualsIgnoreCase(field.name, "expect")) {
      if (!EqualsIgnoreCase(field.value, "100-continue")) return Refuse(417, "unknown Expect");
      wants_continue = !parser->http10();
    }
  }
  if (!host && !parser->http10()) return Refuse(400, "no Host header");
  return State::kHead;
}

RequestReader::State RequestReader::Impl::FeedHead(std::string_view input, size_t& consumed) {
  // Something that is not HTTP (a TLS hello, say) is refused at once and not when it times out.
  if (!input.empty() && !IsTokenStart(input.front())) return Refuse(400, "malformed request");
  const size_t from = searched < 3 ? 0 : searched - 3;
  const size_t end = input.find("\r\n\r\n", from);
  const size_t head_size = end == std::string_view::npos ? input.size() : end + 4;
  if (head_size > limits.head_bytes) return Refuse(431, "the request's head is too large");
  if (end == std::string_view::npos) {
    // Lines that end in a bare LF would otherwise be waited on until they time out.
    if (input.find("\n\n", from) != std::string_view::npos) return Refuse(400, "bad line ending");
    searched = input.size();
    return State::kHead;
  }
  // The parser sees the head in one piece, so that everything it points at is in one place.
  const std::string_view head = input.substr(0, head_size);
  ErrorCode ec;
  parser->put({head.data(), head.size()}, ec);
  if (ec == beast::error::bad_version) {
    // What follows the target's first space is no version when the target has a second one.
    const std::string_view line = head.substr(0, head.find('\r'));
    if (std::count(line.begin(), line.end(), ' ') > 2) {
      return Refuse(400, "malformed request line: is there a space in the URL?");
    }
  }
  // A body that is announced as too large is told of with the head, which must be sound then.
  if (ec == beast::error::body_limit && CheckHead(head) == State::kRefused) return State::kRefused;
  if (ec && ec != beast::error::need_more) return RefuseFor(ec);
  if (!parser->is_header_done()) return Refuse(400, "malformed request");
  if (CheckHead(head) == State::kRefused) return State::kRefused;
  head_done = true;
  consumed = head_size;
  if (parser->is_done()) return Finish();
  size_t body_consumed = 0;
  const State state = FeedBody(input.substr(head_size), body_consumed);
  consumed += body_consumed;
  if (state == State::kBody) KeepHead(head);
  return state;
}

// Moves the head into storage of our own: the input goes away while the body is awaited.
void RequestReader::Impl::KeepHead(std::string_view head) {
  head_copy.assign(head);
  const auto moved = [&](std::string_view view) {
    return std::string_view(head_copy).substr(static_cast<size_t>(view.data() - head.data()),
                                              view.size());
  };
  request.method = moved(request.method);
  request.target = moved(request.target);
  for (HeaderField& field : fields) field = {moved(field.name), moved(field.value)};
}

RequestReader::State RequestReader::Impl::FeedBody(std::string_view input, size_t& consumed) {
  consumed = 0;
  while (consumed < input.size() && !parser->is_done()) {
    ErrorCode ec;
    const size_t used = parser->put({input.data() + consumed, input.size() - consumed}, ec);
    consumed += used;
    if (ec == beast::error::need_more) break;
    if (ec) return RefuseFor(ec);
  }
  if (parser->is_done()) return Finish();
  if (input.size() - consumed > kMaxChunkLine) return Refuse(400, "bad chunked body");
  return State::kBody;
}

RequestReader::State RequestReader::Impl::Finish() {
  request.fields = fields;
  request.body = body;
  return State::kComplete;
}

RequestReader::RequestReader(const RequestLimits& limits) : impl_(std::make_unique<Impl>(limits)) {
  Reset();
}
RequestReader::~RequestReader() = default;

void RequestReader::Reset() {
  Impl& i = *impl_;
  i.request = Request();
  i.fields.clear();
  i.body.clear();
  i.searched = 0;
  i.head_done = false;
  i.wants_continue = false;
  i.error = Error();
  i.parser.emplace(i.request, i.fields, i.body, i.limits.body_bytes);
}

RequestReader::State RequestReader::Feed(std::string_view input, size_t& consumed) {
  consumed = 0;
  return impl_->head_done ? impl_->FeedBody(input, consumed) : impl_->FeedHead(input, consumed);
}

const Request& RequestReader::request() const { return impl_->request; }
const RequestReader::Error& RequestReader::error() const { return impl_->error; }
bool RequestReader::keep_alive() const { return impl_->parser->keep_alive(); }
bool RequestReader::is_head() const { return impl_->request.method == "HEAD"; }
bool RequestReader::is_http10() const { return impl_->parser->http10(); }
bool RequestReader::wants_continue() const { return impl_->wants_continue; }

}  // namespace tocsin::http
