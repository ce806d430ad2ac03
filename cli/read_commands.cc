// `tocsin incident|delivery …`: what went wrong and what was sent.
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "cli/event_view.h"
#include "cli/table.h"
#include "cli/values.h"
#include "common/status_macros.h"
#include "tocsin/v1/delivery_service.grpc.pb.h"
#include "tocsin/v1/incident_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

// What narrows a list.
struct Filter {
  std::string monitor, channel, state;
  bool open = false;
  int limit = 100;
};

void AddLimit(CLI::App& app, Filter& filter) {
  app.add_option("--limit", filter.limit, "Newest to show; 0: all")
      ->check(CountFromZero())
      ->capture_default_str();
}

void AddIncidents(CLI::App& app, Context& context) {
  CLI::App* incident = app.add_subcommand("incident", "Show incidents");
  incident->require_subcommand(1);
  CLI::App* list = incident->add_subcommand("list", "Incidents, newest first");
  auto filter = std::make_shared<Filter>();
  list->add_flag("--open", filter->open, "Only those that are open");
  list->add_option("--monitor", filter->monitor, "Only those of this monitor");
  AddLimit(*list, *filter);
  list->callback([filter, &context] {
    context.action = [filter](const Context& context) -> absl::Status {
      v1::ListIncidentsRequest request;
      request.set_parent(context.Parent());
      request.set_open_only(filter->open);
      if (!filter->monitor.empty()) request.set_monitor(context.Name("monitors", filter->monitor));
      ASSIGN_OR_RETURN(const auto all, context.List(&v1::IncidentService::Stub::ListIncidents,
                                                    &v1::ListIncidentsResponse::mutable_incidents,
                                                    request, filter->limit));
      if (context.json()) {
        context.PrintAll(all);
        return absl::OkStatus();
      }
      Print(IncidentsTable(all, context.wide()).ToString(OutputTerminal().colour));
      return absl::OkStatus();
    };
  });
}

std::string State(const v1::Delivery& delivery) {
  return ShowEnum(v1::Delivery::State_Name(delivery.state()), "STATE_");
}

void AddDeliveryList(CLI::App& delivery, Context& context) {
  CLI::App* list = delivery.add_subcommand("list", "Messages to channels, newest first");
  auto filter = std::make_shared<Filter>();
  list->add_option("--channel", filter->channel, "Only those to this channel");
  list->add_option("--monitor", filter->monitor, "Only those about this monitor");
  list->add_option("--state", filter->state, "Only those in this state")
      ->check(CLI::IsMember({"pending", "delivered", "dead", "superseded"}, CLI::ignore_case));
  AddLimit(*list, *filter);
  list->callback([filter, &context] {
    context.action = [filter](const Context& context) -> absl::Status {
      v1::ListDeliveriesRequest request;
      request.set_parent(context.Parent());
      if (!filter->channel.empty()) request.set_channel(context.Name("channels", filter->channel));
      if (!filter->monitor.empty()) request.set_monitor(context.Name("monitors", filter->monitor));
      v1::Delivery::State state = v1::Delivery::STATE_UNSPECIFIED;
      v1::Delivery::State_Parse("STATE_" + absl::AsciiStrToUpper(filter->state), &state);
      request.set_state(state);
      ASSIGN_OR_RETURN(const auto all, context.List(&v1::DeliveryService::Stub::ListDeliveries,
                                                    &v1::ListDeliveriesResponse::mutable_deliveries,
                                                    request, filter->limit));
      if (context.json()) {
        context.PrintAll(all);
        return absl::OkStatus();
      }
      Table table({"ID", "TYPE", "CHANNEL", "MONITOR", "STATE", "TRIES", "OUTCOME", "CREATED"});
      for (const v1::Delivery& d : all.deliveries()) {
        table.AddRow({IdOf(d.name()), d.type(), IdOf(d.channel()), IdOf(d.monitor()), State(d),
                      absl::StrCat(d.attempts()), d.last_outcome(), Show(d.create_time())});
      }
      Print(table.ToString());
      return absl::OkStatus();
    };
  });
}

void AddRedeliver(CLI::App& delivery, Context& context) {
  CLI::App* app = delivery.add_subcommand("redeliver", "Send a message again, with the same id");
  auto id = std::make_shared<std::string>();
  app->add_option("ID", *id, "Id of the delivery, as in webhook-id")->required();
  app->callback([id, &context] {
    context.action = [id](const Context& context) -> absl::Status {
      v1::RedeliverDeliveryRequest request;
      request.set_name(context.Name("deliveries", *id));
      ASSIGN_OR_RETURN(const auto response,
                       context.Call(&v1::DeliveryService::Stub::RedeliverDelivery, request));
      if (context.json()) {
        context.PrintOne(response);
      } else {
        Print(absl::StrCat("Delivery ", IdOf(response.name()), " is ", State(response), "\n"));
      }
      return absl::OkStatus();
    };
  });
}

}  // namespace

void AddReadCommands(CLI::App& app, Context& context) {
  AddIncidents(app, context);
  CLI::App* delivery = app.add_subcommand("delivery", "Show and repeat messages to channels");
  delivery->require_subcommand(1);
  AddDeliveryList(*delivery, context);
  AddRedeliver(*delivery, context);
}

}  // namespace tocsin::cli
