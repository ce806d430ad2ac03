// Names of the proto → names of JSON.
#include "gateway/rest/field_path.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status_details.h"
#include "gateway/rest/field_text.h"

namespace tocsin::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Errors say "FIELD: what is wrong".
void RenameIn(std::string& text, const FieldViolation& violation, const std::string& name) {
  const std::string worded = absl::StrCat(violation.field, ": ", violation.description);
  const size_t at = text.find(worded);
  if (at != std::string::npos) text.replace(at, violation.field.size(), name);
}

}  // namespace

std::string InJsonNames(std::string_view path, const Descriptor& request) {
  std::string named;
  const Descriptor* type = &request;
  std::string_view rest = path;
  while (true) {
    if (type == nullptr) return std::string(path);
    const std::string_view name = rest.substr(0, rest.find_first_of(".["));
    const FieldDescriptor* field = FindField(*type, name);
    if (field == nullptr) return std::string(path);
    named += field->json_name();
    rest.remove_prefix(name.size());
    const size_t dot = field->is_map() ? std::string_view::npos : rest.find('.');
    named += rest.substr(0, dot);
    if (dot == std::string_view::npos) return named;
    named += '.';
    rest.remove_prefix(dot + 1);
    type = field->message_type();
  }
}

absl::Status InJsonNames(const absl::Status& status, const Descriptor& request) {
  const std::vector<FieldViolation> violations = FieldViolations(status);
  if (violations.empty()) return status;
  std::string text(status.message());
  std::vector<FieldViolation> renamed;
  for (const FieldViolation& violation : violations) {
    renamed.push_back({InJsonNames(violation.field, request), violation.description});
    RenameIn(text, violation, renamed.back().field);
  }
  absl::Status result(status.code(), text);
  for (const FieldViolation& violation : renamed) {
    AddFieldViolation(result, violation.field, violation.description);
  }
  if (const std::string reason = Reason(status); !reason.empty()) SetReason(result, reason);
  for (const auto& [key, value] : Metadata(status)) SetMetadata(result, key, value);
  if (const std::optional<absl::Duration> delay = RetryDelay(status)) SetRetryDelay(result, *delay);
  return result;
}

}  // namespace tocsin::gateway
