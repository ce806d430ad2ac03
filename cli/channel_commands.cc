// `tocsin channel …`: makes, shows, tests and changes the webhooks that alerts go to.
#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/context.h"
#include "cli/duration.h"
#include "cli/header_flags.h"
#include "cli/table.h"
#include "cli/test_message.h"
#include "common/status_macros.h"
#include "tocsin/v1/channel_service.grpc.pb.h"
#include "tocsin/v1/delivery_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

using Stub = v1::ChannelService::Stub;

constexpr int kMostCounted = 1000;  // deliveries of a page

struct Fields {
  std::string id, url, selector, secret, fallback, display_name, format;
  bool is_default = false, omit_output = false;
  int group_limit = 0;
  std::string group_wait;
  std::vector<std::string> headers;
};

// The formats by the words that people use for them.
constexpr std::array<std::pair<const char*, v1::Channel::Format>, 3> kFormats = {
    {{"standard", v1::Channel::FORMAT_STANDARD_WEBHOOK},
     {"slack", v1::Channel::FORMAT_SLACK},
     {"pagerduty", v1::Channel::FORMAT_PAGERDUTY}}};

v1::Channel::Format FormatOf(const std::string& word) {
  for (const auto& [known, format] : kFormats) {
    if (word == known) return format;
  }
  return v1::Channel::FORMAT_UNSPECIFIED;
}

std::string FormatWord(const v1::Channel& channel) {
  for (const auto& [word, format] : kFormats) {
    if (channel.format() == format) return word;
  }
  return absl::StrCat(static_cast<int>(channel.format()));  // of a later version
}

void AddFields(CLI::App& app, Fields& fields, bool creating) {
  app.add_option("ID", fields.id, "Id of the channel")->required();
  app.add_option("--url", fields.url, "Where alerts are sent, http or https")->required(creating);
  app.add_option("--display-name", fields.display_name, "Name for people");
  app.add_option("--selector", fields.selector,
                 "Monitors that alert here, e.g. team=payments,severity=critical");
  app.add_option("--fallback", fields.fallback, "Id of the channel told when this one fails");
  app.add_flag(creating ? "--default" : "--default,!--no-default", fields.is_default,
               "Gets the alerts that no other channel gets");
  app.add_flag(creating ? "--omit-output" : "--omit-output,!--no-omit-output", fields.omit_output,
               "Leave what jobs put out away from its messages");
  app.add_option("--header", fields.headers,
                 absl::StrCat(
                     "A header of its requests, \"NAME: VALUE\", or @FILE with such lines; may be "
                     "repeated",
                     creating ? "" : "; replaces all of them, *** keeps a value, \"\" removes all"))
      ->allow_extra_args(false);
  app.add_option(
      "--group-limit", fields.group_limit,
      "So many alerts within --group-wait go one by one; more are gathered into a digest");
  AddDuration(app, "--group-wait", fields.group_wait,
              "How long they are gathered at most, 10s without this; 0s never gathers");
  if (creating) {
    app.add_option(
           "--format", fields.format,
           "What is sent: standard (signed, as without this), slack (also for Mattermost, and "
           "Discord's URL with /slack) or pagerduty (Events API v2)")
        ->check(CLI::IsMember({"standard", "slack", "pagerduty"}));
    app.add_option(
           "--secret", fields.secret,
           "Signing secret, whsec_…; one is made without it. For pagerduty the routing key; "
           "slack has none")
        ->envname("TOCSIN_CHANNEL_SECRET");
  }
}

// Writes what was given to `channel`; the paths of the fields that it wrote.
absl::StatusOr<std::vector<std::string>> Apply(const Context& context, const CLI::App& app,
                                               const Fields& fields, v1::Channel& channel) {
  std::vector<std::string> paths;
  const auto given = [&](const char* flag, const char* path) {
    if (app.count(flag) == 0) return false;
    paths.emplace_back(path);
    return true;
  };
  if (given("--url", "url")) channel.set_url(fields.url);
  if (given("--display-name", "display_name")) channel.set_display_name(fields.display_name);
  if (given("--selector", "selector")) channel.set_selector(fields.selector);
  if (given("--default", "is_default")) channel.set_is_default(fields.is_default);
  if (given("--fallback", "fallback_channel") && !fields.fallback.empty()) {
    channel.set_fallback_channel(context.Name("channels", fields.fallback));
  }
  if (given("--omit-output", "omit_output")) channel.set_omit_output(fields.omit_output);
  if (given("--header", "headers")) {
    ASSIGN_OR_RETURN(const auto headers, ReadHeaders(fields.headers));
    channel.mutable_headers()->insert(headers.begin(), headers.end());
  }
  if (given("--group-limit", "group_limit")) channel.set_group_limit(fields.group_limit);
  if (given("--group-wait", "group_wait"))
    *channel.mutable_group_wait() = ToProto(fields.group_wait);
  return paths;
}

