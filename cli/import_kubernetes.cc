// Monitors from the CronJobs of a Kubernetes cluster.
#include "cli/import_kubernetes.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/cron_entry.h"
#include "cli/duration.h"
#include "cli/import_json.h"
#include "cli/kubernetes_cron.h"

namespace tocsin::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxOwnerBytes = 128;
constexpr size_t kMaxDescriptionBytes = 4096;
constexpr absl::Duration kDefaultGrace = absl::Minutes(5);
// Who answers for a job: labels before annotations, in this order.
constexpr std::array<const char*, 3> kOwnerKeys = {"owner", "team", "app.kubernetes.io/part-of"};

const Json& Part(const Json& object, const char* field) {
  static const Json& none = *new Json(Json::object());
  if (!object.is_object()) return none;
  const auto found = object.find(field);
  return found == object.end() || !found->is_object() ? none : *found;
}

std::string OwnerOf(const Json& metadata, const std::string& name_space) {
  for (const char* where : {"labels", "annotations"}) {
    ExportFields fields(Part(metadata, where));
    for (const char* key : kOwnerKeys) {
      const std::string owner = fields.Text(key);
      if (!owner.empty()) return owner;
    }
  }
  return name_space;
}

// Kubernetes takes the zone as a field; before that people wrote it before the expression, where it
// was never promised to work.
void ReadSchedule(ExportFields& spec, const KubernetesOptions& options, ImportedMonitor& entry) {
  CronSource source{.expression = spec.Text("schedule"),
                    .zone = spec.Text("timeZone"),
                    .zone_default = options.time_zone};
  if (!spec.Has("schedule")) {
    spec.Fault("spec.schedule", "missing", "a cron expression");
    return;
  }
  absl::string_view text = source.expression;
  if (absl::ConsumePrefix(&text, "CRON_TZ=") || absl::ConsumePrefix(&text, "TZ=")) {
    const size_t blank = text.find(' ');
    source.zone = std::string(text.substr(0, blank));
    text.remove_prefix(std::min(blank, text.size()));
    source.expression = std::string(text);
    entry.notes.emplace_back("its zone is that before the expression");
  }
  source.expression = FromKubernetesCron(source.expression, entry.notes);
  ReadCron(source, entry);
}

void ReadDeadlines(ExportFields& spec, ExportFields& job, ImportedMonitor& entry) {
  if (entry.monitor.schedule().has_cron()) {
    const absl::Duration starting =
        spec.Seconds("startingDeadlineSeconds").value_or(absl::ZeroDuration());
    if (starting > kDefaultGrace) {
      *entry.monitor.mutable_schedule()->mutable_cron()->mutable_grace() = DurationProto(starting);
    }
  }
  const absl::Duration active = job.Seconds("activeDeadlineSeconds").value_or(absl::ZeroDuration());
  if (active >= absl::Seconds(1)) {
    *entry.monitor.mutable_max_run_duration() = DurationProto(active);
  } else {
    LimitRuns(entry);
  }
}

}  // namespace

absl::StatusOr<std::vector<ProjectMonitor>> FromKubernetes(const Json& exported,
                                                           const KubernetesOptions& options) {
  const Json* items = nullptr;
  Json one = Json::array();
  if (exported.is_object() && exported.contains("items") && exported["items"].is_array()) {
    items = &exported["items"];
  } else if (exported.is_object() && exported.value("kind", Json()) == "CronJob") {
    one.push_back(exported);
    items = &one;
  } else {
    return absl::InvalidArgumentError(
        "items: missing; accepted: what kubectl get cronjobs -A -o json prints");
  }
  if (items->size() > kMaxImported) {
    return absl::InvalidArgumentError(
        absl::StrCat("items: there are ", items->size(), "; accepted: at most ", kMaxImported));
  }
  std::map<std::string, ImportBatch> batches;
  for (size_t i = 0; i < items->size(); ++i) {
    const Json& item = (*items)[i];
    ExportFields object(item);
    const Json& metadata = Part(item, "metadata");
    ExportFields meta(metadata);
    ExportFields spec(Part(item, "spec"));
    ExportFields job(Part(Part(Part(item, "spec"), "jobTemplate"), "spec"));
    ImportedMonitor entry;
    entry.place = absl::StrCat("items[", i, "]");
    const std::string name = meta.Text("name");
    const std::string name_space = meta.Has("namespace") ? meta.Text("namespace") : "default";
    entry.name = absl::StrCat(name_space, "/", name);
    const bool is_cron_job = object.Text("kind").empty() || object.Text("kind") == "CronJob";
    if (!is_cron_job) {
      entry.skipped = absl::StrCat("it is a ", object.Text("kind"), ", not a CronJob");
    } else if (spec.Flag("suspend").value_or(false)) {
      entry.skipped = "it is suspended, and would not report";
    } else {
      ReadSchedule(spec, options, entry);
      ReadDeadlines(spec, job, entry);
      entry.monitor.set_owner(
          Bounded(options.owner.empty() ? OwnerOf(metadata, name_space) : options.owner,
                  kMaxOwnerBytes, "its owner", entry.notes));
      ExportFields annotations(Part(metadata, "annotations"));
      entry.monitor.set_description(Bounded(annotations.Text("kubernetes.io/description"),
                                            kMaxDescriptionBytes, "its description", entry.notes));
      (*entry.monitor.mutable_labels())["namespace"] = name_space;
      entry.monitor.set_arm_on_create(true);
      for (const ExportFields* fields : {&object, &meta, &spec, &job}) {
        if (entry.refusal.empty()) entry.refusal = fields->fault();
      }
      if (name.empty() && object.fault().empty())
        entry.refusal = "metadata.name: missing; accepted: a name";
    }
    const std::string project =
        options.project_per_namespace ? IdOfName(name_space) : options.project;
    const std::string id =
        options.project_per_namespace ? name : absl::StrCat(name_space, "-", name);
    batches[project].AddWithoutToken(std::move(entry), id, "cronjob");
  }
  std::vector<ProjectMonitor> monitors;
  for (auto& [project, batch] : batches) {
    for (ImportedMonitor& entry : batch.Take()) monitors.push_back({project, std::move(entry)});
  }
  return monitors;
}

}  // namespace tocsin::cli
