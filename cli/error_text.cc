// How the command line words the errors of core: with flags where the API has fields.
#include "cli/error_text.h"

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "cli/table.h"
#include "common/status_details.h"

namespace tocsin::cli {
namespace {

// Where flag and field have different names, and what nobody types.
constexpr std::pair<absl::string_view, absl::string_view> kNames[] = {
    {"monitor_id", "ID"},
    {"channel_id", "ID"},
    {"key_id", "ID"},
    {"project_id", "ID"},
    {"maintenance_id", "ID"},
    {"monitors", "--monitor"},
    {"start_time", "--start"},
    {"end_time", "--for, --until"},
    {"duration", "--window"},
    {"expire_time", "--expires-in"},
    {"mute_id", "ID"},
    {"name", "ID"},
    {"push_token", "TOKEN"},
    {"kind", "--status"},
    {"run_id", "--run"},
    {"expression", "--cron"},
    {"schedule", "--timeout, --cron"},
    {"labels", "--label"},
    {"headers", "--header"},
    {"channels", "--channel"},
    {"parent", "--project"},
    {"fallback_channel", "--fallback"},
    {"group_limit", "--group-limit"},
    {"group_wait", "--group-wait"},
    {"page_size", "page_size"},
    {"webhook_secret", "--secret"},
    {"push", "--may-create, --max-monitors, --create-…"},
    {"defaults", "--create-…"},
    {"page_token", "page_token"},
    {"push_id", "push_id"},
    {"update_mask", "update_mask"},
};

// What core accepts, in the words that people type.
constexpr auto kWords = std::to_array<std::pair<absl::string_view, absl::string_view>>({
    {"the role ROLE_PUSHER", "--role pusher"},
    {"ROLE_VIEWER", "viewer"},
    {"ROLE_EDITOR", "editor"},
    {"ROLE_ADMIN", "admin"},
    {"ROLE_PUSHER", "pusher"},
    {"ROLE_GATEWAY", "gateway"},
    {"ROLE_NOTIFIER", "notifier"},
    {"the parent projects/-", "--all-projects"},
    {"a parent projects/{project}", "a --project without --all-projects"},
});

// What gRPC says at length, in a few words.
absl::string_view WhyUnreachable(absl::string_view message) {
  if (absl::StrContains(message, "Connection refused")) return "connection refused";
  if (absl::StrContains(message, "DNS resolution failed")) return "its name has no address";
  if (absl::StrContains(message, "No route to host") ||
      absl::StrContains(message, "Network is unreachable")) {
    return "no route to it";
  }
  return "the connection failed";
}

std::string Away(const absl::Status& status, const CallFacts& call) {
  const std::string where = absl::StrCat("core at ", OneLine(call.core));
  if (absl::IsDeadlineExceeded(status)) {
    return absl::StrCat(where, " did not answer within ", call.timeout,
                        ". Is the address right (--core or TOCSIN_CORE_ADDRESS)? --timeout-rpc ",
                        "waits longer.");
  }
  // Core gives its own refusals a reason.
  if (!Reason(status).empty()) {
    return absl::StrCat(where, " is not available: ", OneLine(status.message()));
  }
  return absl::StrCat(where, " cannot be reached (", WhyUnreachable(status.message()),
                      "). Does it run? Is the address right (--core or TOCSIN_CORE_ADDRESS)?");
}

// What to do about a key that is missing or not accepted.
std::string Refused(const absl::Status& status, const CallFacts& call) {
  if (call.key_source.empty()) {
    return absl::StrCat("core at ", OneLine(call.core),
                        " needs a key: put it into TOCSIN_KEY, or into a file that TOCSIN_KEY_FILE "
                        "or --key_file names. After ./dev run: eval \"$(./dev env)\"");
  }
  return absl::StrCat("core at ", OneLine(call.core), " does not accept the key from ",
                      OneLine(call.key_source), ": ", OneLine(status.message()),
                      ". Somebody with an admin key can make another: tocsin key create");
}

}  // namespace

std::string FlagOf(absl::string_view field) {
  if (field == "mute.expire_time") return "--for";
  absl::string_view name = field;
  for (const absl::string_view resource :
       {"monitor.", "channel.", "key.", "project.", "maintenance.", "mute."}) {
    if (absl::ConsumePrefix(&name, resource)) break;
  }
  if (absl::ConsumePrefix(&name, "push.defaults.")) {
    return absl::StrCat("--create-", absl::StripPrefix(FlagOf(name), "--"));
  }
  absl::ConsumePrefix(&name, "push.");
  absl::ConsumePrefix(&name, "schedule.heartbeat.");
  absl::ConsumePrefix(&name, "schedule.cron.");
  absl::ConsumePrefix(&name, "one_off.");
  absl::ConsumePrefix(&name, "recurring.");
  // Of a preview, which has no other schedule.
  if (absl::ConsumePrefix(&name, "cron.") && name == "expression") return "EXPRESSION";
  // Of several headers the one that is meant.
  if (absl::ConsumePrefix(&name, "headers.")) return absl::StrCat("--header ", name);
  name = name.substr(0, name.find('.'));  // "labels.team"
  for (const auto& [known, flag] : kNames) {
    if (name == known) return std::string(flag);
  }
  return absl::StrCat("--", absl::StrReplaceAll(name, {{"_", "-"}}));
}

std::string ErrorText(const absl::Status& status, const CallFacts& call) {
  std::vector<std::string> lines;
  for (const FieldViolation& fault : FieldViolations(status)) {
    // The parent of heartbeats is the monitor that was named.
    const bool monitor =
        fault.field == "parent" && absl::StrContains(fault.description, "/monitors");
    lines.push_back(absl::StrCat(monitor ? "ID" : FlagOf(fault.field), ": ",
                                 absl::StrReplaceAll(fault.description, kWords)));
  }
  if (lines.empty()) {
    const bool away = absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
    lines.push_back(away                              ? Away(status, call)
                    : absl::IsUnauthenticated(status) ? Refused(status, call)
                    : status.message().empty()        ? absl::StatusCodeToString(status.code())
                                                      : std::string(status.message()));
  }
  std::string text;
  for (const std::string& line : lines) absl::StrAppend(&text, "tocsin: ", OneLine(line), "\n");
  return text;
}

}  // namespace tocsin::cli
