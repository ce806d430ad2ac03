// What the words and the signature of one webhook cost.
#include <benchmark/benchmark.h>

#include <string>

#include "common/standard_webhooks.h"
#include "services/notifier/channel/payload.h"
#include "services/notifier/channel/summary.h"
#include "services/notifier/channel/webhook_request.h"
#include "services/notifier/testing/sample_messages.h"

namespace tocsin::notifier {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'773'112'320);

Delivery Sample() {
  Delivery delivery;
  delivery.facts.delivery_id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  delivery.destination.url = "https://example.com/hook";
  delivery.destination.secrets = {WebhookSecret::Format(std::string(32, 'n'))};
  delivery.destination.format = Format::kStandardWebhook;
  delivery.message = SampleNamed("opened_missed_deadline");
  return delivery;
}

void BM_Summary(benchmark::State& state) {
  const Message message = SampleNamed("opened_missed_deadline");
  for (auto _ : state) benchmark::DoNotOptimize(Summarize(message));
}
BENCHMARK(BM_Summary);

void BM_Payload(benchmark::State& state) {
  const Message message = SampleNamed("opened_missed_deadline");
  for (auto _ : state) benchmark::DoNotOptimize(StandardWebhookPayload(message));
}
BENCHMARK(BM_Payload);

// How the cost of a signature grows with the body.
void BM_Sign(benchmark::State& state) {
  const std::string body(static_cast<size_t>(state.range(0)), 'x');
  const std::vector<WebhookSecret> secrets = {
      *WebhookSecret::Parse(WebhookSecret::Format(std::string(32, 'n')))};
  for (auto _ : state) {
    benchmark::DoNotOptimize(SignWebhook(secrets, "msg_1", 1'773'112'320, body));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Sign)->Arg(1 << 10)->Arg(4 << 10)->Arg(16 << 10);

void BM_WholeRequest(benchmark::State& state) {
  const Delivery delivery = Sample();
  for (auto _ : state) {
    benchmark::DoNotOptimize(BuildWebhookRequest(delivery, kNow, absl::Seconds(10)));
  }
}
BENCHMARK(BM_WholeRequest);

}  // namespace
}  // namespace tocsin::notifier

BENCHMARK_MAIN();
