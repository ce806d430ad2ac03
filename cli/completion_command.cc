// `tocsin completion`, and what its scripts ask.
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/completion/complete.h"
#include "cli/completion/scripts.h"
#include "cli/config/config_file.h"
#include "cli/context.h"
#include "cli/table.h"
#include "common/status_macros.h"
#include "tocsin/v1/channel_service.grpc.pb.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"
#include "tocsin/v1/project_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

constexpr char kFooter[] =
    "\nbash: source <(tocsin completion bash)\n"
    "zsh:  source <(tocsin completion zsh), after compinit\n"
    "fish: tocsin completion fish | source\n"
    "Put the line into ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish. Commands, flags and "
    "their\n"
    "values come from this program itself, ids from core, if it answers.";
constexpr int kMostIds = 200;

// Those of a collection that begin so. Nothing when core does not say: nobody waits for a TAB.
std::vector<std::string> IdsOf(const Context& context, const Completion& completion) {
  std::vector<std::string> ids;
  const auto add = [&](const std::string& name) {
    const std::string id = OneLine(IdOf(name));
    if (absl::StartsWith(id, completion.begun)) ids.push_back(id);
  };
  if (completion.collection == "monitors") {
    v1::ListMonitorsRequest request;
    request.set_parent(context.Parent());
    request.set_page_size(kMostIds);
    if (!completion.begun.empty()) {
      request.set_filter(absl::StrCat(
          "id:\"", absl::StrReplaceAll(completion.begun, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\""));
    }
    const auto page = context.Call(&v1::MonitorService::Stub::ListMonitors, request);
    if (!page.ok()) return {};
    for (const v1::Monitor& monitor : page->monitors()) add(monitor.name());
  } else if (completion.collection == "channels") {
    v1::ListChannelsRequest request;
    request.set_parent(context.Parent());
    request.set_page_size(kMostIds);
    const auto page = context.Call(&v1::ChannelService::Stub::ListChannels, request);
    if (!page.ok()) return {};
    for (const v1::Channel& channel : page->channels()) add(channel.name());
  } else if (completion.collection == "projects") {
    v1::ListProjectsRequest request;
    request.set_page_size(kMostIds);
    const auto page = context.Call(&v1::ProjectService::Stub::ListProjects, request);
    if (!page.ok()) return {};
    for (const v1::Project& project : page->projects()) add(project.name());
  } else if (completion.collection == "contexts") {
    const absl::StatusOr<Config> config = ReadConfigFile(FindConfigPath());
    if (!config.ok()) return {};
    for (const auto& [name, named] : config->contexts) add(name);
  }
  return ids;
}

}  // namespace

void PrintCompletions(const CLI::App& root, Context context,
                      const std::vector<std::string>& words) {
  constexpr char kPatience[] = "1s";
  const Completion completion = Complete(root, words);
  std::string text;
  for (const Candidate& candidate : completion.candidates) {
    absl::StrAppend(&text, candidate.word, "\t", OneLine(candidate.help), "\n");
  }
  context.rpc_timeout = kPatience;
  context.flags = {.context = TypedFor({"--context"}, words),
                   .core = TypedFor({"--core"}, words),
                   .project = TypedFor({"-p", "--project"}, words),
                   .key_file = TypedFor({"--key-file", "--key_file"}, words)};
  // A context is chosen also where the one that is set is of no use.
  if (completion.collection == "contexts" || context.Settle().ok()) {
    for (const std::string& id : IdsOf(context, completion)) absl::StrAppend(&text, id, "\t\n");
  }
  Print(text);
}

void AddCompletionCommand(CLI::App& app, Context& context) {
  CLI::App* completion = app.add_subcommand(
      "completion", "Print the script by which a shell completes commands, flags and ids");
  auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->footer(kFooter);
  completion->callback([shell, &context] {
    context.action = [shell](const Context&) {
      Print(CompletionScript(*shell));
      return absl::OkStatus();
    };
  });
}

}  // namespace tocsin::cli
