// Healthchecks: /ping/<uuid>[/<signal>] and /ping/<ping key>/<slug>[/<signal>], where a signal is
// start, fail, log or an exit status. hc-ping.com has the same without /ping: what begins with a
// UUID, or with a push key of ours.
//
// The UUID is a push token (in lower case, with its dashes), and our own tokens are taken in its
// place. A first part that is neither a UUID nor followed by a signal is a push key; one that
// begins with "tk_" always is, so that its monitors may be called "start" or "17".
#include "gateway/adapters/adapter.h"
#include "gateway/adapters/plain_text.h"
#include "gateway/adapters/reading.h"
#include "gateway/credential.h"
#include "gateway/monitor_id.h"

namespace tocsin::gateway {
namespace {

constexpr std::string_view kPrefix = "/ping/";
constexpr char kBadUrl[] = "invalid url format";

bool IsBelowPing(std::string_view path) {
  return path.size() > kPrefix.size() && path.substr(0, kPrefix.size()) == kPrefix;
}

// An exit status too large is a signal that is wrong, and no slug.
bool IsSignal(std::string_view part) {
  return part == "start" || part == "fail" || part == "log" || IsDigits(part);
}

bool ReadSignal(std::string_view part, PushParameters& out) {
  if (part == "start") {
    out.kind = PushKind::kStart;
  } else if (part == "fail") {
    out.kind = PushKind::kDown;
  } else if (part == "log") {
    out.kind = PushKind::kLog;
  } else {
    out.exit_status = ReadExitStatus(part);
    if (out.exit_status) out.kind = *out.exit_status == 0 ? PushKind::kUp : PushKind::kDown;
    return out.exit_status.has_value();
  }
  return true;
}

// [a-z0-9-_]+
bool IsSlug(std::string_view part) {
  return part.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

class Healthchecks final : public Adapter {
 public:
  std::string_view route() const override { return "/ping"; }
  std::string_view methods() const override { return "HEAD, GET, POST, OPTIONS"; }
  std::string_view cache_control() const override {
    return "max-age=0, no-cache, no-store, must-revalidate, private";
  }

  bool Wants(const Target& target) const override {
    if (IsBelowPing(target.path)) return true;
    const std::string_view first = target.path.substr(0, target.path.find('/', 1));
    if (first.empty()) return false;
    return LooksLikeKey(first.substr(1)) || ReadUuid(first.substr(1)).has_value();
  }

  absl::Status Read(const Target& target, const http::Request& request, PushAddress& to,
                    PushParameters& out) const override {
    const bool below = IsBelowPing(target.path);
    const std::vector<std::string> parts =
        PathParts(below ? target.path.substr(kPrefix.size() - 1) : target.path);
    if (!ReadPath(parts, to, out)) return absl::InvalidArgumentError(kBadUrl);
    if (const auto run = FindParameter(target.query, "rid")) {
      const auto uuid = ReadUuid(*run);
      if (!uuid) return absl::InvalidArgumentError("invalid uuid format");
      out.run_id = *uuid;
    }
    out.create = !to.monitor_id.empty() && FindParameter(target.query, "create") == "1";
    out.output.assign(request.body.substr(0, kMaxOutputBytes));
    return absl::OkStatus();
  }

 private:
  static bool ReadPath(const std::vector<std::string>& parts, PushAddress& to,
                       PushParameters& out) {
    if (parts.size() > 3) return false;
    for (const std::string& part : parts) {
      if (part.empty()) return false;
    }
    const auto uuid = ReadUuid(parts[0]);
    to.secret = uuid.value_or(parts[0]);
    if (parts.size() == 1) return true;
    const bool key = !uuid && (parts.size() == 3 || !IsSignal(parts[1]) || LooksLikeKey(parts[0]));
    if (!key) return parts.size() == 2 && ReadSignal(parts[1], out);
    const auto monitor = IsSlug(parts[1]) ? MonitorIdOf(parts[1]) : std::nullopt;
    if (!monitor) return false;
    to.monitor_id = *monitor;
    return parts.size() == 2 || ReadSignal(parts[2], out);
  }

  void Say(const PushReply& reply, http::Response& out) const override {
    out.headers.emplace_back("Ping-Body-Limit", std::to_string(kMaxOutputBytes));
    switch (reply.verdict) {
      case PushVerdict::kRecorded:
      case PushVerdict::kPaused:
        return SayPlainText("OK", out);
      case PushVerdict::kCreated:
        return SayPlainText("Created", out);
      case PushVerdict::kUnknown:
        return SayPlainText("not found", out);
      default:
        return SayPlainText(reply.text, out);
    }
  }
};

}  // namespace

const Adapter& HealthchecksAdapter() {
  static const Healthchecks* const adapter = new Healthchecks;
  return *adapter;
}

}  // namespace tocsin::gateway
