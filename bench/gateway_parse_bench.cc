// What a push costs the gateway before it is sent: reading HTTP, the route, the parameters.
#include <benchmark/benchmark.h>

#include <string>

#include "common/sha256.h"
#include "gateway/http/request_reader.h"
#include "gateway/push_parameters.h"
#include "gateway/route.h"

namespace tocsin::gateway {
namespace {

const char kRequest[] =
    "GET /api/push/7d1GkQ0wZr3nVb8xLm5cTy2pHs9aEf4u?status=up&msg=backup-completed&ping=12.5 "
    "HTTP/1.1\r\nHost: tocsin.example.com\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";

void BM_ReadRequest(benchmark::State& state) {
  http::RequestReader reader({});
  const std::string_view input = kRequest;
  for (auto _ : state) {
    reader.Reset();
    size_t consumed = 0;
    benchmark::DoNotOptimize(reader.Feed(input, consumed));
  }
}
BENCHMARK(BM_ReadRequest);

void BM_ReadParameters(benchmark::State& state) {
  PushParser parser;
  PushParameters parameters;
  const std::string_view target =
      "/api/push/7d1GkQ0wZr3nVb8xLm5cTy2pHs9aEf4u"
      "?status=up&msg=backup-completed&ping=12.5";
  for (auto _ : state) {
    const Route route = ParseRoute(target);
    benchmark::DoNotOptimize(parser.Parse({.query = route.query}, parameters));
  }
}
BENCHMARK(BM_ReadParameters);

void BM_ReadJson(benchmark::State& state) {
  PushParser parser;
  PushParameters parameters;
  const PushInput input{.query = "",
                        .content_type = "application/json",
                        .body = R"({"status":"up","msg":"backup-completed","value":12.5})"};
  for (auto _ : state) benchmark::DoNotOptimize(parser.Parse(input, parameters));
}
BENCHMARK(BM_ReadJson);

void BM_HashToken(benchmark::State& state) {
  const std::string token = "7d1GkQ0wZr3nVb8xLm5cTy2pHs9aEf4u";
  for (auto _ : state) benchmark::DoNotOptimize(Sha256(token));
}
BENCHMARK(BM_HashToken);

}  // namespace
}  // namespace tocsin::gateway

BENCHMARK_MAIN();
