// Looks at a Tocsin from here.
#include "cli/doctor/visit.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/doctor/health.h"
#include "cli/doctor/http_get.h"
#include "cli/doctor/judge.h"
#include "cli/doctor/metrics_text.h"
#include "cli/doctor/push_meter.h"
#include "cli/duration.h"
#include "cli/error_text.h"
#include "cli/values.h"
#include "common/build_info.h"
#include "tocsin/v1/channel_service.grpc.pb.h"
#include "tocsin/v1/delivery_service.grpc.pb.h"
#include "tocsin/v1/key_service.grpc.pb.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"
#include "tocsin/v1/statistics_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

constexpr int kPageSize = 1000;
constexpr int kMostMonitors = 10'000;
constexpr int kMostChannels = 10'000;

std::string Milliseconds(absl::Duration duration) {
  return absl::StrCat(std::max<int64_t>(1, absl::ToInt64Milliseconds(duration)), " ms");
}

class Visitor {
 public:
  Visitor(const Context& context, const DoctorQuestion& question, const Clock& clock)
      : context_(context), question_(question), clock_(clock) {}

  Findings Go() {
    if (Core() && Key()) {
      ReadClock();
      Channels();
      Deliveries();
    }
    Gateway();
    for (const std::string& admin : question_.admins) Admin(admin);
    Disk();
    return std::move(findings_);
  }

 private:
  void Add(std::string check, Verdict verdict, std::string what, std::string advice = "") {
    findings_.push_back({std::move(check), verdict, std::move(what), std::move(advice)});
  }
  void AddAll(Findings findings) {
    for (Finding& finding : findings) findings_.push_back(std::move(finding));
  }

  // As every other command would say it.
  std::string Why(const absl::Status& status) const {
    const std::string text = ErrorText(status, {.core = context_.core,
                                                .timeout = context_.rpc_timeout,
                                                .key_source = context_.KeySource()});
    return std::string(
        absl::StripSuffix(absl::StripPrefix(text.substr(0, text.find('\n')), "tocsin: "), "."));
  }

  void Failed(const std::string& check, const absl::Status& status) {
    Add(check, Verdict::kProblem, Why(status));
  }

  // Whether it is there.
  bool Core() {
    const absl::Time before = clock_.Now();
    const absl::StatusOr<bool> ready = AskHealth(context_);
    const absl::Duration took = clock_.Now() - before;
    if (!ready.ok()) {
      Add("core", Verdict::kProblem, Why(ready.status()),
          "tocsin context show says where the address comes from; the port is that of gRPC, 9090 "
          "by "
          "default");
      return false;
    }
    if (!*ready) {
      Add("core", Verdict::kProblem,
          absl::StrCat(context_.core, " answers, and is not ready for work"),
          "its log and /readyz of its admin port say what it waits for; mostly it is PostgreSQL");
      return true;
    }
    Add("core", Verdict::kFine,
        absl::StrCat(context_.core, " is ready, and answers in ", Milliseconds(took)));
    return true;
  }

  // Whether it may read. Reads monitors on the way.
  bool Key() {
    v1::ListMonitorsRequest request;
    request.set_parent(context_.Parent());
    request.set_page_size(kPageSize);
    auto monitors =
        context_.List(&v1::MonitorService::Stub::ListMonitors,
                      &v1::ListMonitorsResponse::mutable_monitors, request, kMostMonitors);
    if (!monitors.ok()) {
      Add("key", Verdict::kProblem, Why(monitors.status()),
          absl::IsPermissionDenied(monitors.status())
              ? "use a key of the role viewer or more; those of jobs and services may not read"
          : absl::IsNotFound(monitors.status()) ? "tocsin project list shows those that there are"
                                                : "");
      return false;
    }
    monitors_.assign(monitors->monitors().begin(), monitors->monitors().end());
    const std::string source = context_.KeySource();
    if (source.empty()) {
      Add("key", Verdict::kNote, "core asks for none (--auth=disabled)",
          "this is for trying it out: who reaches core may do everything");
      return true;
    }
    Add("key", Verdict::kFine, absl::StrCat("that of ", source, " has the role ", Role()));
    struct stat file = {};
    if (!context_.key_file.empty() && stat(context_.key_file.c_str(), &file) == 0 &&
        (file.st_mode & 077) != 0) {
      Add("key", Verdict::kNote, absl::StrCat("others on this machine may read ", source),
          absl::StrCat("chmod 600 ", context_.key_file));
    }
    return true;
  }

