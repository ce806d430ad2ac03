// Parsing and matching of path templates.
#include "gateway/rest/path_template.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/any_string_view.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "gateway/rest/percent.h"

namespace tocsin::gateway {
namespace {

using Segment = PathTemplate::Segment;

// The grammar, by recursive descent:
//   Template = "/" Segments [ ":" LITERAL ]
//   Segments = Segment { "/" Segment }
//   Segment  = "*" | "**" | LITERAL | "{" FieldPath [ "=" Segments ] "}"
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  absl::Status Run(std::vector<Segment>& segments, std::vector<PathTemplate::Variable>& variables,
                   std::string& verb) {
    if (!Take('/')) return Wrong("must begin with \"/\"");
    RETURN_IF_ERROR(Segments(segments, &variables));
    if (Take(':')) {
      verb = Word();
      if (verb.empty()) return Wrong("has an empty verb");
    }
    if (!rest_.empty())
      return Wrong(absl::StrCat("has \"", AnyStringView(rest_).absl(), "\" too many"));
    for (size_t i = 0; i + 1 < segments.size(); ++i) {
      if (segments[i].kind == Segment::Kind::kRest) return Wrong("has \"**\" before its end");
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Segments(std::vector<Segment>& segments,
                        std::vector<PathTemplate::Variable>* variables) {
    do {
      if (Take('{')) {
        if (variables == nullptr) return Wrong("has a variable inside of a variable");
        RETURN_IF_ERROR(Variable(segments, *variables));
        continue;
      }
      if (Take('*')) {
        segments.push_back(
            {.kind = Take('*') ? Segment::Kind::kRest : Segment::Kind::kAny, .literal = {}});
        continue;
      }
      std::string literal = Word();
      if (literal.empty()) return Wrong("has an empty segment");
      segments.push_back({.kind = Segment::Kind::kLiteral, .literal = std::move(literal)});
    } while (Take('/'));
    return absl::OkStatus();
  }

  absl::Status Variable(std::vector<Segment>& segments,
                        std::vector<PathTemplate::Variable>& variables) {
    PathTemplate::Variable variable;
    variable.field = Word();
    if (variable.field.empty()) return Wrong("has a variable without a name");
    variable.begin = segments.size();
    if (Take('=')) {
      RETURN_IF_ERROR(Segments(segments, nullptr));
    } else {
      segments.push_back({.kind = Segment::Kind::kAny, .literal = {}});
    }
    if (!Take('}')) return Wrong("has a variable without an end");
    variable.end = segments.size();
    variables.push_back(std::move(variable));
    return absl::OkStatus();
  }

  std::string Word() {
    const size_t size = std::min(rest_.find_first_of("/:{}*="), rest_.size());
    std::string word(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return word;
  }
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  absl::Status Wrong(AnyStringView what) const {
    return absl::InvalidArgumentError(
        absl::StrCat("the path template \"", AnyStringView(text_).absl(), "\" ", what.absl()));
  }

  const std::string_view text_;
  std::string_view rest_;
};

absl::Status MalformedPart(absl::string_view what) {
  absl::Status status = absl::InvalidArgumentError(absl::StrCat("A part of the path ", what, "."));
  SetReason(status, "MALFORMED_PATH");
  return status;
}

}  // namespace

RequestPath RequestPath::Split(std::string_view path) {
  RequestPath result;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (true) {
    const size_t slash = path.find('/');
    result.segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  std::string_view& last = result.segments.back();
  if (const size_t colon = last.rfind(':'); colon != std::string_view::npos) {
    result.verb = last.substr(colon + 1);
    last = last.substr(0, colon);
  }
  return result;
}

absl::StatusOr<PathTemplate> PathTemplate::Parse(std::string_view text) {
  PathTemplate result;
  result.text_ = std::string(text);
  RETURN_IF_ERROR(Parser(text).Run(result.segments_, result.variables_, result.verb_));
  return result;
}

bool PathTemplate::Matches(const RequestPath& path) const {
  if (path.verb != verb_) return false;
  const bool open = segments_.back().kind == Segment::Kind::kRest;
  const size_t fixed = segments_.size() - (open ? 1 : 0);
  if (open ? path.segments.size() < fixed : path.segments.size() != fixed) return false;
  for (size_t i = 0; i < fixed; ++i) {
    if (path.segments[i].empty()) return false;
    if (segments_[i].kind == Segment::Kind::kLiteral && path.segments[i] != segments_[i].literal) {
      return false;
    }
  }
  return true;
}

absl::StatusOr<PathTemplate::Bindings> PathTemplate::Bind(const RequestPath& path) const {
  Bindings bindings;
  for (const Variable& variable : variables_) {
    const bool open = segments_[variable.end - 1].kind == Segment::Kind::kRest;
    const size_t end = open ? path.segments.size() : variable.end;
    std::string value;
    for (size_t i = variable.begin; i < end; ++i) {
      const absl::StatusOr<std::string> part = DecodeStrictly(path.segments[i], Plus::kItself);
      if (!part.ok()) return MalformedPart(part.status().message());
      if (part->find('/') != std::string::npos) return MalformedPart("has a \"/\" (%2F) inside");
      if (i > variable.begin) value += '/';
      value += *part;
    }
    bindings.emplace_back(variable.field, std::move(value));
  }
  return bindings;
}

std::string PathTemplate::Specificity() const {
  std::string result;
  for (const Segment& segment : segments_) {
    result += segment.kind == Segment::Kind::kLiteral ? 'c'
              : segment.kind == Segment::Kind::kAny   ? 'b'
                                                      : 'a';
  }
  return result;
}

}  // namespace tocsin::gateway