std::string State(const v1::Channel& channel) {
  if (channel.has_disable_time()) return absl::StrCat("disabled: ", channel.disable_reason());
  if (channel.has_failing_since()) return absl::StrCat("failing: ", channel.last_error());
  return "ok";
}

// How many messages wait, by the full name of their channel.
struct Backlog {
  std::map<std::string, int> waiting;
  bool complete = true;  // otherwise there are more than were counted

  std::string Show(const v1::Channel& channel) const {
    const auto found = waiting.find(channel.name());
    return absl::StrCat(found == waiting.end() ? 0 : found->second, complete ? "" : "+");
  }
};

// Of `channel`, or of all channels of `project` when it is empty.
absl::StatusOr<Backlog> CountWaiting(const Context& context, const std::string& project,
                                     const std::string& channel) {
  v1::ListDeliveriesRequest request;
  request.set_parent(project);
  request.set_channel(channel);
  request.set_state(v1::Delivery::STATE_PENDING);
  request.set_page_size(kMostCounted);
  ASSIGN_OR_RETURN(const auto page,
                   context.Call(&v1::DeliveryService::Stub::ListDeliveries, request));
  Backlog backlog;
  for (const v1::Delivery& delivery : page.deliveries()) ++backlog.waiting[delivery.channel()];
  backlog.complete = page.next_page_token().empty();
  return backlog;
}

Table Describe(const v1::Channel& channel) {
  Table table;
  table.AddRow({"Channel", IdOf(channel.name())});
  table.AddRow({"Display name", channel.display_name()});
  table.AddRow({"URL", channel.url()});
  table.AddRow({"Format", FormatWord(channel)});
  table.AddRow({"Default", channel.is_default() ? "yes" : "no"});
  table.AddRow({"Selector", channel.selector()});
  table.AddRow({"Fallback", IdOf(channel.fallback_channel())});
  table.AddRow({"Gathers", channel.group_wait().seconds() == 0 && channel.group_wait().nanos() == 0
                               ? "never"
                               : absl::StrCat("more than ", channel.group_limit(),
                                              " alerts within ", Show(channel.group_wait()))});
  const std::map<std::string, std::string> headers(channel.headers().begin(),
                                                   channel.headers().end());
  for (const auto& [name, value] : headers) {
    table.AddRow({"Header", absl::StrCat(name, ": ", value)});
  }
  if (channel.omit_output()) table.AddRow({"Output", "left out"});
  table.AddRow({"State", State(channel)});
  if (channel.has_failing_since()) {
    table.AddRow({"Failing since", Show(channel.failing_since())});
  }
  table.AddRow({"Created", Show(channel.create_time())});
  return table;
}

absl::Status PrintChannel(const Context& context, const v1::Channel& channel) {
  if (context.json()) {
    context.PrintOne(channel);
  } else {
    Print(Describe(channel).ToString());
  }
  return absl::OkStatus();
}

void AddCreate(CLI::App& channel, Context& context) {
  CLI::App* app = channel.add_subcommand("create", "Make a channel and show its signing secret");
  auto fields = std::make_shared<Fields>();
  auto flags = std::make_shared<ChangeFlags>();
  AddFields(*app, *fields, true);
  AddRequestId(*app, *flags);
  AddValidateOnly(*app, *flags);
  app->callback([app, fields, flags, &context] {
    context.action = [app, fields, flags](const Context& context) -> absl::Status {
      v1::CreateChannelRequest request;
      request.set_parent(context.Parent());
      request.set_channel_id(fields->id);
      request.set_webhook_secret(fields->secret);
      request.mutable_channel()->set_format(FormatOf(fields->format));
      request.set_request_id(flags->request_id);
      request.set_validate_only(flags->validate_only);
      RETURN_IF_ERROR(Apply(context, *app, *fields, *request.mutable_channel()).status());
      ASSIGN_OR_RETURN(const auto response, context.Create(&Stub::CreateChannel, request));
      if (context.json()) {
        context.PrintOne(response);
        return absl::OkStatus();
      }
      Table table = Describe(response.channel());
      if (response.webhook_secret().empty()) {
        Print(absl::StrCat(Trial(flags->validate_only), table.ToString()));
        return absl::OkStatus();
      }
      table.AddRow({"Secret", response.webhook_secret()});
      Print(
          absl::StrCat(table.ToString(),
                       "\nThe secret is shown this once: receivers verify signatures with it.\n"));
      return absl::OkStatus();
    };
  });
}

