// `tocsin project …`: makes, shows and changes the owners of monitors, channels and keys.
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "cli/table.h"
#include "common/status_macros.h"
#include "tocsin/v1/project_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

using Stub = v1::ProjectService::Stub;

struct Fields {
  std::string id, display_name;
};

std::string NameOf(const std::string& id) {
  return absl::StartsWith(id, "projects/") ? id : absl::StrCat("projects/", id);
}

absl::Status PrintProject(const Context& context, const v1::Project& project) {
  if (context.json()) {
    context.PrintOne(project);
    return absl::OkStatus();
  }
  Table table;
  table.AddRow({"Project", IdOf(project.name())});
  table.AddRow({"Display name", project.display_name()});
  table.AddRow({"Created", Show(project.create_time())});
  table.AddRow({"Updated", Show(project.update_time())});
  Print(table.ToString());
  return absl::OkStatus();
}

std::shared_ptr<Fields> AddFields(CLI::App& app) {
  auto fields = std::make_shared<Fields>();
  app.add_option("ID", fields->id, "Id of the project")->required();
  return fields;
}

void AddCreate(CLI::App& project, Context& context) {
  CLI::App* app = project.add_subcommand("create", "Make a project; needs a key of all projects");
  auto fields = AddFields(*app);
  auto flags = std::make_shared<ChangeFlags>();
  app->add_option("--display-name", fields->display_name, "Name for people");
  AddRequestId(*app, *flags);
  AddValidateOnly(*app, *flags);
  app->callback([fields, flags, &context] {
    context.action = [fields, flags](const Context& context) -> absl::Status {
      v1::CreateProjectRequest request;
      request.set_project_id(fields->id);
      request.mutable_project()->set_display_name(fields->display_name);
      request.set_request_id(flags->request_id);
      request.set_validate_only(flags->validate_only);
      ASSIGN_OR_RETURN(const auto made, context.Create(&Stub::CreateProject, request));
      if (!context.json()) Print(Trial(flags->validate_only));
      return PrintProject(context, made);
    };
  });
}

void AddGet(CLI::App& project, Context& context) {
  CLI::App* app = project.add_subcommand("get", "Show one project");
  auto fields = AddFields(*app);
  app->callback([fields, &context] {
    context.action = [fields](const Context& context) -> absl::Status {
      v1::GetProjectRequest request;
      request.set_name(NameOf(fields->id));
      ASSIGN_OR_RETURN(const auto found, context.Call(&Stub::GetProject, request));
      return PrintProject(context, found);
    };
  });
}

void AddList(CLI::App& project, Context& context) {
  project.add_subcommand("list", "Every project that the key gives access to")
      ->callback([&context] {
        context.action = [](const Context& context) -> absl::Status {
          ASSIGN_OR_RETURN(const auto all, context.List(&Stub::ListProjects,
                                                        &v1::ListProjectsResponse::mutable_projects,
                                                        v1::ListProjectsRequest()));
          if (context.json()) {
            context.PrintAll(all);
            return absl::OkStatus();
          }
          Table table({"ID", "DISPLAY NAME", "CREATED"});
          for (const v1::Project& p : all.projects()) {
            table.AddRow({IdOf(p.name()), context.Cell(p.display_name()), Show(p.create_time())});
          }
          Print(table.ToString());
          return absl::OkStatus();
        };
      });
}

void AddUpdate(CLI::App& project, Context& context) {
  CLI::App* app = project.add_subcommand("update", "Change the display name");
  auto fields = AddFields(*app);
  app->add_option("--display-name", fields->display_name, "Name for people")->required();
  app->callback([fields, &context] {
    context.action = [fields](const Context& context) -> absl::Status {
      v1::UpdateProjectRequest request;
      request.mutable_project()->set_name(NameOf(fields->id));
      request.mutable_project()->set_display_name(fields->display_name);
      request.mutable_update_mask()->add_paths("display_name");
      ASSIGN_OR_RETURN(const auto after, context.Call(&Stub::UpdateProject, request));
      return PrintProject(context, after);
    };
  });
}

void AddDelete(CLI::App& project, Context& context) {
  CLI::App* app = project.add_subcommand(
      "delete", "Delete a project without monitors and channels, and end its keys");
  auto fields = AddFields(*app);
  app->callback([fields, &context] {
    context.action = [fields](const Context& context) -> absl::Status {
      v1::DeleteProjectRequest request;
      request.set_name(NameOf(fields->id));
      RETURN_IF_ERROR(context.Call(&Stub::DeleteProject, request).status());
      if (context.json()) {
        context.PrintJsonText("{}");
      } else {
        Print(absl::StrCat("Deleted project ", OneLine(fields->id), "\n"));
      }
      return absl::OkStatus();
    };
  });
}

}  // namespace

void AddProjectCommands(CLI::App& app, Context& context) {
  CLI::App* project = app.add_subcommand("project", "Make, show and change projects");
  project->require_subcommand(1);
  AddCreate(*project, context);
  AddGet(*project, context);
  AddList(*project, context);
  AddUpdate(*project, context);
  AddDelete(*project, context);
}

}  // namespace tocsin::cli
