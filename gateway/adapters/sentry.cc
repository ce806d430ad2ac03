// Sentry's check-ins: /api/<project>/cron/<slug>/<key>/?status=…&check_in_id=…&duration=…, where
// the key may also be the parameter or the X-Sentry-Auth field "sentry_key", and status,
// check_in_id and duration may come in a JSON body. The key is a push key, the project is not
// looked at.
//
// in_progress is a start, and the check-in is the run; all zeros mean the run without an id. A body
// with monitor_config makes a monitor that is missing, if the push key may, but with the defaults
// of the key. environment is not kept.
#include <nlohmann/json.hpp>

#include "gateway/adapters/adapter.h"
#include "gateway/adapters/reading.h"
#include "gateway/monitor_id.h"
#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

constexpr std::string_view kPrefix = "/api/";

// "Sentry sentry_version=7, sentry_key=abc" → "abc".
std::string KeyOfHeader(std::string_view header) {
  constexpr std::string_view kName = "sentry_key=";
  const size_t at = header.find(kName);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = header.substr(at + kName.size());
  return std::string(TrimSpace(rest.substr(0, rest.find_first_of(", "))));
}

// A UUID, with its dashes or without, in lower case without; empty for one of zeros.
std::optional<std::string> ReadCheckIn(std::string text) {
  if (text.size() == 32) {
    for (const size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
  }
  const auto uuid = ReadUuid(text);
  if (!uuid) return std::nullopt;
  std::string id;
  for (const char c : *uuid) {
    if (c != '-') id += c;
  }
  if (id.find_first_not_of('0') == std::string::npos) id.clear();
  return id;
}

struct CheckIn {
  std::string status, id, duration;
  bool configured = false;

  // The query wins over the body.
  void Read(const Target& target, std::string_view body) {
    const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
    const auto field = [&](const char* name) {
      const auto in_query = FindParameter(target.query, name);
      if (in_query && !in_query->empty()) return *in_query;
      const auto found = json.is_object() ? json.find(name) : json.end();
      if (found == json.end()) return std::string();
      return found->is_string()   ? found->get<std::string>()
             : found->is_number() ? found->dump()
                                  : std::string();
    };
    status = field("status");
    id = field("check_in_id");
    duration = field("duration");
    configured = json.is_object() && json.contains("monitor_config");
  }
};

class Sentry final : public Adapter {
 public:
  std::string_view route() const override { return "/api/<project>/cron"; }
  std::string_view methods() const override { return "GET, HEAD, POST, OPTIONS"; }

  bool Wants(const Target& target) const override {
    std::string_view rest = target.path;
    if (rest.substr(0, kPrefix.size()) != kPrefix) return false;
    rest.remove_prefix(kPrefix.size());
    // Projects are numbers: nothing else of ours looks like that.
    const size_t end = rest.find_first_not_of("0123456789");
    if (end == 0 || end == std::string_view::npos) return false;
    constexpr std::string_view kCron = "/cron/";
    rest.remove_prefix(end);
    return rest.size() > kCron.size() && rest.substr(0, kCron.size()) == kCron;
  }

  absl::Status Read(const Target& target, const http::Request& request, PushAddress& to,
                    PushParameters& out) const override {
    const std::vector<std::string> parts = PathParts(target.path);
    if (parts.size() > 5) {
      return absl::InvalidArgumentError("the path must be /api/<project>/cron/<slug>/<push key>/");
    }
    to.secret =
        parts.size() == 5 ? parts[4] : FindParameter(target.query, "sentry_key").value_or("");
    if (to.secret.empty()) to.secret = KeyOfHeader(request.Header("X-Sentry-Auth"));
    if (to.secret.empty()) return absl::UnauthenticatedError("missing authorization information");
    const auto monitor = MonitorIdOf(parts[3]);
    if (!monitor) {
      return absl::InvalidArgumentError("the slug must be 1 to 63 of a-z, 0-9, - and _");
    }
    to.monitor_id = *monitor;
    return ReadCheckInOf(target, request.body, out);
  }

 private:
  static absl::Status ReadCheckInOf(const Target& target, std::string_view body,
                                    PushParameters& out) {
    CheckIn said;
    said.Read(target, body);
    if (said.status == "in_progress") {
      out.kind = PushKind::kStart;
    } else if (said.status == "error") {
      out.kind = PushKind::kDown;
    } else if (said.status != "ok") {
      return absl::InvalidArgumentError("status must be in_progress, ok or error");
    }
    if (!said.id.empty()) {
      const auto run = ReadCheckIn(said.id);
      if (!run) return absl::InvalidArgumentError("check_in_id must be a UUID");
      out.run_id = *run;
    }
    if (!said.duration.empty()) {
      out.value = ReadNumber(said.duration);
      if (!out.value) return absl::InvalidArgumentError("duration must be a number of seconds");
    }
    out.create = said.configured;
    return absl::OkStatus();
  }

  void Say(const PushReply& reply, http::Response& out) const override {
    if (IsRecorded(reply.verdict)) {
      out.status = 202;
      return;
    }
    out.content_type = "application/json";
    out.body = "{\"detail\":" +
               JsonString(reply.verdict == PushVerdict::kUnknown
                              ? "no monitor with this slug, or no such key"
                              : reply.text) +
               "}";
  }
};

}  // namespace

const Adapter& SentryAdapter() {
  static const Sentry* const adapter = new Sentry;
  return *adapter;
}

}  // namespace tocsin::gateway
