// What an export of another monitor becomes.
#include "cli/import_batch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/table.h"
#include "common/sha256.h"

namespace tocsin::cli {
namespace {

constexpr size_t kMaxLabels = 32;
constexpr size_t kMaxLabelKeyBytes = 63;
constexpr size_t kMaxLabelValueBytes = 128;
// Enough of a hash to tell the nameless monitors of an export apart.
constexpr size_t kFallbackDigits = 12;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The beginning of valid UTF-8.
absl::string_view Beginning(absl::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  while (max_bytes > 0 && IsContinuation(text[max_bytes])) --max_bytes;
  return text.substr(0, max_bytes);
}

std::string LabelKey(absl::string_view tag) {
  std::string key;
  for (char c : tag) {
    if (IsContinuation(c)) continue;  // its character has its "-" already
    c = absl::ascii_tolower(static_cast<unsigned char>(c));
    const bool fit = absl::ascii_islower(static_cast<unsigned char>(c)) ||
                     absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '_' || c == '.' ||
                     c == '-';
    key += fit ? c : '-';
  }
  return key;
}

}  // namespace

void ImportBatch::Add(ImportedMonitor entry, absl::string_view id_source, absl::string_view token) {
  if (entry.refusal.empty() && entry.skipped.empty()) {
    entry.push_token_sha256 = Hex(Sha256Bytes(token));
    const auto [first, is_new] = places_.emplace(entry.push_token_sha256, entry.place);
    if (!is_new) {
      entry.refusal = absl::StrCat("its push URL is that of ", first->second, ", too");
    } else {
      entry.id = UniqueId(
          id_source, absl::StrCat("imported-", entry.push_token_sha256.substr(0, kFallbackDigits)));
    }
  }
  entries_.push_back(std::move(entry));
}

void ImportBatch::AddWithoutToken(ImportedMonitor entry, absl::string_view id_source,
                                  absl::string_view fallback) {
  if (entry.refusal.empty() && entry.skipped.empty()) {
    entry.id = UniqueId(id_source, fallback);
    const std::string wanted = IdOfName(id_source);
    if (entry.id != wanted && !wanted.empty()) {
      entry.notes.push_back(absl::StrCat("its id is not ", wanted, ", which another one has"));
    }
  }
  entries_.push_back(std::move(entry));
}

std::string ImportBatch::UniqueId(absl::string_view id_source, absl::string_view fallback) {
  std::string base = IdOfName(id_source);
  if (base.empty()) base = std::string(fallback);
  std::string id = base;
  for (int copy = 2; !ids_.insert(id).second; ++copy) {
    const std::string suffix = absl::StrCat("-", copy);
    id = absl::StrCat(base.substr(0, kMaxIdBytes - suffix.size()), suffix);
  }
  return id;
}

std::string IdOfName(absl::string_view name) {
  const bool all_known = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == ' ';
  });
  std::string id;
  for (const unsigned char c : name) {
    const char mapped = absl::ascii_isalnum(c) ? absl::ascii_tolower(c) : '-';
    if (mapped == '-' && (id.empty() || (!all_known && id.back() == '-'))) continue;
    id += mapped;
  }
  if (id.size() > kMaxIdBytes) id.resize(kMaxIdBytes);
  while (!all_known && !id.empty() && id.back() == '-') id.pop_back();
  return id;
}

std::string Bounded(absl::string_view text, size_t max_bytes, absl::string_view what,
                    std::vector<std::string>& notes) {
  const absl::string_view kept = Beginning(text, max_bytes);
  if (kept.size() < text.size()) {
    notes.push_back(absl::StrCat(what, " is cut to its first ", kept.size(), " bytes"));
  }
  return std::string(kept);
}

void AddTag(absl::string_view key, absl::string_view value, ImportedMonitor& entry) {
  const std::string shown =
      Shortened(OneLine(value.empty() ? std::string(key) : absl::StrCat(key, "=", value)));
  const auto leave_out = [&](absl::string_view why) {
    entry.notes.push_back(absl::StrCat("the tag \"", shown, "\" is left out: ", why));
  };
  const std::string mapped = LabelKey(key);
  const bool same_key = mapped == absl::AsciiStrToLower(key);
  const std::string label = value.empty() ? absl::StrCat("tag.", mapped) : mapped;
  if (key.empty() || label.size() > kMaxLabelKeyBytes) {
    return leave_out(absl::StrCat("keys of labels have 1 to ", kMaxLabelKeyBytes, " characters"));
  }
  // Tags that have the same key here are told apart by their values.
  std::string kept = value.empty() ? (same_key ? "true" : std::string(key))
                                   : Bounded(value, kMaxLabelValueBytes,
                                             absl::StrCat("the tag \"", shown, "\""), entry.notes);
  auto& labels = *entry.monitor.mutable_labels();
  if (const auto found = labels.find(label); found != labels.end()) {
    if (found->second == kept) return;
    return leave_out(
        absl::StrCat("there is the label ", label, "=", Shortened(OneLine(found->second))));
  }
  if (labels.size() >= kMaxLabels) {
    return leave_out(absl::StrCat("a monitor has at most ", kMaxLabels, " labels"));
  }
  if (!same_key) {
    entry.notes.push_back(absl::StrCat("the tag \"", shown, "\" is the label ", label));
  }
  labels[label] = std::move(kept);
}

google::protobuf::Duration DurationProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
  return proto;
}

}  // namespace tocsin::cli
