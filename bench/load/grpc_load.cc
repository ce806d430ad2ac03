// Closed-loop load of unary gRPC calls, and the baseline for it: the same client against a server
// of the same library whose Push does nothing. Prints one JSON object.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/shutdown.h"
#include "tocsin/v1/push_service.grpc.pb.h"

namespace tocsin {
namespace {

using Clock = std::chrono::steady_clock;

// As many as wrk is given: half of a 2-core machine's threads each for the load and what it loads.
constexpr int kThreads = 2;

struct Load {
  std::string address;
  double seconds = 0;
  int in_flight = 0;  // calls, over all threads
  int monitors = 0;   // tokens are bench and 17 digits, 0 to monitors - 1; 0: an empty request
};

struct Tally {
  int64_t ok = 0;
  int64_t refused = 0;
  std::vector<double> latencies_ms;
};

// One of the calls in flight; when it ends, the next begins in its place.
struct Call {
  std::optional<grpc::ClientContext> context;  // good for one call
  v1::PushRequest request;
  v1::PushResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::PushResponse>> reader;
  Clock::time_point begin;
};

// One thread with a connection and a completion queue of its own.
class Worker {
 public:
  Worker(const Load& load, int number)
      : load_(load),
        random_(static_cast<uint64_t>(number)),
        calls_(static_cast<size_t>(load.in_flight / kThreads)) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = v1::PushService::NewStub(
        grpc::CreateCustomChannel(load.address, grpc::InsecureChannelCredentials(), arguments));
  }

  void Run(Clock::time_point end) {
    for (Call& call : calls_) Begin(call);
    size_t running = calls_.size();
    void* tag = nullptr;
    bool fine = false;
    while (running > 0 && queue_.Next(&tag, &fine)) {
      Call& call = *static_cast<Call*>(tag);
      const Clock::time_point now = Clock::now();
      Count(call, now);
      if (now < end) {
        Begin(call);
      } else {
        --running;
      }
    }
    queue_.Shutdown();
    while (queue_.Next(&tag, &fine)) {
    }
  }

  const Tally& tally() const { return tally_; }

 private:
  void Begin(Call& call) {
    call.context.emplace();
    call.context->set_deadline(gpr_time_from_seconds(10, GPR_TIMESPAN));
    call.begin = Clock::now();
    if (load_.monitors > 0) {
      char token[32];
      std::snprintf(token, sizeof(token), "bench%017llu",
                    static_cast<unsigned long long>(random_() % load_.monitors));
      call.request.set_push_token(token);
    }
    call.reader = stub_->AsyncPush(&*call.context, call.request, &queue_);
    call.reader->Finish(&call.response, &call.status, &call);
  }

  void Count(const Call& call, Clock::time_point now) {
    ++(call.status.ok() ? tally_.ok : tally_.refused);
    const std::chrono::duration<double, std::milli> latency = now - call.begin;
    tally_.latencies_ms.push_back(latency.count());
  }

  const Load& load_;
  std::mt19937_64 random_;
  std::unique_ptr<v1::PushService::Stub> stub_;
  grpc::CompletionQueue queue_;
  std::vector<Call> calls_;  // never moved: the queue holds their addresses
  Tally tally_;
};

void Run(const Load& load) {
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < kThreads; ++i) workers.push_back(std::make_unique<Worker>(load, i + 1));
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + std::chrono::duration_cast<Clock::duration>(
                                            std::chrono::duration<double>(load.seconds));
  std::vector<std::thread> threads;
  for (const auto& worker : workers) threads.emplace_back([&worker, end] { worker->Run(end); });
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = Clock::now() - begin;

  Tally all;
  for (const auto& worker : workers) {
    all.ok += worker->tally().ok;
    all.refused += worker->tally().refused;
    const std::vector<double>& some = worker->tally().latencies_ms;
    all.latencies_ms.insert(all.latencies_ms.end(), some.begin(), some.end());
  }
  std::sort(all.latencies_ms.begin(), all.latencies_ms.end());
  const auto at = [&all](double share) {
    const size_t count = all.latencies_ms.size();
    if (count == 0) return 0.0;
    return all
        .latencies_ms[std::min(static_cast<size_t>(share * static_cast<double>(count)), count - 1)];
  };
  std::printf(
      "{\"ok\": %lld, \"refused\": %lld, \"seconds\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
      static_cast<long long>(all.ok), static_cast<long long>(all.refused), took.count(), at(0.50),
      at(0.99));
}

// Answers at once with nothing, as core's handlers do: with the callback API.
class EmptyPush : public v1::PushService::CallbackService {
  grpc::ServerUnaryReactor* Push(grpc::CallbackServerContext* context, const v1::PushRequest*,
                                 v1::PushResponse*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// Prints the port that it listens on and serves until SIGTERM.
void Serve() {
  Shutdown shutdown;
  EmptyPush service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::printf("%d\n", port);
  std::fflush(stdout);
  shutdown.Wait();
  server->Shutdown();
}

}  // namespace
}  // namespace tocsin

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "serve" && argc == 2) {
    tocsin::Serve();
    return 0;
  }
  if (!(verb == "push" && argc == 6) && !(verb == "empty" && argc == 5)) {
    std::fprintf(stderr,
                 "usage: %s push HOST:PORT SECONDS IN_FLIGHT MONITORS\n"
                 "       %s empty HOST:PORT SECONDS IN_FLIGHT\n"
                 "       %s serve\n",
                 argv[0], argv[0], argv[0]);
    return 2;
  }
  tocsin::Load load;
  load.address = argv[2];
  load.seconds = std::atof(argv[3]);
  load.in_flight = std::atoi(argv[4]);
  if (verb == "push") load.monitors = std::atoi(argv[5]);
  tocsin::Run(load);
  return 0;
}
