// Details kept as payloads of the status. The encodings are private to this process.
#include "common/status_details.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace tocsin {
namespace {

constexpr char kViolations[] = "tocsin/field_violations";  // field NUL description NUL …
constexpr char kReason[] = "tocsin/reason";                // the word itself
constexpr char kMetadata[] = "tocsin/metadata";            // key NUL value NUL …
constexpr char kRetryDelay[] = "tocsin/retry_delay";       // nanoseconds, decimal

std::string Payload(const absl::Status& status, const char* url) {
  auto cord = status.GetPayload(url);
  return cord.has_value() ? std::string(*cord) : std::string();
}

std::string WithoutNul(AnyStringView s) {
  return absl::StrReplaceAll(s.absl(), {{absl::string_view("\0", 1), ""}});
}

void AddPair(absl::Status& status, const char* url, AnyStringView first, AnyStringView second) {
  std::string payload = Payload(status, url);
  payload += WithoutNul(first);
  payload.push_back('\0');
  payload += WithoutNul(second);
  payload.push_back('\0');
  status.SetPayload(url, absl::Cord(payload));
}

}  // namespace

void AddFieldViolation(absl::Status& status, AnyStringView field, AnyStringView description) {
  AddPair(status, kViolations, field, description);
}

std::vector<FieldViolation> FieldViolations(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  std::vector<std::string> parts = absl::StrSplit(Payload(status, kViolations), '\0');
  for (size_t i = 0; i + 1 < parts.size(); i += 2) {
    violations.push_back({std::move(parts[i]), std::move(parts[i + 1])});
  }
  return violations;
}

void SetReason(absl::Status& status, AnyStringView reason) {
  status.SetPayload(kReason, absl::Cord(reason.absl()));
}

std::string Reason(const absl::Status& status) { return Payload(status, kReason); }

void SetMetadata(absl::Status& status, AnyStringView key, AnyStringView value) {
  AddPair(status, kMetadata, key, value);
}

std::map<std::string, std::string> Metadata(const absl::Status& status) {
  std::map<std::string, std::string> metadata;
  std::vector<std::string> parts = absl::StrSplit(Payload(status, kMetadata), '\0');
  for (size_t i = 0; i + 1 < parts.size(); i += 2) metadata[parts[i]] = std::move(parts[i + 1]);
  return metadata;
}

void SetRetryDelay(absl::Status& status, absl::Duration delay) {
  status.SetPayload(kRetryDelay, absl::Cord(absl::StrCat(absl::ToInt64Nanoseconds(delay))));
}

std::optional<absl::Duration> RetryDelay(const absl::Status& status) {
  int64_t nanos;
  if (!absl::SimpleAtoi(Payload(status, kRetryDelay), &nanos)) return std::nullopt;
  return absl::Nanoseconds(nanos);
}

absl::Status WithMessage(const absl::Status& status, AnyStringView message) {
  absl::Status result(status.code(), message.absl());
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { result.SetPayload(url, payload); });
  return result;
}

}  // namespace tocsin
