// Opsgenie heartbeats: /v2/heartbeats/<name>/ping with "Authorization: GenieKey <push key>", or
// with the key as the password of Basic, as Alertmanager's webhook can send it. Each is an up.
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "common/any_string_view.h"
#include "gateway/adapters/adapter.h"
#include "gateway/adapters/reading.h"
#include "gateway/credential.h"
#include "gateway/monitor_id.h"
#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

constexpr std::string_view kPrefix = "/v2/heartbeats/";

// The password of "Authorization: Basic" (RFC 7617), or the name where that is empty.
std::string BasicKeyOf(const http::Request& request) {
  const std::string_view encoded = CredentialOf(request, "Basic");
  std::string pair;
  if (encoded.empty() || !absl::Base64Unescape(AnyStringView(encoded).absl(), &pair)) return "";
  const size_t colon = pair.find(':');
  if (colon == std::string::npos) return "";
  return colon + 1 < pair.size() ? pair.substr(colon + 1) : pair.substr(0, colon);
}

class Opsgenie final : public Adapter {
 public:
  std::string_view route() const override { return "/v2/heartbeats"; }
  std::string_view methods() const override { return "GET, POST, PUT, PATCH, OPTIONS"; }

  bool Wants(const Target& target) const override {
    if (target.path.substr(0, kPrefix.size()) != kPrefix) return false;
    const std::vector<std::string> parts = PathParts(target.path);
    return parts.size() == 4 && parts[3] == "ping";
  }

  absl::Status Read(const Target& target, const http::Request& request, PushAddress& to,
                    PushParameters&) const override {
    std::string key(CredentialOf(request, "GenieKey"));
    if (key.empty()) key = BasicKeyOf(request);
    if (key.empty()) {
      return absl::UnauthenticatedError(
          "Could not authenticate: send Authorization: GenieKey with a push key.");
    }
    const auto monitor = MonitorIdOf(PathParts(target.path)[2]);
    if (!monitor) {
      return absl::InvalidArgumentError(
          "The name of the heartbeat must be 1 to 63 letters, digits, -, _, . and spaces.");
    }
    to.secret = std::move(key);
    to.monitor_id = *monitor;
    return absl::OkStatus();
  }

 private:
  void Say(const PushReply& reply, http::Response& out) const override {
    const bool recorded = IsRecorded(reply.verdict);
    if (recorded) out.status = 202;
    const std::string_view text = recorded ? "PONG - Heartbeat received"
                                  : reply.verdict == PushVerdict::kUnknown
                                      ? "No heartbeat with this name, or no such key."
                                      : reply.text;
    out.content_type = "application/json";
    out.body = (recorded ? "{\"result\":" : "{\"message\":") + JsonString(text) +
               absl::StrFormat(",\"took\":%.3f,\"requestId\":", absl::ToDoubleSeconds(reply.took)) +
               JsonString(reply.request_id) + "}";
  }
};

}  // namespace

const Adapter& OpsgenieAdapter() {
  static const Opsgenie* const adapter = new Opsgenie;
  return *adapter;
}

}  // namespace tocsin::gateway
