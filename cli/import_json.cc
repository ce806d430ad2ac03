// The JSON that another monitor exported, read with its bounds and its places.
#include "cli/import_json.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <istream>

#include "absl/strings/str_cat.h"

namespace tocsin::cli {
namespace {

using Json = nlohmann::json;

constexpr absl::Duration kLongest = absl::Hours(24 * 366);

// Goes through the text without keeping it: a small text can be a large tree. What
// nlohmann::json::sax_parse calls; every method returns whether to go on.
class Inspector {
 public:
  bool null() { return Value(); }
  bool boolean(bool /*value*/) { return Value(); }
  bool number_integer(Json::number_integer_t /*value*/) { return Value(); }
  bool number_unsigned(Json::number_unsigned_t /*value*/) { return Value(); }
  bool number_float(Json::number_float_t /*value*/, const std::string& /*text*/) { return Value(); }
  bool string(std::string& /*value*/) { return Value(); }
  bool binary(Json::binary_t& /*value*/) { return Value(); }
  bool key(std::string& /*name*/) { return true; }
  bool start_object(size_t /*size*/) { return Open(); }
  bool start_array(size_t /*size*/) { return Open(); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }
  bool parse_error(size_t position, const std::string& /*token*/,
                   const Json::exception& /*error*/) {
    position_ = position;
    return false;
  }

  // Which bound was broken; empty when it is no JSON.
  const std::string& bound() const { return bound_; }
  // Counts the byte that the parser stumbled over.
  size_t position() const { return position_; }

 private:
  bool Value() {
    if (++values_ <= kMaxExportValues) return true;
    bound_ = absl::StrCat("it has more than ", kMaxExportValues, " values");
    return false;
  }
  bool Open() {
    if (++depth_ <= kMaxExportDepth) return Value();
    bound_ = absl::StrCat("it is nested deeper than ", kMaxExportDepth, " levels");
    return false;
  }
  bool Close() {
    --depth_;
    return true;
  }

  size_t values_ = 0;
  size_t depth_ = 0;
  size_t position_ = 0;
  std::string bound_;
};

std::string PlaceOf(absl::string_view text, size_t position) {
  size_t line = 1;
  size_t column = 1;
  for (size_t i = 0; i + 1 < position && i < text.size(); ++i) {
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
  }
  return absl::StrCat("line ", line, ", column ", column);
}

absl::StatusOr<std::string> ReadStream(std::istream& stream, const std::string& name) {
  std::string text;
  char chunk[1 << 16];
  while (stream.read(chunk, sizeof chunk) || stream.gcount() > 0) {
    text.append(chunk, static_cast<size_t>(stream.gcount()));
    if (text.size() > kMaxExportBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " has more than ", kMaxExportBytes >> 20, " MiB, which is no export"));
    }
  }
  if (stream.bad()) return absl::InvalidArgumentError(absl::StrCat(name, " cannot be read"));
  return text;
}

}  // namespace

absl::StatusOr<std::string> ReadExportFile(const std::string& path) {
  if (path == "-") return ReadStream(std::cin, "standard input");
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " cannot be opened: ", std::strerror(errno)));
  }
  return ReadStream(file, path);
}

absl::StatusOr<Json> ParseExport(absl::string_view text) {
  Inspector inspector;
  if (!Json::sax_parse(text.begin(), text.end(), &inspector)) {
    return absl::InvalidArgumentError(
        inspector.bound().empty()
            ? absl::StrCat("it is no JSON: it goes wrong at ", PlaceOf(text, inspector.position()))
            : inspector.bound());
  }
  return Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
}

std::string KindOf(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::null:
      return "null";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::boolean:
      return "a boolean";
    default:
      return "a number";
  }
}

ExportFields::ExportFields(const Json& object) : object_(object) {
  if (!object.is_object()) fault_ = absl::StrCat("it is ", KindOf(object), ", not an object");
}

const Json* ExportFields::Find(const char* field) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(field);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void ExportFields::Fault(absl::string_view field, absl::string_view problem,
                         absl::string_view accepted) {
  if (fault_.empty()) fault_ = absl::StrCat(field, ": ", problem, "; accepted: ", accepted);
}

void ExportFields::WrongKind(const char* field, const Json& value, absl::string_view accepted) {
  Fault(field, absl::StrCat("it is ", KindOf(value)), accepted);
}

std::string ExportFields::Text(const char* field) {
  const Json* const value = Find(field);
  if (value == nullptr) return "";
  if (value->is_string()) return value->get<std::string>();
  WrongKind(field, *value, "a string");
  return "";
}

std::optional<absl::Duration> ExportFields::Seconds(const char* field) {
  constexpr char kAccepted[] = "a number of seconds, 0 to 366 days";
  const Json* const value = Find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    WrongKind(field, *value, kAccepted);
    return std::nullopt;
  }
  const double seconds = value->get<double>();
  if (seconds >= 0 && seconds <= absl::ToDoubleSeconds(kLongest)) {
    return absl::Milliseconds(std::llround(seconds * 1000));
  }
  Fault(field, absl::StrCat("it is ", seconds), kAccepted);
  return std::nullopt;
}

std::optional<int> ExportFields::Count(const char* field) {
  constexpr char kAccepted[] = "a whole number, 0 to 1000000000";
  const Json* const value = Find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    WrongKind(field, *value, kAccepted);
    return std::nullopt;
  }
  const double count = value->get<double>();
  if (count >= 0 && count <= 1e9 && count == std::floor(count)) return static_cast<int>(count);
  Fault(field, absl::StrCat("it is ", count), kAccepted);
  return std::nullopt;
}

std::optional<bool> ExportFields::Flag(const char* field) {
  const Json* const value = Find(field);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  if (value->is_number()) {
    const double number = value->get<double>();
    if (number == 0 || number == 1) return number == 1;
  }
  WrongKind(field, *value, "true or false");
  return std::nullopt;
}

const Json* ExportFields::Array(const char* field) {
  const Json* const value = Find(field);
  if (value == nullptr || value->is_array()) return value;
  WrongKind(field, *value, "an array");
  return nullptr;
}

}  // namespace tocsin::cli
