// Path templates of google/api/http.proto, e.g. "/v1/{name=projects/*/monitors/*}:pause". Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace tocsin::gateway {

// The path of a request, taken apart once and matched against many templates.
struct RequestPath {
  std::vector<std::string_view> segments;  // still percent-encoded
  std::string_view verb;                   // after the last ":" of the last segment

  // `path` begins with "/". An encoded colon belongs to its segment.
  static RequestPath Split(std::string_view path);
};

class PathTemplate {
 public:
  // A field and the text of the path that it is bound to, decoded.
  using Bindings = std::vector<std::pair<std::string, std::string>>;

  struct Segment {
    enum class Kind { kLiteral, kAny, kRest };  // "v1", "*", "**"
    Kind kind = Kind::kLiteral;
    std::string literal;
  };
  struct Variable {
    std::string field;  // path of the field in the request, e.g. "monitor.name"
    size_t begin = 0;   // its segments
    size_t end = 0;
  };

  // INVALID_ARGUMENT says what is wrong with the template.
  static absl::StatusOr<PathTemplate> Parse(std::string_view text);

  bool Matches(const RequestPath& path) const;
  // What the variables are bound to, when it matches. INVALID_ARGUMENT, reason MALFORMED_PATH, for
  // escapes, bytes that are no UTF-8, or a "/" inside of a segment, which would change the meaning
  // of the whole.
  absl::StatusOr<Bindings> Bind(const RequestPath& path) const;

  const std::vector<Segment>& segments() const { return segments_; }
  const std::vector<Variable>& variables() const { return variables_; }
  const std::string& verb() const { return verb_; }
  // As it was parsed.
  const std::string& text() const { return text_; }
  // The more there is of what can only be itself, the earlier a template is tried.
  std::string Specificity() const;

 private:
  std::string text_;
  std::vector<Segment> segments_;
  std::vector<Variable> variables_;
  std::string verb_;
};

}  // namespace tocsin::gateway
