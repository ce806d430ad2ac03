// `tocsin key …`: makes, shows, changes and ends what gives access to core.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "cli/duration.h"
#include "cli/expectation_flags.h"
#include "cli/labels.h"
#include "cli/monitor_view.h"
#include "cli/table.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "tocsin/v1/key_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

using Stub = v1::KeyService::Stub;

constexpr char kAllProjects[] = "projects/-";

struct Fields {
  bool all_projects = false;
  std::string id, role, display_name, expires_in, overlap;
  std::string create_severity, create_owner;
  ExpectationFlags expectations{.prefix = "--create-"};
  std::vector<std::string> create_channels, create_labels;
  bool never_expires = false, may_create = false;
  int max_monitors = 0;
};

std::string ParentOf(const Context& context, const Fields& fields) {
  return fields.all_projects ? kAllProjects : context.Parent();
}

std::string NameOf(const Context& context, const Fields& fields) {
  if (absl::StartsWith(fields.id, "projects/")) return fields.id;
  return absl::StrCat(ParentOf(context, fields), "/keys/", fields.id);
}

// "default" of "projects/default/keys/ci", "all" of "projects/-/keys/ci".
std::string ProjectOf(const v1::Key& key) {
  const std::string parent = key.name().substr(0, key.name().find("/keys/"));
  return parent == kAllProjects ? "all" : IdOf(parent);
}

std::string RoleOf(const v1::Key& key) { return ShowEnum(v1::Role_Name(key.role()), "ROLE_"); }

std::string ExpiryOf(const v1::Key& key) {
  return key.has_expire_time() ? Show(key.expire_time()) : "never";
}

std::string EndOf(const v1::Key& key) {
  return key.has_revoke_time() ? absl::StrCat("revoked ", Show(key.revoke_time())) : ExpiryOf(key);
}

Table Describe(const v1::Key& key) {
  Table table;
  table.AddRow({"Key", IdOf(key.name())});
  table.AddRow({"Display name", key.display_name()});
  table.AddRow({"Project", ProjectOf(key)});
  table.AddRow({"Role", RoleOf(key)});
  table.AddRow({"Begins with", key.prefix()});
  if (key.has_revoke_time()) {
    table.AddRow({"Revoked", Show(key.revoke_time())});
  } else {
    table.AddRow({"Expires", ExpiryOf(key)});
  }
  if (key.push().may_create()) {
    table.AddRow(
        {"May create",
         absl::StrCat("monitors that push ", ScheduleWords(key.push().defaults().schedule()),
                      ", while there are fewer than ", key.push().max_monitors())});
  }
  table.AddRow({"Last used", Show(key.last_use_time())});
  table.AddRow({"Created", Show(key.create_time())});
  return table;
}

absl::Status PrintKey(const Context& context, const v1::Key& key) {
  if (context.json()) {
    context.PrintOne(key);
  } else {
    Print(Describe(key).ToString());
  }
  return absl::OkStatus();
}

// `Response` brings a new secret, unless there is none that can be shown.
template <typename Response>
absl::Status PrintWithSecret(const Context& context, const Response& response,
                             absl::string_view more) {
  if (context.json()) {
    context.PrintOne(response);
    return absl::OkStatus();
  }
  Table table = Describe(response.key());
  if (response.secret().empty()) {
    Print(absl::StrCat(table.ToString(),
                       "\nIts secret cannot be shown again; \"tocsin key rotate\" makes another "
                       "one.\n"));
    return absl::OkStatus();
  }
  table.AddRow({"Secret", response.secret()});
  Print(absl::StrCat(table.ToString(), "\nThe secret is shown this once.", more, "\n"));
  return absl::OkStatus();
}

CLI::App* AddCommand(CLI::App& key, const char* verb, const char* help, Fields& fields) {
  CLI::App* app = key.add_subcommand(verb, help);
  app->add_flag("--all-projects", fields.all_projects,
                "The key is one of all projects, not of --project");
  return app;
}

