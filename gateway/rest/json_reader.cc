// A document built from the parser's events: they come with places, and a name that comes twice can
// be told.
#include "gateway/rest/json_reader.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "gateway/rest/percent.h"

namespace tocsin::gateway {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxDepth = 64;
constexpr char kMalformed[] = "MALFORMED_JSON";

// What nlohmann::json::sax_parse calls. Every method returns whether to go on.
class Builder {
 public:
  bool null() { return Put(nullptr); }
  bool boolean(bool value) { return Put(value); }
  bool number_integer(Json::number_integer_t value) { return Put(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return Put(value); }
  bool number_float(Json::number_float_t value, const std::string& /*text*/) { return Put(value); }
  bool string(std::string& value) {
    if (!IsCleanUtf8(value)) return Fail("a string is not UTF-8, or has a NUL");
    return Put(std::move(value));
  }
  bool binary(Json::binary_t& /*value*/) { return Fail("binary data"); }
  bool start_object(size_t /*size*/) { return Open(Json::object()); }
  bool start_array(size_t /*size*/) { return Open(Json::array()); }
  bool key(std::string& name) {
    if (!IsCleanUtf8(name)) return Fail("a name is not UTF-8, or has a NUL");
    if (open_.back()->contains(name)) return Fail(absl::StrCat("\"", name, "\" is given twice"));
    key_ = std::move(name);
    return true;
  }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }
  bool parse_error(size_t position, const std::string& /*token*/,
                   const Json::exception& /*error*/) {
    position_ = position;
    return false;
  }

  Json& root() { return root_; }
  const std::string& fault() const { return fault_; }
  const char* reason() const { return reason_; }
  size_t position() const { return position_; }

 private:
  bool Fail(std::string fault, const char* reason = kMalformed) {
    fault_ = std::move(fault);
    reason_ = reason;
    return false;
  }
  Json* Place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }
  bool Put(Json value) {
    Place(std::move(value));
    return true;
  }
  bool Open(Json empty) {
    if (open_.size() >= kMaxDepth) {
      return Fail(absl::StrCat("it is nested deeper than ", kMaxDepth, " levels"), "JSON_TOO_DEEP");
    }
    open_.push_back(Place(std::move(empty)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  // The containers that the parser is in. They do not move: only the innermost one grows.
  std::vector<Json*> open_;
  std::string key_;
  std::string fault_;
  const char* reason_ = kMalformed;
  size_t position_ = 0;
};

std::string PlaceOf(std::string_view text, size_t position) {
  size_t line = 1;
  size_t column = 1;
  // The parser counts the byte that it stumbled over.
  for (size_t i = 0; i + 1 < position && i < text.size(); ++i) {
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
  }
  return absl::StrCat("line ", line, ", column ", column);
}

}  // namespace

absl::StatusOr<Json> ReadJson(std::string_view text) {
  Builder builder;
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return std::move(builder.root());
  absl::Status status = absl::InvalidArgumentError(
      builder.fault().empty() ? absl::StrCat("The body is no JSON: it goes wrong at ",
                                             PlaceOf(text, builder.position()), ".")
                              : absl::StrCat("The body cannot be used: ", builder.fault(), "."));
  SetReason(status, builder.reason());
  return status;
}

}  // namespace tocsin::gateway
