// `tocsin explain`: why a monitor rang, or why it did not.
#include <algorithm>
#include <memory>
#include <string>

#include "cli/context.h"
#include "cli/explain_view.h"
#include "cli/past_moment.h"
#include "cli/values.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "tocsin/v1/timeline_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

constexpr int kMostOnAPage = 1000;

struct Question {
  std::string monitor, at, since, until;
  int limit = 200;
};

std::string PastFault(const std::string& text) {
  return std::string(ParsePast(text, SystemClock().Now()).status().message());
}

absl::Status SetTime(const std::string& text, google::protobuf::Timestamp& time) {
  ASSIGN_OR_RETURN(const absl::Time at, ParsePast(text, SystemClock().Now()));
  time = ToProtoTime(at);
  return absl::OkStatus();
}

// Page after page until as many records were asked for; the older ones come before those that are
// there.
absl::StatusOr<v1::ExplainMonitorResponse> Explain(const Context& context,
                                                   v1::ExplainMonitorRequest request, int limit) {
  v1::ExplainMonitorResponse all;
  for (int left = limit; left > 0; left -= kMostOnAPage) {
    request.set_page_size(std::min(left, kMostOnAPage));
    ASSIGN_OR_RETURN(v1::ExplainMonitorResponse page,
                     context.Call(&v1::TimelineService::Stub::ExplainMonitor, request));
    page.mutable_entries()->MergeFrom(all.entries());
    // As they were when the first page was asked for.
    if (all.has_at()) {
      *page.mutable_verdict() = all.verdict();
      *page.mutable_at() = all.at();
    }
    all = std::move(page);
    request.set_page_token(all.next_page_token());
    if (request.page_token().empty()) break;
  }
  return all;
}

}  // namespace

void AddExplainCommand(CLI::App& app, Context& context) {
  CLI::App* explain = app.add_subcommand("explain",
                                         "Say why a monitor rang, or why it did not, and show what "
                                         "happened to it");
  auto question = std::make_shared<Question>();
  const CLI::Validator past(PastFault, "TIME");
  explain->add_option("ID", question->monitor, "Id of the monitor")->required();
  explain
      ->add_option("--at", question->at,
                   "Why it rang, or did not, then: 2h ago, or \"2026-03-10 02:00:00Z\"; without: "
                   "what rang last, and how things stand")
      ->check(past);
  explain->add_option("--since", question->since, "Show from then on; otherwise a day before")
      ->check(past);
  explain->add_option("--until", question->until, "Show until then; otherwise an hour after --at")
      ->check(past);
  explain->add_option("--limit", question->limit, "Newest records to show")
      ->check(CLI::Range(1, 100 * kMostOnAPage))
      ->capture_default_str();
  explain->callback([question, &context] {
    context.action = [question](const Context& context) -> absl::Status {
      v1::ExplainMonitorRequest request;
      request.set_name(context.Name("monitors", question->monitor));
      if (!question->at.empty()) {
        RETURN_IF_ERROR(SetTime(question->at, *request.mutable_at()));
      }
      if (!question->since.empty()) {
        RETURN_IF_ERROR(SetTime(question->since, *request.mutable_start_time()));
      }
      if (!question->until.empty()) {
        RETURN_IF_ERROR(SetTime(question->until, *request.mutable_end_time()));
      }
      ASSIGN_OR_RETURN(const v1::ExplainMonitorResponse explanation,
                       Explain(context, request, question->limit));
      if (context.json()) {
        context.PrintOne(explanation);
        return absl::OkStatus();
      }
      Print(ShowExplanation(explanation, IdOf(request.name())));
      if (!explanation.next_page_token().empty()) {
        Print("Older ones are left out: --limit.\n");
      }
      return absl::OkStatus();
    };
  });
}

}  // namespace tocsin::cli