  // Found out by what core refuses: it tells nobody.
  std::string Role() const {
    v1::ListKeysRequest keys;
    keys.set_parent(context_.Parent());
    keys.set_page_size(1);
    if (context_.Call(&v1::KeyService::Stub::ListKeys, keys).ok()) return "admin";
    v1::UpdateMonitorRequest update;  // of nothing, and on trial
    update.mutable_monitor()->set_name(context_.Name("monitors", "doctor"));
    update.mutable_update_mask()->add_paths("owner");
    update.set_validate_only(true);
    const absl::Status status =
        context_.Call(&v1::MonitorService::Stub::UpdateMonitor, update).status();
    return absl::IsPermissionDenied(status) ? "viewer" : "editor";
  }

  void ReadClock() {
    if (monitors_.empty()) return;
    v1::GetMonitorStatisticsRequest request;
    request.set_name(monitors_.front().name());
    ClockReading reading = {.whose = "core", .least = {}, .most = {}, .before = {}, .after = {}};
    reading.before = clock_.Now();
    const auto statistics =
        context_.Call(&v1::StatisticsService::Stub::GetMonitorStatistics, request);
    reading.after = clock_.Now();
    if (!statistics.ok()) return Failed("clock", statistics.status());
    reading.least = reading.most = TimeOf(statistics->read_time());
    AddAll({JudgeClock(reading)});
  }

  void Channels() {
    v1::ListChannelsRequest request;
    request.set_parent(context_.Parent());
    request.set_page_size(kPageSize);
    const auto channels =
        context_.List(&v1::ChannelService::Stub::ListChannels,
                      &v1::ListChannelsResponse::mutable_channels, request, kMostChannels);
    if (!channels.ok()) return Failed("channel", channels.status());
    AddAll(JudgeChannels({channels->channels().begin(), channels->channels().end()}));
  }

  void Deliveries() {
    DeliveryFacts facts;
    v1::ListDeliveriesRequest request;
    request.set_parent(context_.Parent());
    request.set_page_size(kPageSize);
    for (const auto state : {v1::Delivery::STATE_DEAD, v1::Delivery::STATE_PENDING}) {
      request.set_state(state);
      const auto page = context_.Call(&v1::DeliveryService::Stub::ListDeliveries, request);
      if (!page.ok()) return Failed("delivery", page.status());
      const bool dead = state == v1::Delivery::STATE_DEAD;
      (dead ? facts.dead : facts.pending)
          .assign(page->deliveries().begin(), page->deliveries().end());
      if (dead) facts.more_dead = !page->next_page_token().empty();
    }
    AddAll(JudgeDeliveries(facts, clock_.Now()));
  }

  absl::Duration Limit() const {
    return ParseDuration(context_.rpc_timeout).value_or(absl::Seconds(10));
  }

