// `tocsin heartbeat …`: what jobs sent, and what they put out.
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "cli/event_view.h"
#include "cli/moment.h"
#include "cli/values.h"
#include "common/status_macros.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

using Stub = v1::MonitorService::Stub;

// Core gives as many at a time with their output.
constexpr int kOutputsOnAPage = 100;

struct Filter {
  std::string monitor, run, at;
  int limit = 100;
};

void AddList(CLI::App& heartbeat, Context& context) {
  CLI::App* list = heartbeat.add_subcommand("list", "Heartbeats of a monitor, newest first");
  auto filter = std::make_shared<Filter>();
  list->add_option("ID", filter->monitor, "Id of the monitor")->required();
  list->add_option("--limit", filter->limit, "Newest to show; 0: all")
      ->check(CountFromZero())
      ->capture_default_str();
  list->callback([filter, &context] {
    context.action = [filter](const Context& context) -> absl::Status {
      v1::ListHeartbeatsRequest request;
      request.set_parent(context.Name("monitors", filter->monitor));
      ASSIGN_OR_RETURN(const auto all, context.List(&Stub::ListHeartbeats,
                                                    &v1::ListHeartbeatsResponse::mutable_heartbeats,
                                                    request, filter->limit));
      if (context.json()) {
        context.PrintAll(all);
        return absl::OkStatus();
      }
      Print(HeartbeatsTable(all, context.wide()).ToString());
      return absl::OkStatus();
    };
  });
}

// The newest heartbeat that has output and is asked for. NOT_FOUND when there is none.
absl::StatusOr<v1::Heartbeat> FindOutput(const Context& context, const Filter& filter) {
  std::optional<Moment> at;
  if (!filter.at.empty()) {
    ASSIGN_OR_RETURN(at, ParseMoment(filter.at));
  }
  v1::ListHeartbeatsRequest request;
  request.set_parent(context.Name("monitors", filter.monitor));
  request.set_show_output(true);
  request.set_page_size(kOutputsOnAPage);
  bool more = true;
  while (more) {
    ASSIGN_OR_RETURN(const auto page, context.Call(&Stub::ListHeartbeats, request));
    request.set_page_token(page.next_page_token());
    more = !page.next_page_token().empty();
    for (const v1::Heartbeat& beat : page.heartbeats()) {
      const absl::Time received = TimeOf(beat.receive_time());
      if (at.has_value() && received < at->begin) {
        more = false;
        break;
      }
      if (!beat.output().empty() && (filter.run.empty() || beat.run_id() == filter.run) &&
          (!at.has_value() || received < at->end)) {
        return beat;
      }
    }
  }
  return absl::NotFoundError(
      absl::StrCat("no heartbeat of ", IdOf(filter.monitor),
                   filter.run.empty() ? "" : absl::StrCat(" with run ", filter.run),
                   filter.at.empty() ? "" : absl::StrCat(" at ", filter.at), " has output"));
}

void AddOutput(CLI::App& heartbeat, Context& context) {
  CLI::App* output = heartbeat.add_subcommand(
      "output", "What the job put out, byte for byte: of the newest heartbeat that has some");
  auto filter = std::make_shared<Filter>();
  output->add_option("ID", filter->monitor, "Id of the monitor")->required();
  output->add_option("--run", filter->run, "Of this run");
  output->add_option("--at", filter->at,
                     "Of the heartbeat received then, as \"heartbeat list\" shows it");
  output->callback([filter, &context] {
    context.action = [filter](const Context& context) -> absl::Status {
      ASSIGN_OR_RETURN(const v1::Heartbeat beat, FindOutput(context, *filter));
      if (context.json()) {
        context.PrintOne(beat);
      } else {
        Print(beat.output());
      }
      return absl::OkStatus();
    };
  });
}

}  // namespace

void AddHeartbeatCommands(CLI::App& app, Context& context) {
  CLI::App* heartbeat = app.add_subcommand("heartbeat", "Show heartbeats and their output");
  heartbeat->require_subcommand(1);
  AddList(*heartbeat, context);
  AddOutput(*heartbeat, context);
}

}  // namespace tocsin::cli
