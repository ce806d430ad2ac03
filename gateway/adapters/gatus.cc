// Gatus' external endpoints: POST /api/v1/endpoints/<group>_<name>/external?success=…&error=…&
// duration=… with "Authorization: Bearer <push key>".
//
// The error, of the query and of the body, becomes the message of a failure; the duration the
// value, in seconds.
#include <cmath>
#include <nlohmann/json.hpp>

#include "gateway/adapters/adapter.h"
#include "gateway/adapters/plain_text.h"
#include "gateway/adapters/reading.h"
#include "gateway/credential.h"
#include "gateway/monitor_id.h"
#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

constexpr std::string_view kPrefix = "/api/v1/endpoints/";

// As Go writes and reads durations: "1m30s", "2.5ms", "80µs".
std::optional<double> ReadDuration(std::string text) {
  for (const std::string_view micro : {"\u00B5", "\u03BC"}) {
    const size_t at = text.find(micro);
    if (at != std::string::npos) text.replace(at, micro.size(), "u");
  }
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) return std::nullopt;
  const double seconds = absl::ToDoubleSeconds(duration);
  if (!std::isfinite(seconds)) return std::nullopt;
  return seconds;
}

// {"error":"…"}; empty when the body is something else.
std::string ErrorOf(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  const auto found = json.is_object() ? json.find("error") : json.end();
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class Gatus final : public Adapter {
 public:
  std::string_view route() const override { return "/api/v1/endpoints"; }
  std::string_view methods() const override { return "POST, OPTIONS"; }

  bool Wants(const Target& target) const override {
    if (target.path.substr(0, kPrefix.size()) != kPrefix) return false;
    const std::vector<std::string> parts = PathParts(target.path);
    return parts.size() == 5 && parts[4] == "external";
  }

  absl::Status Read(const Target& target, const http::Request& request, PushAddress& to,
                    PushParameters& out) const override {
    // Before anything is refused, so that it is known whose push was.
    to.secret = CredentialOf(request, "Bearer");
    const auto monitor = MonitorIdOf(PathParts(target.path)[3]);
    if (monitor) to.monitor_id = *monitor;
    const auto success = FindParameter(target.query, "success");
    if (success != "true" && success != "false") {
      return absl::InvalidArgumentError("missing or invalid success query parameter");
    }
    if (to.secret.empty()) return absl::UnauthenticatedError("invalid Authorization header");
    if (!monitor) {
      return absl::InvalidArgumentError(
          "invalid key: it must be 1 to 63 letters, digits, -, _ and .");
    }
    const std::string duration = FindParameter(target.query, "duration").value_or("");
    if (!duration.empty()) {
      out.value = ReadDuration(duration);
      if (!out.value) {
        return absl::InvalidArgumentError("invalid duration: it must be like 10s or 1m30s");
      }
    }
    if (success == "true") return absl::OkStatus();
    out.kind = PushKind::kDown;
    std::string error = FindParameter(target.query, "error").value_or("");
    if (const std::string more = ErrorOf(request.body); !more.empty()) {
      error += (error.empty() ? "" : "; ") + more;
    }
    CleanUtf8(error, kMaxMessageBytes, out.message);
    return absl::OkStatus();
  }

 private:
  void Say(const PushReply& reply, http::Response& out) const override {
    // Recorded: 200 without a body.
    if (IsRecorded(reply.verdict)) return;
    SayPlainText(reply.verdict == PushVerdict::kUnknown ? "not found" : reply.text, out);
  }
};

}  // namespace

const Adapter& GatusAdapter() {
  static const Gatus* const adapter = new Gatus;
  return *adapter;
}

}  // namespace tocsin::gateway
