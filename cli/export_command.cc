// `tocsin export`: writes what core has as files that `tocsin apply` reads.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/apply/core_collections.h"
#include "cli/apply/writer.h"
#include "cli/context.h"
#include "cli/save.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

absl::StatusOr<std::string> DocumentOf(const Context& context) {
  std::string text = absl::StrCat("project: ", YamlScalar(context.project), "\n");
  for (const Kind* kind : Kinds()) {
    const std::unique_ptr<Collection> collection =
        kind == &MonitorKind() ? MonitorsOf(context) : ChannelsOf(context);
    ASSIGN_OR_RETURN(const std::vector<MessagePtr> all, collection->List(context.Parent()));
    std::vector<Declaration> declarations;
    for (const MessagePtr& message : all) {
      if (IsDeleted(*message)) continue;
      declarations.push_back({.id = IdOf(TextOf(*message, "name")), .message = message.get()});
    }
    absl::StrAppend(&text, declarations.empty() ? "" : "\n", WriteCollection(*kind, declarations));
  }
  return text;
}

}  // namespace

void AddExportCommand(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand(
      "export", "Write the monitors and channels of a project as a file for tocsin apply");
  auto path = std::make_shared<std::string>("-");
  AddSave(*command, *path);
  command->callback([path, &context] {
    context.action = [path](const Context& context) -> absl::Status {
      ASSIGN_OR_RETURN(const std::string text, DocumentOf(context));
      return Save(*path, text);
    };
  });
}

}  // namespace tocsin::cli
