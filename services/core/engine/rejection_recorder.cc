// Keeps what gateways refused of the monitors that it belongs to.
#include "services/core/engine/rejection_recorder.h"

#include <map>
#include <optional>
#include <utility>

#include "common/status_macros.h"

namespace tocsin::core {
namespace {

using KnownKeys = std::map<TokenHash, std::optional<KeyMatch>>;

// By a key that lets push, or did until it ended. Each key is looked up once, into `keys`.
absl::StatusOr<std::optional<MonitorKey>> FindByKey(Store& store,
                                                    const ReportedRejection& rejection,
                                                    KnownKeys& keys) {
  const auto [found, added] = keys.try_emplace(rejection.secret);
  if (added) {
    ASSIGN_OR_RETURN(found->second, store.FindKeyBySecret(rejection.secret));
  }
  const std::optional<KeyMatch>& match = found->second;
  if (!match.has_value() || match->key.role != Role::kPusher || match->key.project == 0) {
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const std::optional<Monitor> monitor,
                   store.FindMonitor(match->key.project_id, rejection.monitor_id));
  // Another project may have got the id of the key's, when that was deleted.
  if (!monitor.has_value() || monitor->definition.project != match->key.project) {
    return std::nullopt;
  }
  return monitor->definition.key;
}

}  // namespace

absl::Status RecordRejections(Store& store, std::vector<ReportedRejection> reported) {
  std::vector<RejectedPush> known;
  std::vector<ReportedRejection> by_token;
  std::vector<TokenHash> tokens;
  KnownKeys keys;
  for (ReportedRejection& each : reported) {
    if (each.monitor_id.empty()) {
      tokens.push_back(each.secret);
      by_token.push_back(std::move(each));
      continue;
    }
    ASSIGN_OR_RETURN(const std::optional<MonitorKey> monitor, FindByKey(store, each, keys));
    if (!monitor.has_value()) continue;
    known.push_back(std::move(each.push));
    known.back().monitor = *monitor;
  }
  return store.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
    std::vector<RejectedPush> all = known;
    if (!tokens.empty()) {
      ASSIGN_OR_RETURN(const std::vector<std::optional<MonitorKey>> owners,
                       transaction.FindTokenOwners(tokens));
      for (size_t i = 0; i < owners.size(); ++i) {
        if (!owners[i].has_value()) continue;
        all.push_back(by_token[i].push);
        all.back().monitor = *owners[i];
      }
    }
    return all.empty() ? absl::OkStatus() : transaction.AddRejectedPushes(all);
  });
}

}  // namespace tocsin::core
