// Formats fields; spdlog adds the time and level and writes the line.
#include "common/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace tocsin {
namespace {

struct Backend {
  LogFormat format;
  std::unique_ptr<spdlog::logger> logger;
};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

Backend* MakeBackend(const LogOptions& options) {
  spdlog::sink_ptr sink;
  if (options.stream != nullptr) {
    sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(*options.stream, true);
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  const std::string pattern =
      options.format == LogFormat::kJson
          ? absl::StrCat(R"({"ts":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","service":")",
                         options.service, R"(",%v})")
          : absl::StrCat("ts=%Y-%m-%dT%H:%M:%S.%fZ level=%l service=", options.service, " %v");
  auto backend = std::make_unique<Backend>();
  backend->format = options.format;
  backend->logger = std::make_unique<spdlog::logger>(options.service, std::move(sink));
  backend->logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  backend->logger->set_level(ToSpdlog(options.level));
  return backend.release();
}

// Never destroyed: threads may log until the process ends.
std::atomic<Backend*>& CurrentBackend() {
  static std::atomic<Backend*> backend{MakeBackend(LogOptions{})};
  return backend;
}

std::string JsonString(std::string_view text) {
  return nlohmann::json(std::string(text))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Quoted(std::string_view text, LogFormat format) {
  if (format == LogFormat::kLogfmt) {
    bool plain = !text.empty();
    for (unsigned char c : text) {
      if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f) plain = false;
    }
    if (plain) return std::string(text);
  }
  return JsonString(text);
}

std::string FormatValue(const LogField::Value& value, LogFormat format) {
  struct Visitor {
    LogFormat format;
    std::string operator()(std::string_view v) const { return Quoted(v, format); }
    std::string operator()(const std::string& v) const { return Quoted(v, format); }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return absl::StrCat(v); }
    std::string operator()(uint64_t v) const { return absl::StrCat(v); }
    std::string operator()(double v) const {
      return std::isfinite(v) ? absl::StrCat(v) : Quoted(std::to_string(v), format);
    }
    std::string operator()(absl::Duration v) const {
      return Quoted(absl::FormatDuration(v), format);
    }
    std::string operator()(absl::Time v) const {
      return Quoted(absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", v, absl::UTCTimeZone()), format);
    }
  };
  return std::visit(Visitor{format}, value);
}

void AppendField(std::string& line, const char* key, const std::string& value, LogFormat format) {
  if (format == LogFormat::kJson) {
    absl::StrAppend(&line, line.empty() ? "" : ",", "\"", key, "\":", value);
  } else {
    absl::StrAppend(&line, line.empty() ? "" : " ", key, "=", value);
  }
}

template <typename Fields>
void Log(LogLevel level, AnyStringView event, const Fields& fields) {
  Backend* backend = CurrentBackend().load(std::memory_order_acquire);
  if (!backend->logger->should_log(ToSpdlog(level))) return;
  std::string line;
  AppendField(line, "event", Quoted(event.std(), backend->format), backend->format);
  for (const LogField& field : fields) {
    AppendField(line, field.key(), FormatValue(field.value(), backend->format), backend->format);
  }
  backend->logger->log(ToSpdlog(level), spdlog::string_view_t(line));
}

}  // namespace

absl::StatusOr<LogFormat> ParseLogFormat(AnyStringView text) {
  if (text.std() == "logfmt") return LogFormat::kLogfmt;
  if (text.std() == "json") return LogFormat::kJson;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text.absl(), "\" is not a log format: use logfmt or json"));
}

absl::StatusOr<LogLevel> ParseLogLevel(AnyStringView text) {
  if (text.std() == "debug") return LogLevel::kDebug;
  if (text.std() == "info") return LogLevel::kInfo;
  if (text.std() == "warning") return LogLevel::kWarning;
  if (text.std() == "error") return LogLevel::kError;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text.absl(), "\" is not a log level: use debug, info, warning or error"));
}

void InitLogging(const LogOptions& options) {
  delete CurrentBackend().exchange(MakeBackend(options), std::memory_order_acq_rel);
}

bool LogEnabled(LogLevel level) {
  return CurrentBackend().load(std::memory_order_acquire)->logger->should_log(ToSpdlog(level));
}

void LogDebug(AnyStringView event, std::initializer_list<LogField> fields) {
  Log(LogLevel::kDebug, event, fields);
}
void LogInfo(AnyStringView event, std::initializer_list<LogField> fields) {
  Log(LogLevel::kInfo, event, fields);
}
void LogWarning(AnyStringView event, std::initializer_list<LogField> fields) {
  Log(LogLevel::kWarning, event, fields);
}
void LogError(AnyStringView event, std::initializer_list<LogField> fields) {
  Log(LogLevel::kError, event, fields);
}

ChangeLogger::ChangeLogger(std::string event) : event_(std::move(event)) {}

void ChangeLogger::Report(const absl::Status& status, std::initializer_list<LogField> fields) {
  absl::MutexLock lock(&mutex_);
  if (status.ok() && last_.ok()) return;
  std::vector<LogField> all(fields);
  if (status.ok()) {
    all.emplace_back("failures", failures_);
    Log(LogLevel::kInfo, absl::StrCat(event_, "_recovered"), all);
    failures_ = 0;
  } else {
    ++failures_;
    if (status.code() != last_.code() || status.message() != last_.message()) {
      all.emplace_back("error", status);
      Log(LogLevel::kWarning, event_, all);
    }
  }
  last_ = status;
}

}  // namespace tocsin