void AddId(CLI::App& app, Fields& fields) {
  app.add_option("ID", fields.id, "Id of the key")->required();
}

// What both create and update can set.
void AddFields(CLI::App& app, Fields& fields) {
  app.add_option("--display-name", fields.display_name, "Name for people");
  AddDuration(app, "--expires-in", fields.expires_in, "When it ends, from now; never without");
  app.add_flag("--may-create,!--may-not-create", fields.may_create,
               "Of a pusher: ?create=1 makes a monitor that is missing");
  app.add_option("--max-monitors", fields.max_monitors,
                 "Of a pusher that may create: how many monitors the project may have");
  AddExpectationFlags(app, fields.expectations, "Of monitors that it makes: ");
  app.add_option("--create-severity", fields.create_severity, "Severity of monitors that it makes")
      ->check(CLI::IsMember({"critical", "error", "warning", "info"}, CLI::ignore_case));
  app.add_option("--create-owner", fields.create_owner, "Owner of monitors that it makes");
  AddLabels(app, "--create-label", fields.create_labels,
            "A label of monitors that it makes; may be repeated");
  app.add_option("--create-channel", fields.create_channels,
                 "Id of a channel that they alert; may be repeated")
      ->allow_extra_args(false);
}

// Writes what was given to `key`; the paths of the fields that it wrote. `kind` is that of the
// schedule of the monitors that it makes.
std::vector<std::string> Apply(const Context& context, const CLI::App& app, const Fields& fields,
                               ScheduleKind kind, v1::Key& key) {
  std::vector<std::string> paths;
  const auto given = [&](const char* flag, const char* path) {
    if (app.count(flag) == 0) return false;
    paths.emplace_back(path);
    return true;
  };
  if (given("--display-name", "display_name")) key.set_display_name(fields.display_name);
  if (given("--expires-in", "expire_time")) {
    const absl::Time at =
        SystemClock().Now() + ParseDuration(fields.expires_in).value_or(absl::ZeroDuration());
    key.mutable_expire_time()->set_seconds(absl::ToUnixSeconds(at));
  }
  if (given("--may-create", "push.may_create")) {
    key.mutable_push()->set_may_create(fields.may_create);
  }
  if (given("--max-monitors", "push.max_monitors")) {
    key.mutable_push()->set_max_monitors(fields.max_monitors);
  }
  const auto defaults = [&key] { return key.mutable_push()->mutable_defaults(); };
  v1::Monitor expected;
  const auto expectations = ApplyExpectations(app, fields.expectations, kind, expected);
  if (!expectations.empty()) *defaults() = expected;
  for (const std::string& path : expectations) {
    paths.push_back(absl::StrCat("push.defaults.", path));
  }
  if (given("--create-severity", "push.defaults.severity")) {
    v1::Monitor::Severity severity = v1::Monitor::SEVERITY_UNSPECIFIED;
    v1::Monitor::Severity_Parse("SEVERITY_" + absl::AsciiStrToUpper(fields.create_severity),
                                &severity);
    defaults()->set_severity(severity);
  }
  if (given("--create-owner", "push.defaults.owner")) defaults()->set_owner(fields.create_owner);
  if (given("--create-label", "push.defaults.labels")) {
    for (const std::string& label : fields.create_labels) {
      const auto [name, value] = SplitLabel(label);
      (*defaults()->mutable_labels())[name] = value;
    }
  }
  if (given("--create-channel", "push.defaults.channels")) {
    for (const std::string& id : fields.create_channels) {
      defaults()->add_channels(context.Name("channels", id));
    }
  }
  return paths;
}