void AddUpdate(CLI::App& channel, Context& context) {
  CLI::App* app = channel.add_subcommand("update", "Change what is named, and only that");
  auto fields = std::make_shared<Fields>();
  auto flags = std::make_shared<ChangeFlags>();
  AddFields(*app, *fields, false);
  AddEtag(*app, *flags);
  AddAllowMissing(*app, *flags, "Make it if it does not exist, with a secret that nobody is shown");
  AddValidateOnly(*app, *flags);
  app->callback([app, fields, flags, &context] {
    context.action = [app, fields, flags](const Context& context) -> absl::Status {
      v1::UpdateChannelRequest request;
      request.mutable_channel()->set_name(context.Name("channels", fields->id));
      ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                       Apply(context, *app, *fields, *request.mutable_channel()));
      for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
      if (request.update_mask().paths().empty()) {
        return absl::InvalidArgumentError("nothing to change: give at least one flag, e.g. --url");
      }
      request.mutable_channel()->set_etag(flags->etag);
      request.set_allow_missing(flags->allow_missing);
      request.set_validate_only(flags->validate_only);
      ASSIGN_OR_RETURN(const auto after, context.Call(&Stub::UpdateChannel, request));
      if (!context.json()) Print(Trial(flags->validate_only));
      return PrintChannel(context, after);
    };
  });
}

void AddRotate(CLI::App& channel, Context& context) {
  CLI::App* app = channel.add_subcommand("rotate-secret", "Replace the signing secret and show it");
  auto id = std::make_shared<std::string>();
  auto overlap = std::make_shared<std::string>();
  auto secret = std::make_shared<std::string>();
  app->add_option("ID", *id, "Id of the channel")->required();
  AddDuration(*app, "--overlap", *overlap,
              "How long messages are signed with the old one, too: 24h without it; 0s: not at all");
  app->add_option("--secret", *secret, "The secret, whsec_…; one is made without it")
      ->envname("TOCSIN_NEW_CHANNEL_SECRET");
  app->callback([id, overlap, secret, &context] {
    context.action = [id, overlap, secret](const Context& context) -> absl::Status {
      v1::RotateChannelSecretRequest request;
      request.set_name(context.Name("channels", *id));
      if (!overlap->empty()) *request.mutable_overlap() = ToProto(*overlap);
      request.set_webhook_secret(*secret);
      ASSIGN_OR_RETURN(const auto response, context.Call(&Stub::RotateChannelSecret, request));
      if (context.json()) {
        context.PrintOne(response);
        return absl::OkStatus();
      }
      Table table;
      table.AddRow({"Channel", IdOf(response.channel().name())});
      table.AddRow({"Secret", response.webhook_secret()});
      Print(table.ToString());
      const bool both = response.channel().has_old_secret_expire_time();
      Print(
          absl::StrCat("\nThe secret is shown this once: have the receiver verify with it. ",
                       both ? absl::StrCat("Messages are signed with the old one, too, until ",
                                           Show(response.channel().old_secret_expire_time()), ".\n")
                            : "The old one signs nothing any more.\n"));
      return absl::OkStatus();
    };
  });
}

void AddDelete(CLI::App& channel, Context& context) {
  CLI::App* app = channel.add_subcommand("delete", "Delete for good");
  auto id = std::make_shared<std::string>();
  auto flags = std::make_shared<ChangeFlags>();
  app->add_option("ID", *id, "Id of the channel")->required();
  AddEtag(*app, *flags);
  AddAllowMissing(*app, *flags, "That it does not exist is no error");
  AddValidateOnly(*app, *flags);
  app->callback([id, flags, &context] {
    context.action = [id, flags](const Context& context) -> absl::Status {
      v1::DeleteChannelRequest request;
      request.set_name(context.Name("channels", *id));
      request.set_etag(flags->etag);
      request.set_allow_missing(flags->allow_missing);
      request.set_validate_only(flags->validate_only);
      ASSIGN_OR_RETURN(const auto response, context.Call(&Stub::DeleteChannel, request));
      if (context.json()) {
        context.PrintOne(response);
      } else if (flags->validate_only) {
        Print(absl::StrCat("Nothing was changed; channel ", OneLine(*id), " can be deleted\n"));
      } else {
        Print(absl::StrCat("Deleted channel ", OneLine(*id), "\n"));
      }
      return absl::OkStatus();
    };
  });
}

