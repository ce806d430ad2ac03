// Calls one of the API's list methods again and again, one call at a time, and prints what it
// took as a JSON object for each run, a line each. The request is given as JSON, so that whatever
// the API offers to filter and order by can be asked for.
#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/v1/delivery_service.grpc.pb.h"
#include "tocsin/v1/incident_service.grpc.pb.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"

namespace tocsin {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::shared_ptr<grpc::Channel> channel;
  int runs = 0;
  double seconds = 0;  // of each run
  int skip = 0;        // pages of 1,000 before the first page that is measured
  std::string request;
};

int ItemsOf(const v1::ListMonitorsResponse& response) { return response.monitors_size(); }
int ItemsOf(const v1::ListHeartbeatsResponse& response) { return response.heartbeats_size(); }
int ItemsOf(const v1::ListIncidentsResponse& response) { return response.incidents_size(); }
int ItemsOf(const v1::ListDeliveriesResponse& response) { return response.deliveries_size(); }

bool Failed(const grpc::Status& status) {
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.error_message().c_str());
  return !status.ok();
}

void Print(std::vector<double> latencies_ms, int64_t items) {
  std::sort(latencies_ms.begin(), latencies_ms.end());
  const auto at = [&latencies_ms](double share) {
    const size_t count = latencies_ms.size();
    return latencies_ms[std::min(static_cast<size_t>(share * static_cast<double>(count)),
                                 count - 1)];
  };
  std::printf("{\"calls\": %zu, \"items\": %lld, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
              latencies_ms.size(), static_cast<long long>(items), at(0.50), at(0.99));
}

// Each call asks for the page after the one before; after the last comes the first again. With
// `skip`, what comes after the last is the page where it began.
template <typename Stub, typename Request, typename Response>
int Run(const Options& options,
        grpc::Status (Stub::*list)(grpc::ClientContext*, const Request&, Response*)) {
  Stub stub(options.channel);
  Request first;
  const auto parsed = google::protobuf::util::JsonStringToMessage(options.request, &first);
  if (!parsed.ok()) {
    std::fprintf(stderr, "the request is not understood: %s\n", parsed.ToString().c_str());
    return 2;
  }
  Response response;
  const auto call = [&](const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(gpr_time_from_seconds(10, GPR_TIMESPAN));
    if (const char* const key = std::getenv("TOCSIN_KEY"); key != nullptr) {
      context.AddMetadata("authorization", std::string("Bearer ") + key);
    }
    response.Clear();
    return (stub.*list)(&context, request, &response);
  };
  for (int i = 0; i < options.skip; ++i) {
    Request wide = first;
    wide.set_page_size(1000);
    if (Failed(call(wide))) return 1;
    if (response.next_page_token().empty()) break;
    first.set_page_token(response.next_page_token());
  }

  for (int run = 0; run < options.runs; ++run) {
    std::vector<double> latencies_ms;
    int64_t items = 0;
    Request next = first;
    const Clock::time_point end =
        Clock::now() +
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
    while (true) {
      const Clock::time_point begin = Clock::now();
      if (begin >= end) break;
      if (Failed(call(next))) return 1;
      const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
      latencies_ms.push_back(took.count());
      items += ItemsOf(response);
      next.set_page_token(response.next_page_token().empty() ? first.page_token()
                                                             : response.next_page_token());
    }
    Print(std::move(latencies_ms), items);
  }
  return 0;
}

int RunMethod(std::string_view method, const Options& options) {
  if (method == "monitors") return Run(options, &v1::MonitorService::Stub::ListMonitors);
  if (method == "heartbeats") return Run(options, &v1::MonitorService::Stub::ListHeartbeats);
  if (method == "incidents") return Run(options, &v1::IncidentService::Stub::ListIncidents);
  if (method == "deliveries") return Run(options, &v1::DeliveryService::Stub::ListDeliveries);
  std::fprintf(stderr, "what to list must be monitors, heartbeats, incidents or deliveries\n");
  return 2;
}

}  // namespace
}  // namespace tocsin

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: %s WHAT HOST:PORT RUNS SECONDS SKIP_PAGES REQUEST_AS_JSON\n",
                 argv[0]);
    return 2;
  }
  tocsin::Options options;
  options.channel = grpc::CreateChannel(argv[2], grpc::InsecureChannelCredentials());
  options.runs = std::atoi(argv[3]);
  options.seconds = std::atof(argv[4]);
  options.skip = std::atoi(argv[5]);
  options.request = argv[6];
  return tocsin::RunMethod(argv[1], options);
}