// Of the schedule that the flags speak of. A grace alone is that of the schedule which the key has
// for its monitors.
absl::StatusOr<ScheduleKind> KindOf(const Context& context, const CLI::App& app,
                                    const Fields& fields) {
  const ScheduleFlags given = GivenOf(app, fields.expectations);
  if (given == ScheduleFlags::kOfCron) return ScheduleKind::kCron;
  if (given != ScheduleFlags::kOfEither) return ScheduleKind::kHeartbeat;
  v1::GetKeyRequest request;
  request.set_name(NameOf(context, fields));
  ASSIGN_OR_RETURN(const auto found, context.Call(&Stub::GetKey, request));
  return found.push().defaults().schedule().has_cron() ? ScheduleKind::kCron
                                                       : ScheduleKind::kHeartbeat;
}

void AddCreate(CLI::App& key, Context& context) {
  auto fields = std::make_shared<Fields>();
  auto flags = std::make_shared<ChangeFlags>();
  CLI::App* app = AddCommand(key, "create", "Make a key and show its secret", *fields);
  AddId(*app, *fields);
  app->add_option("--role", fields->role, "What its holder may do")
      ->required()
      ->check(CLI::IsMember({"viewer", "editor", "admin", "pusher", "gateway", "notifier"},
                            CLI::ignore_case));
  AddFields(*app, *fields);
  AddRequestId(*app, *flags);
  AddValidateOnly(*app, *flags);
  app->callback([app, fields, flags, &context] {
    context.action = [app, fields, flags](const Context& context) -> absl::Status {
      RETURN_IF_ERROR(CheckScheduleFlags(*app, fields->expectations, /*required=*/false));
      v1::CreateKeyRequest request;
      request.set_parent(ParentOf(context, *fields));
      request.set_key_id(fields->id);
      const bool cron = GivenOf(*app, fields->expectations) == ScheduleFlags::kOfCron;
      Apply(context, *app, *fields, cron ? ScheduleKind::kCron : ScheduleKind::kHeartbeat,
            *request.mutable_key());
      RETURN_IF_ERROR(CheckGrace(fields->expectations, request.key().push().defaults().schedule()));
      v1::Role role = v1::ROLE_UNSPECIFIED;
      v1::Role_Parse("ROLE_" + absl::AsciiStrToUpper(fields->role), &role);
      request.mutable_key()->set_role(role);
      request.set_request_id(flags->request_id);
      request.set_validate_only(flags->validate_only);
      ASSIGN_OR_RETURN(const auto response, context.Create(&Stub::CreateKey, request));
      if (flags->validate_only && !context.json()) {
        Print(absl::StrCat(Trial(true), Describe(response.key()).ToString()));
        return absl::OkStatus();
      }
      return PrintWithSecret(context, response,
                             role == v1::ROLE_PUSHER
                                 ? " Pushes go to /api/push/SECRET/MONITOR."
                                 : " Calls carry it as authorization: Bearer SECRET.");
    };
  });
}

void AddGet(CLI::App& key, Context& context) {
  auto fields = std::make_shared<Fields>();
  CLI::App* app = AddCommand(key, "get", "Show one key; never its secret", *fields);
  AddId(*app, *fields);
  app->callback([fields, &context] {
    context.action = [fields](const Context& context) -> absl::Status {
      v1::GetKeyRequest request;
      request.set_name(NameOf(context, *fields));
      ASSIGN_OR_RETURN(const auto found, context.Call(&Stub::GetKey, request));
      return PrintKey(context, found);
    };
  });
}

void AddList(CLI::App& key, Context& context) {
  auto fields = std::make_shared<Fields>();
  auto revoked = std::make_shared<bool>(false);
  CLI::App* app = key.add_subcommand("list", "The keys of a project");
  app->add_flag("--all-projects", fields->all_projects, "Every key, also those of all projects");
  app->add_flag("--revoked", *revoked, "Also those that were revoked");
  app->callback([fields, revoked, &context] {
    context.action = [fields, revoked](const Context& context) -> absl::Status {
      v1::ListKeysRequest request;
      request.set_parent(ParentOf(context, *fields));
      request.set_show_revoked(*revoked);
      ASSIGN_OR_RETURN(const auto all,
                       context.List(&Stub::ListKeys, &v1::ListKeysResponse::mutable_keys, request));
      if (context.json()) {
        context.PrintAll(all);
        return absl::OkStatus();
      }
      Table table({"PROJECT", "ID", "ROLE", "BEGINS WITH", "ENDS", "LAST USED", "CREATED"});
      for (const v1::Key& k : all.keys()) {
        table.AddRow({ProjectOf(k), IdOf(k.name()), RoleOf(k), k.prefix(), EndOf(k),
                      Show(k.last_use_time()), Show(k.create_time())});
      }
      Print(table.ToString());
      return absl::OkStatus();
    };
  });
}

