// What recording pushes costs without anything around it: two committers that give the store one
// group of steady ups after another, as core does, with neither gRPC nor HTTP nor a token to look
// up. Prints one JSON object.
#include <openssl/sha.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "services/core/domain/keys.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/records.h"
#include "services/core/store/sealer.h"

namespace tocsin::core {
namespace {

constexpr int kCommitters = 2;
// Channels are not read, so any key will do.
constexpr char kSealingKey[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

struct Load {
  std::string url;
  double seconds = 0;
  int group = 0;     // ups; a few less where chance chose a monitor twice
  int monitors = 0;  // tokens are bench and 17 digits, 0 to monitors - 1
};

struct Target {
  MonitorKey monitor = 0;
  int64_t version = 0;
};

absl::StatusOr<std::vector<Target>> Resolve(PgStore& store, const Load& load, absl::Time now) {
  std::vector<TokenHash> hashes(static_cast<size_t>(load.monitors));
  for (int i = 0; i < load.monitors; ++i) {
    char token[32];
    const int length = std::snprintf(token, sizeof(token), "bench%017d", i);
    SHA256(reinterpret_cast<const unsigned char*>(token), static_cast<size_t>(length),
           hashes[static_cast<size_t>(i)].data());
  }
  std::vector<Target> targets;
  RETURN_IF_ERROR(
      store.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        targets.clear();
        for (size_t from = 0; from < hashes.size(); from += 1000) {
          ASSIGN_OR_RETURN(
              const auto matches,
              transaction.ResolveTokens(absl::MakeConstSpan(hashes).subspan(from, 1000), now));
          for (const std::optional<TokenMatch>& match : matches) {
            if (!match.has_value()) return absl::NotFoundError("a monitor of the load is missing");
            targets.push_back({.monitor = match->monitor, .version = match->version});
          }
        }
        return absl::OkStatus();
      }));
  std::sort(targets.begin(), targets.end(),
            [](const Target& a, const Target& b) { return a.monitor < b.monitor; });
  return targets;
}

// Records groups of monitors of its own, as the committers of core do. An up that is not recorded
// is an error: the figure would be of something else.
absl::StatusOr<int64_t> Record(PgStore& store, int committer, const Load& load,
                               const std::vector<Target>& targets, const Clock& clock,
                               std::chrono::steady_clock::time_point end) {
  // Of this run alone: a push that was recorded before is none.
  std::mt19937_64 random(std::random_device{}());
  int64_t recorded = 0;
  while (std::chrono::steady_clock::now() < end) {
    std::vector<size_t> places(static_cast<size_t>(load.group));
    for (size_t& place : places) {
      place =
          random() % (targets.size() / kCommitters) * kCommitters + static_cast<size_t>(committer);
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    const absl::Time now = clock.Now();
    std::vector<SteadyUp> ups;
    for (const size_t place : places) {
      ups.push_back({.monitor = targets[place].monitor,
                     .version = targets[place].version,
                     .at = now,
                     .push_id = random(),
                     .source = Source::kHttp,
                     .message = "OK",
                     .value = {},
                     .exit_status = {}});
    }
    ASSIGN_OR_RETURN(const auto done, store.RecordSteadyUps(committer, ups, {}));
    if (done.size() != ups.size()) return absl::InternalError("not every up was recorded");
    recorded += static_cast<int64_t>(ups.size());
  }
  return recorded;
}

absl::Status RunLoad(const Load& load) {
  const SystemClock clock;
  const SystemMonotonicClock monotonic;
  ASSIGN_OR_RETURN(Sealer sealer, Sealer::FromText(kSealingKey));
  ASSIGN_OR_RETURN(const auto store,
                   PgStore::Open({.url = load.url}, std::move(sealer), monotonic));
  ASSIGN_OR_RETURN(const std::vector<Target> targets, Resolve(*store, load, clock.Now()));
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                               std::chrono::duration<double>(load.seconds));
  std::vector<absl::StatusOr<int64_t>> counts(kCommitters, 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < kCommitters; ++i) {
    threads.emplace_back(
        [&, i] { counts[static_cast<size_t>(i)] = Record(*store, i, load, targets, clock, end); });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  int64_t recorded = 0;
  for (const absl::StatusOr<int64_t>& count : counts) {
    RETURN_IF_ERROR(count.status());
    recorded += *count;
  }
  std::printf("{\"recorded\": %lld, \"seconds\": %.6f}\n", static_cast<long long>(recorded),
              took.count());
  return absl::OkStatus();
}

}  // namespace
}  // namespace tocsin::core

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s DATABASE_URL SECONDS GROUP MONITORS\n", argv[0]);
    return 2;
  }
  const tocsin::core::Load load = {.url = argv[1],
                                   .seconds = std::atof(argv[2]),
                                   .group = std::atoi(argv[3]),
                                   .monitors = std::atoi(argv[4])};
  if (load.seconds <= 0 || load.group < 1 || load.monitors < tocsin::core::kCommitters) {
    std::fprintf(stderr, "SECONDS must be above 0, GROUP at least 1, MONITORS at least %d\n",
                 tocsin::core::kCommitters);
    return 2;
  }
  const absl::Status done = tocsin::core::RunLoad(load);
  if (!done.ok()) std::fprintf(stderr, "%s\n", std::string(done.message()).c_str());
  return done.ok() ? 0 : 1;
}