  void Gateway() {
    if (question_.gateway.empty()) {
      return Add("gateway", Verdict::kUnknown, "not looked at",
                 "name it: --gateway http://HOST:8080, or TOCSIN_GATEWAY_URL");
    }
    // Without the key: it is not for every network. That core asks for one shows that it was
    // reached.
    ClockReading reading = {
        .whose = "the gateway", .least = {}, .most = {}, .before = {}, .after = {}};
    reading.before = clock_.Now();
    const auto answer = HttpGet(
        absl::StrCat(question_.gateway, "/api/v1/", context_.Parent(), "/monitors?pageSize=1"),
        Limit());
    reading.after = clock_.Now();
    if (!answer.ok()) {
      return Add(
          "gateway", Verdict::kProblem,
          absl::StrCat(question_.gateway, " cannot be reached: ", answer.status().message()),
          "does tocsin-gateway run, and does its address (--listen, ingress, DNS) lead there?");
    }
    if (answer->status != 200 && answer->status != 401) {
      const bool away = answer->status == 502 || answer->status == 503 || answer->status == 504;
      return Add("gateway", Verdict::kProblem,
                 absl::StrCat(question_.gateway, " answers with HTTP ", answer->status,
                              away ? ": it does not reach core" : ""),
                 away ? "is core ready, and is it in --core_addresses of the gateway?"
                      : "is this the address of tocsin-gateway?");
    }
    Add("gateway", Verdict::kFine,
        absl::StrCat(question_.gateway, " reaches core, and answers in ",
                     Milliseconds(reading.after - reading.before)));
    if (answer->date.has_value()) {
      reading.least = *answer->date;
      reading.most = *answer->date + absl::Seconds(1);
      AddAll({JudgeClock(reading)});
    }
    const auto reference = HttpGet(absl::StrCat(question_.gateway, "/openapi.json"), Limit());
    const auto json = nlohmann::json::parse(reference.ok() ? reference->body : "", nullptr,
                                            /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("info") && json["info"].is_object()) {
      AddAll({JudgeVersion("the gateway", json["info"].value("version", ""), Version())});
    }
  }

  void Admin(const std::string& where) {
    const std::string url = absl::StrCat("http://", where);
    const auto ready = HttpGet(url + "/readyz", Limit());
    if (!ready.ok()) {
      return Add("admin", Verdict::kProblem,
                 absl::StrCat(where, " cannot be reached: ", ready.status().message()),
                 "is this --admin_listen of a service that runs, and may this machine go there?");
    }
    const auto metrics = HttpGet(url + "/metrics", Limit());
    if (!metrics.ok()) {
      return Add("admin", Verdict::kProblem,
                 absl::StrCat(where, "/metrics: ", metrics.status().message()));
    }
    const std::string service = LabelOf(metrics->body, "tocsin_build_info", "service");
    if (!service.empty() && ready->status != 200) {
      Add(std::string(absl::StripPrefix(service, "tocsin-")), Verdict::kProblem,
          absl::StrCat(where, " is not ready: ", absl::StripAsciiWhitespace(ready->body)),
          "its log says more");
    }
    Findings found = JudgeMetrics(where, metrics->body);
    if (found.empty() && ready->status == 200) {
      found.push_back({std::string(absl::StripPrefix(service, "tocsin-")), Verdict::kFine,
                       absl::StrCat(where, " is ready, and connected"), ""});
    }
    AddAll(std::move(found));
    if (service.empty()) return;
    const std::string version = LabelOf(metrics->body, "tocsin_build_info", "version");
    if (version != Version()) AddAll({JudgeVersion(service, version, Version())});
    if (service == "tocsin-core") meter_.AddCore(metrics->body, clock_.Now());
  }

  void Disk() {
    if (const std::optional<PushRate> measured = meter_.Measured(); measured.has_value()) {
      AddAll({JudgeDisk(*measured, question_.retention)});
    } else if (!monitors_.empty()) {
      const bool all = monitors_.size() < kMostMonitors;
      AddAll({JudgeDisk(
          {RateOfSchedules(monitors_),
           absl::StrCat("by the schedules of ", all ? "" : "the first ", monitors_.size(),
                        monitors_.size() == 1 ? " monitor" : " monitors",
                        " of this project, without cron; ", meter_.WhyNot())},
          question_.retention)});
    }
  }

  const Context& context_;
  const DoctorQuestion& question_;
  const Clock& clock_;
  Findings findings_;
  std::vector<v1::Monitor> monitors_;
  PushMeter meter_;
};

}  // namespace

absl::StatusOr<std::string> GatewayUrl(const std::string& text) {
  const bool fit = absl::StartsWith(text, "http://") || absl::StartsWith(text, "https://");
  if (!fit) {
    return absl::InvalidArgumentError(
        absl::StrCat("--gateway: \"", text, "\" is no address; accepted: http(s)://HOST[:PORT]"));
  }
  return std::string(absl::StripSuffix(text, "/"));
}

Findings Visit(const Context& context, const DoctorQuestion& question, const Clock& clock) {
  return Visitor(context, question, clock).Go();
}

}  // namespace tocsin::cli
