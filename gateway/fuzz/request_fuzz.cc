// libFuzzer's entry: any bytes as HTTP requests, and whatever they say as pushes or as REST.
//
//   clang++ -fsanitize=fuzzer,address … request_fuzz.cc (with the gateway's libraries)
//
// request_fuzz_test.cc runs it on generated inputs in every build.
#include "gateway/fuzz/request_fuzz.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gateway/adapters/adapter.h"
#include "gateway/http/request_reader.h"
#include "gateway/monitor_id.h"
#include "gateway/push_parameters.h"
#include "gateway/rest/json_mapping.h"
#include "gateway/rest/json_reader.h"
#include "gateway/rest/reference.h"
#include "gateway/rest/request_mapping.h"
#include "gateway/route.h"
#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

bool IsClean(const std::string& text) {
  std::string cleaned;
  CleanUtf8(text, text.size(), cleaned);
  return cleaned == text;
}

void CheckParameters(const PushParameters& parameters) {
  Require(parameters.message.size() <= kMaxMessageBytes && IsClean(parameters.message));
  Require(parameters.run_id.size() <= kMaxRunIdBytes && IsClean(parameters.run_id));
  Require(parameters.output.size() <= kMaxOutputBytes);
  Require(!parameters.value || *parameters.value - *parameters.value == 0);  // finite
  Require(!parameters.exit_status ||
          (*parameters.exit_status >= 0 && *parameters.exit_status <= 255));
}

// Whatever another monitor's form says is fit to be sent to core, or is refused with a reason.
void CheckPeerPush(const http::Request& request) {
  const Target target = SplitTarget(request.target);
  const Adapter* const adapter = FindAdapter(target);
  if (adapter == nullptr) return;
  PushAddress to;
  PushParameters parameters;
  const absl::Status status = adapter->Read(target, request, to, parameters);
  if (!status.ok()) return Require(!status.message().empty());
  Require(!to.secret.empty());
  Require(to.monitor_id.empty() || IsMonitorId(to.monitor_id));
  CheckParameters(parameters);
}

void CheckPush(const http::Request& request) {
  static PushParser* const parser = new PushParser;
  static PushParameters* const parameters = new PushParameters;
  const Route route = ParseRoute(request.target);
  const absl::Status status = parser->Parse(
      {.query = route.query, .content_type = request.Header("Content-Type"), .body = request.body},
      *parameters);
  if (!status.ok()) return Require(!status.message().empty());
  CheckParameters(*parameters);
  Require(IsClean(parameters->warning));
}

void CheckApi(const http::Request& request) {
  static const auto* const table = new RouteTable(*RouteTable::Make(PublicServices()));
  const Target target = SplitTarget(request.target);
  if (target.path.substr(0, 4) != "/api") return;
  const RestInput input{.path = RequestPath::Split(target.path.substr(4)),
                        .query = target.query,
                        .content_type = {},
                        .body = request.body};
  const RestBinding* const binding = table->Find(request.method, input.path);
  if (binding == nullptr) return;
  const auto message = MapRequest(*binding, input, IsOutputOnly);
  if (!message.ok()) return Require(!message.status().message().empty());
  // What was understood can be said as JSON, and means the same when it is read again. (The paths
  // of a mask may be what JSON has no words for.)
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(**message, &text).ok()) return;
  const auto json = ReadJson(text);
  Require(json.ok());
  std::unique_ptr<google::protobuf::Message> again((*message)->New());
  std::vector<FieldViolation> violations;
  SetFromJson(*json, "", *again, violations);
  std::string text_again;
  Require(violations.empty());
  Require(google::protobuf::util::MessageToJsonString(*again, &text_again).ok());
  Require(text == text_again);
}

// Reads all of `input` in pieces of `step` bytes and returns what it saw, so that two ways of
// cutting can be compared.
std::string Read(std::string_view input, size_t step, bool check) {
  http::RequestReader reader({.head_bytes = 2048, .body_bytes = 4096});
  std::string held, seen;
  while (!input.empty()) {
    const std::string given = held + std::string(input.substr(0, step));
    input.remove_prefix(std::min(step, input.size()));
    std::string_view rest = given;
    while (!rest.empty()) {
      size_t consumed = 0;
      const auto state = reader.Feed(rest, consumed);
      Require(consumed <= rest.size());
      rest.remove_prefix(consumed);
      if (state == http::RequestReader::State::kRefused) {
        return seen + "refused " + std::to_string(reader.error().status);
      }
      if (state != http::RequestReader::State::kComplete) break;
      const http::Request& r = reader.request();
      seen.append(r.method).append(" ").append(r.target).append(" ").append(r.body).append("\n");
      if (check) CheckPush(r);
      if (check) CheckPeerPush(r);
      if (check) CheckApi(r);
      reader.Reset();
    }
    held = rest;
  }
  return seen;
}

}  // namespace
}  // namespace tocsin::gateway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tocsin::gateway::Read;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string whole = Read(input, size + 1, /*check=*/true);
  // A request means the same however the network cuts it, as far as both got. (Cut small, a
  // refusal may come before the end of a head that is only then seen to be too large.)
  const std::string cut = Read(input, 7, /*check=*/false);
  const size_t common = std::min(whole.rfind('\n') + 1, cut.rfind('\n') + 1);
  tocsin::gateway::Require(whole.compare(0, common, cut, 0, common) == 0);
  return 0;
}
