// Monitors from the CronJobs of a Kubernetes cluster. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/import_batch.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {

// One that a file is to declare, and in which project.
struct ProjectMonitor {
  std::string project;
  ImportedMonitor entry;
};

struct KubernetesOptions {
  std::string project;  // of all of them
  bool project_per_namespace = false;
  std::string owner = "";      // empty: their own
  std::string time_zone = "";  // of those that say none
};

// `exported` is what `kubectl get cronjobs -o json` prints: a List, or one CronJob. The id is
// NAMESPACE-NAME, or NAME in a project of its namespace. Suspended ones are skipped. Notes say what
// was decided. INVALID_ARGUMENT when it is something else; what is wrong with one refuses that one
// only.
absl::StatusOr<std::vector<ProjectMonitor>> FromKubernetes(const nlohmann::json& exported,
                                                           const KubernetesOptions& options);

}  // namespace tocsin::cli
