// Which adapter a request is for.
#include "gateway/adapters/adapter.h"

namespace tocsin::gateway {

const Adapter* FindAdapter(const Target& target) {
  // Cronitor's clients use Healthchecks' path, too, but with parameters of their own.
  static const Adapter* const adapters[] = {&CronitorAdapter(), &HealthchecksAdapter(),
                                            &OpsgenieAdapter(), &GatusAdapter(), &SentryAdapter()};
  for (const Adapter* adapter : adapters) {
    if (adapter->Wants(target)) return adapter;
  }
  return nullptr;
}

}  // namespace tocsin::gateway
