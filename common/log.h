// Structured logs: one line per event on stderr, logfmt or JSON.
//
//   LogInfo("delivery_sent", {{"channel", name}, {"attempts", 3}, {"took", elapsed}});
//   ts=2026-01-05T12:00:00.000000Z level=info service=tocsin-notifier event=delivery_sent …
//
// Event names are snake_case words that do not change; what varies goes into fields. Secrets
// never go in. Thread safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <string_view>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/any_string_view.h"

namespace tocsin {

enum class LogFormat { kLogfmt, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

absl::StatusOr<LogFormat> ParseLogFormat(AnyStringView text);  // logfmt, json
absl::StatusOr<LogLevel> ParseLogLevel(AnyStringView text);    // debug, info, warning, error

struct LogOptions {
  std::string service = "tocsin";
  LogFormat format = LogFormat::kLogfmt;
  LogLevel level = LogLevel::kInfo;
  std::ostream* stream = nullptr;  // instead of stderr; must outlive the next InitLogging
};

// Call once, early in main(); lines logged before use the defaults. Calls do not overlap with
// logging from other threads.
void InitLogging(const LogOptions& options);

// A key and a value. Views are not owned: a field lives as long as the call it is passed to.
class LogField {
 public:
  LogField(const char* key, AnyStringView value) : key_(key), value_(value.std()) {}
  LogField(const char* key, const char* value) : LogField(key, AnyStringView(value)) {}
  LogField(const char* key, bool value) : key_(key), value_(value) {}
  LogField(const char* key, std::signed_integral auto value)
      : key_(key), value_(static_cast<int64_t>(value)) {}
  LogField(const char* key, std::unsigned_integral auto value)
      : key_(key), value_(static_cast<uint64_t>(value)) {}
  LogField(const char* key, std::floating_point auto value)
      : key_(key), value_(static_cast<double>(value)) {}
  LogField(const char* key, absl::Duration value) : key_(key), value_(value) {}
  LogField(const char* key, absl::Time value) : key_(key), value_(value) {}
  // "CODE: message"
  LogField(const char* key, const absl::Status& value) : key_(key), value_(value.ToString()) {}

  using Value = std::variant<std::string_view, bool, int64_t, uint64_t, double, absl::Duration,
                             absl::Time, std::string>;
  const char* key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  const char* key_;
  Value value_;
};

void LogDebug(AnyStringView event, std::initializer_list<LogField> fields = {});
void LogInfo(AnyStringView event, std::initializer_list<LogField> fields = {});
void LogWarning(AnyStringView event, std::initializer_list<LogField> fields = {});
void LogError(AnyStringView event, std::initializer_list<LogField> fields = {});

// Whether lines of this level are written: guards fields that are expensive to make.
bool LogEnabled(LogLevel level);

// For what is tried again and again: a failure is logged when it begins or changes, and its end
// is logged once, with the number of failures that were not. Thread safe.
class ChangeLogger {
 public:
  // `event` names the lines, e.g. "database_connection"; the end is `event` + "_recovered".
  explicit ChangeLogger(std::string event);

  void Report(const absl::Status& status, std::initializer_list<LogField> fields = {});

 private:
  const std::string event_;
  absl::Mutex mutex_;
  absl::Status last_ ABSL_GUARDED_BY(mutex_);
  int64_t failures_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tocsin
