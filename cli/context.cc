// What every command shares: how to reach core, how to name things and how to print answers.
#include "cli/context.h"

#include <google/protobuf/util/json_util.h>
#include <grpc/support/time.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "cli/duration.h"
#include "cli/message_json.h"
#include "cli/table.h"
#include "cli/yaml_text.h"
#include "common/flags.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace tocsin::cli {

std::string Context::Parent() const { return absl::StrCat("projects/", project); }

std::string Context::Name(absl::string_view collection, absl::string_view id) const {
  if (absl::StartsWith(id, "projects/")) return std::string(id);
  return absl::StrCat(Parent(), "/", collection, "/", id);
}

std::shared_ptr<grpc::Channel> Context::Connect() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // core is in the private network
  // A stream that is quiet because the network has gone is noticed, and not waited for forever.
  // Core takes a ping every 5 s.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  return grpc::CreateCustomChannel(core, grpc::InsecureChannelCredentials(), arguments);
}

void Context::SetDeadline(grpc::ClientContext& call) const {
  const absl::Duration timeout = ParseDuration(rpc_timeout).value_or(absl::Seconds(10));
  call.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                   gpr_time_from_nanos(absl::ToInt64Nanoseconds(timeout), GPR_TIMESPAN)));
}

namespace {

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : std::string(absl::StripAsciiWhitespace(value));
}

}  // namespace

std::string FindConfigPath() {
  return ConfigPath(Variable("TOCSIN_CONFIG"), Variable("XDG_CONFIG_HOME"), Variable("HOME"));
}

absl::StatusOr<Settings> FindSettings(const FlagSettings& flags) {
  const std::string path = FindConfigPath();
  Config config;
  if (!path.empty()) {
    ASSIGN_OR_RETURN(config, ReadConfigFile(path));
  }
  return Resolve(flags,
                 {.context = Variable("TOCSIN_CONTEXT"),
                  .core = Variable("TOCSIN_CORE_ADDRESS"),
                  .project = Variable("TOCSIN_PROJECT"),
                  .key_file = Variable("TOCSIN_KEY_FILE"),
                  .key = !Variable("TOCSIN_KEY").empty()},
                 config);
}

absl::Status Context::Settle() {
  ASSIGN_OR_RETURN(const Settings settings, FindSettings(flags));
  core = settings.core.value;
  project = settings.project.value;
  key_file = settings.key_file.value;
  key_in_environment = settings.key_file.from == "TOCSIN_KEY";
  return absl::OkStatus();
}

std::string Context::KeySource() const {
  if (!key_file.empty()) return absl::StrCat("the file ", key_file);
  return key_in_environment ? "TOCSIN_KEY" : "";
}

absl::Status Context::AddKey(grpc::ClientContext& call) const {
  const std::string source = KeySource();
  if (source.empty()) return absl::OkStatus();
  std::string key = Variable("TOCSIN_KEY");
  if (!key_file.empty()) {
    absl::StatusOr<std::string> read = ReadSecretFile(key_file);
    if (!read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("the key: ", read.status().message()));
    }
    key = std::string(absl::StripAsciiWhitespace(*read));
  }
  const bool fit = absl::StartsWith(key, "tk_") && std::all_of(key.begin(), key.end(), [](char c) {
                     return absl::ascii_isgraph(c);
                   });
  if (!fit) {
    return absl::InvalidArgumentError(
        absl::StrCat("what is in ", source, " is no key: keys begin with tk_"));
  }
  call.AddMetadata("authorization", absl::StrCat("Bearer ", key));
  return absl::OkStatus();
}

namespace {

// Protobuf JSON with a newline at its end: indented, or on one line.
std::string JsonText(const google::protobuf::Message& message, bool one_line) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = !one_line;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) std::cerr << "tocsin: the answer is no JSON: " << status.ToString() << "\n";
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

}  // namespace

std::string Context::Cell(absl::string_view text) const {
  return wide() ? std::string(text) : Shortened(text);
}

void Context::PrintJsonText(const std::string& json) const {
  Print(yaml() ? JsonToYaml(json) : absl::StrCat(absl::StripTrailingAsciiWhitespace(json), "\n"));
}

void Context::PrintOne(const google::protobuf::Message& message) const {
  PrintJsonText(JsonText(message, json_lines()));
}

void Context::PrintNext(const google::protobuf::Message& message) const {
  const std::string json = JsonText(message, /*one_line=*/true);
  Print(yaml() ? absl::StrCat("---\n", JsonToYaml(json)) : json);
}

void Context::PrintNextJson(const nlohmann::ordered_json& json) const {
  Print(yaml() ? absl::StrCat("---\n", ToYaml(json))
               : absl::StrCat(DumpJson(json, /*one_line=*/true), "\n"));
}

void Context::PrintAll(const google::protobuf::Message& response) const {
  if (!json_lines()) return PrintOne(response);
  const google::protobuf::Reflection& reflection = *response.GetReflection();
  const google::protobuf::Descriptor& type = *response.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = type.field(i);
    if (!field->is_repeated() ||
        field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    }
    for (int item = 0; item < reflection.FieldSize(response, field); ++item) {
      PrintNext(reflection.GetRepeatedMessage(response, field, item));
    }
  }
}

bool WaitToTryAgain(const absl::Status& status, int tries) {
  constexpr int kMaxTries = 3;
  constexpr absl::Duration kLongestWait = absl::Seconds(2);
  const absl::string_view text = status.message();
  const bool lost = absl::StrContains(text, "Socket closed") ||
                    absl::StrContains(text, "Connection reset") ||
                    absl::StrContains(text, "GOAWAY");
  const std::optional<absl::Duration> asked = RetryDelay(status);
  if (!absl::IsUnavailable(status) || tries >= kMaxTries || !(lost || asked)) return false;
  absl::Notification never;
  never.WaitForNotificationWithTimeout(
      std::min(asked.value_or(absl::Milliseconds(100)), kLongestWait));
  return true;
}

void Print(absl::string_view text) { std::cout << text << std::flush; }

}  // namespace tocsin::cli