void AddUpdate(CLI::App& key, Context& context) {
  auto fields = std::make_shared<Fields>();
  CLI::App* app = AddCommand(key, "update", "Change what is named, and only that", *fields);
  AddId(*app, *fields);
  AddFields(*app, *fields);
  app->add_flag("--never-expires", fields->never_expires, "It has no end any more");
  app->callback([app, fields, &context] {
    context.action = [app, fields](const Context& context) -> absl::Status {
      RETURN_IF_ERROR(CheckScheduleFlags(*app, fields->expectations, /*required=*/false));
      v1::UpdateKeyRequest request;
      request.mutable_key()->set_name(NameOf(context, *fields));
      ASSIGN_OR_RETURN(const ScheduleKind kind, KindOf(context, *app, *fields));
      for (std::string& path : Apply(context, *app, *fields, kind, *request.mutable_key())) {
        request.mutable_update_mask()->add_paths(std::move(path));
      }
      RETURN_IF_ERROR(CheckGrace(fields->expectations, request.key().push().defaults().schedule()));
      if (fields->never_expires) {
        request.mutable_key()->clear_expire_time();
        request.mutable_update_mask()->add_paths("expire_time");
      }
      if (request.update_mask().paths().empty()) {
        return absl::InvalidArgumentError(
            "nothing to change: give at least one flag, e.g. --display-name");
      }
      ASSIGN_OR_RETURN(const auto after, context.Call(&Stub::UpdateKey, request));
      return PrintKey(context, after);
    };
  });
}

void AddRevoke(CLI::App& key, Context& context) {
  auto fields = std::make_shared<Fields>();
  CLI::App* app = AddCommand(key, "revoke", "End a key at once and for good", *fields);
  AddId(*app, *fields);
  app->callback([fields, &context] {
    context.action = [fields](const Context& context) -> absl::Status {
      v1::RevokeKeyRequest request;
      request.set_name(NameOf(context, *fields));
      ASSIGN_OR_RETURN(const auto after, context.Call(&Stub::RevokeKey, request));
      return PrintKey(context, after);
    };
  });
}

void AddRotate(CLI::App& key, Context& context) {
  auto fields = std::make_shared<Fields>();
  CLI::App* app = AddCommand(key, "rotate", "Make a new secret and show it", *fields);
  AddId(*app, *fields);
  AddDuration(*app, "--overlap", fields->overlap,
              "How long the old secret still works; a day without");
  app->callback([fields, &context] {
    context.action = [fields](const Context& context) -> absl::Status {
      v1::RotateKeyRequest request;
      request.set_name(NameOf(context, *fields));
      if (!fields->overlap.empty()) *request.mutable_overlap() = ToProto(fields->overlap);
      ASSIGN_OR_RETURN(const auto response, context.Call(&Stub::RotateKey, request));
      return PrintWithSecret(
          context, response,
          absl::StrCat(" The old one works until ", Show(response.old_secret_expire_time()), "."));
    };
  });
}

}  // namespace

void AddKeyCommands(CLI::App& app, Context& context) {
  CLI::App* key = app.add_subcommand("key", "Make, show, change, revoke and rotate keys");
  key->require_subcommand(1);
  AddCreate(*key, context);
  AddGet(*key, context);
  AddList(*key, context);
  AddUpdate(*key, context);
  AddRevoke(*key, context);
  AddRotate(*key, context);
}

}  // namespace tocsin::cli