void AddList(CLI::App& channel, Context& context) {
  channel.add_subcommand("list", "Every channel and how it fares")->callback([&context] {
    context.action = [](const Context& context) -> absl::Status {
      v1::ListChannelsRequest request;
      request.set_parent(context.Parent());
      ASSIGN_OR_RETURN(
          const auto all,
          context.List(&Stub::ListChannels, &v1::ListChannelsResponse::mutable_channels, request));
      if (context.json()) {
        context.PrintAll(all);
        return absl::OkStatus();
      }
      ASSIGN_OR_RETURN(const Backlog backlog, CountWaiting(context, context.Parent(), ""));
      Table table(
          {"ID", "FORMAT", "URL", "DEFAULT", "SELECTOR", "STATE", "FAILING SINCE", "WAITING"});
      for (const v1::Channel& c : all.channels()) {
        table.AddRow({IdOf(c.name()), FormatWord(c), c.url(), c.is_default() ? "yes" : "",
                      context.Cell(c.selector()), State(c), Show(c.failing_since()),
                      backlog.Show(c)});
      }
      Print(table.ToString());
      return absl::OkStatus();
    };
  });
}

// A command that takes a name; `print` shows the answer.
template <typename Request, typename Response, typename PrintAnswer>
void AddVerb(CLI::App& channel, Context& context, const char* verb, const char* help,
             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
             PrintAnswer print) {
  CLI::App* app = channel.add_subcommand(verb, help);
  auto id = std::make_shared<std::string>();
  app->add_option("ID", *id, "Id of the channel")->required();
  app->callback([id, method, print, &context] {
    context.action = [id, method, print](const Context& context) -> absl::Status {
      Request request;
      request.set_name(context.Name("channels", *id));
      ASSIGN_OR_RETURN(const Response response, context.Call(method, request));
      if (!context.json()) return print(context, *id, response);
      context.PrintOne(response);
      return absl::OkStatus();
    };
  });
}

void AddTest(CLI::App& channel, Context& context) {
  CLI::App* app =
      channel.add_subcommand("test", "Send a test message and show what its receiver says");
  auto id = std::make_shared<std::string>();
  auto wait = std::make_shared<std::string>("15s");
  app->add_option("ID", *id, "Id of the channel")->required();
  AddDuration(*app, "--wait", *wait, "How long to wait for an answer at most; 0s: not at all")
      ->capture_default_str();
  app->callback([id, wait, &context] {
    context.action = [id, wait](const Context& context) -> absl::Status {
      ASSIGN_OR_RETURN(const absl::Duration longest, ParseDuration(*wait));
      ASSIGN_OR_RETURN(const v1::Delivery delivery,
                       SendTestMessage(context, context.Name("channels", *id), longest));
      if (context.json()) {
        context.PrintOne(delivery);
      } else if (longest == absl::ZeroDuration()) {
        Print(absl::StrCat("A test message is on its way to ", OneLine(*id), ": delivery ",
                           IdOf(delivery.name()), "\n"));
      } else {
        Print(OutcomeLine(*id, delivery));
      }
      if (longest > absl::ZeroDuration() && !Arrived(delivery)) *context.exit_status = 1;
      return absl::OkStatus();
    };
  });
}

}  // namespace

void AddChannelCommands(CLI::App& app, Context& context) {
  CLI::App* channel = app.add_subcommand("channel", "Make, show, test and change channels");
  channel->require_subcommand(1);
  AddCreate(*channel, context);
  AddVerb(
      *channel, context, "get", "Show one channel", &Stub::GetChannel,
      [](const Context& context, const std::string&, const v1::Channel& channel) -> absl::Status {
        const std::string project = channel.name().substr(0, channel.name().find("/channels/"));
        ASSIGN_OR_RETURN(const Backlog backlog, CountWaiting(context, project, channel.name()));
        Table table = Describe(channel);
        table.AddRow({"Waiting", backlog.Show(channel)});
        Print(table.ToString());
        return absl::OkStatus();
      });
  AddList(*channel, context);
  AddUpdate(*channel, context);
  AddTest(*channel, context);
  AddRotate(*channel, context);
  AddDelete(*channel, context);
}

}  // namespace tocsin::cli
