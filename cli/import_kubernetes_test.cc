// CronJobs of Kubernetes, one by one.
#include "cli/import_kubernetes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "cli/import_json.h"
#include "cli/kubernetes_cron.h"

namespace tocsin::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Json = nlohmann::json;

Json CronJob(const char* name_space, const char* name) {
  return {{"kind", "CronJob"},
          {"metadata", {{"name", name}, {"namespace", name_space}}},
          {"spec",
           {{"schedule", "30 2 * * *"},
            {"timeZone", "Europe/Paris"},
            {"jobTemplate", {{"spec", Json::object()}}}}}};
}

Json Patched(const char* patch) {
  Json job = CronJob("payments", "settle");
  job.merge_patch(*ParseExport(patch));
  return job;
}

ImportedMonitor Import(const Json& job, const KubernetesOptions& options = {.project = "p"}) {
  return FromKubernetes({{"kind", "List"}, {"items", {job}}}, options)->front().entry;
}

TEST(ImportKubernetesTest, ACronJobIsKeptWithAllThatItHas) {
  const ImportedMonitor entry = Import(Patched(R"({
    "metadata": {"labels": {"app.kubernetes.io/part-of": "billing"},
                 "annotations": {"kubernetes.io/description": "Settles"}},
    "spec": {"startingDeadlineSeconds": 1800, "suspend": false,
             "jobTemplate": {"spec": {"activeDeadlineSeconds": 7200}}}})"));
  EXPECT_EQ(entry.refusal, "");
  EXPECT_THAT(entry.notes, IsEmpty());
  EXPECT_EQ(entry.id, "payments-settle");
  EXPECT_EQ(entry.monitor.owner(), "billing");
  EXPECT_EQ(entry.monitor.description(), "Settles");
  EXPECT_EQ(entry.monitor.labels().at("namespace"), "payments");
  EXPECT_EQ(entry.monitor.schedule().cron().expression(), "30 2 * * *");
  EXPECT_EQ(entry.monitor.schedule().cron().time_zone(), "Europe/Paris");
  EXPECT_EQ(entry.monitor.schedule().cron().grace().seconds(), 1800);
  EXPECT_EQ(entry.monitor.max_run_duration().seconds(), 7200);
  EXPECT_TRUE(entry.monitor.arm_on_create());
}

TEST(ImportKubernetesTest, AJobWithoutADeadlineMayRunUntilTheNextOne) {
  EXPECT_EQ(Import(CronJob("payments", "x")).monitor.max_run_duration().seconds(), 24 * 3600);
}

TEST(ImportKubernetesTest, TheOwnerIsWhoTheLabelsNameOrTheNamespace) {
  EXPECT_EQ(Import(CronJob("payments", "x")).monitor.owner(), "payments");
  EXPECT_EQ(
      Import(Patched(R"({"metadata": {"labels": {"team": "a", "owner": "b"}}})")).monitor.owner(),
      "b");
  EXPECT_EQ(Import(Patched(R"({"metadata": {"annotations": {"team": "a"}}})")).monitor.owner(),
            "a");
  EXPECT_EQ(Import(CronJob("payments", "x"), {.project = "p", .owner = "ops"}).monitor.owner(),
            "ops");
}

TEST(ImportKubernetesTest, AZoneThatIsNotSaidIsUtcOrThatOfTheFlag) {
  const Json job = Patched(R"({"spec": {"timeZone": null}})");
  EXPECT_EQ(Import(job).monitor.schedule().cron().time_zone(), "UTC");
  EXPECT_THAT(Import(job).notes, ElementsAre(HasSubstr("read as UTC")));
  EXPECT_EQ(Import(job, {.project = "p", .time_zone = "Asia/Tokyo"})
                .monitor.schedule()
                .cron()
                .time_zone(),
            "Asia/Tokyo");
  const ImportedMonitor old = Import(
      Patched(R"({"spec": {"timeZone": null, "schedule": "CRON_TZ=Asia/Tokyo 0 1 ? * *"}})"));
  EXPECT_EQ(old.monitor.schedule().cron().time_zone(), "Asia/Tokyo");
  EXPECT_EQ(old.monitor.schedule().cron().expression(), "0 1 * * *");
}

TEST(ImportKubernetesTest, WhatKubernetesReadsOtherwiseIsWrittenAnew) {
  const auto expression = [](const std::string& schedule) {
    std::vector<std::string> notes;
    return FromKubernetesCron(schedule, notes);
  };
  // Odd days or Mondays, and not Mondays that are odd.
  EXPECT_EQ(expression("0 3 */2 * 1"), "0 3 1-31/2 * 1");
  EXPECT_EQ(expression("0 3 1,15 * */2"), "0 3 1,15 * 0-6/2");
  EXPECT_EQ(expression("0 3 */2 * *"), "0 3 */2 * *");
  EXPECT_EQ(expression("0 3 */1 * 1"), "0 3 */1 * 1");
  EXPECT_EQ(expression("0 3 ? * 1"), "0 3 ? * 1");
  EXPECT_EQ(expression("5/15 2/6 * * *"), "5-59/15 2-23/6 * * *");
  EXPECT_EQ(expression("*/15 1-9/2,20 * * *"), "*/15 1-9/2,20 * * *");
  EXPECT_EQ(expression("@daily"), "@daily");
  const ImportedMonitor entry = Import(Patched(R"({"spec": {"schedule": "0 3 */2 * 1"}})"));
  EXPECT_EQ(entry.monitor.schedule().cron().expression(), "0 3 1-31/2 * 1");
  EXPECT_THAT(entry.notes, ElementsAre(HasSubstr("\"*/2\" is written as 1-31/2")));
}

TEST(ImportKubernetesTest, AShortStartingDeadlineLeavesTheGraceOfCron) {
  const ImportedMonitor entry = Import(Patched(R"({"spec": {"startingDeadlineSeconds": 10}})"));
  EXPECT_FALSE(entry.monitor.schedule().cron().has_grace());
}

TEST(ImportKubernetesTest, WhatDoesNotRunIsSkippedAndWhatIsWrongIsRefused) {
  EXPECT_THAT(Import(Patched(R"({"spec": {"suspend": true}})")).skipped, HasSubstr("suspended"));
  EXPECT_THAT(Import(Patched(R"({"kind": "Job"})")).skipped, HasSubstr("not a CronJob"));
  EXPECT_THAT(Import(Patched(R"({"spec": {"schedule": null}})")).refusal,
              HasSubstr("spec.schedule: missing"));
  EXPECT_THAT(Import(Patched(R"({"spec": {"schedule": "1 2 3"}})")).refusal, HasSubstr("3 fields"));
  EXPECT_THAT(Import(Patched(R"({"metadata": {"name": null}})")).refusal,
              HasSubstr("metadata.name: missing"));
  EXPECT_THAT(Import(Patched(R"({"spec": {"suspend": "no"}})")).refusal, HasSubstr("suspend"));
  EXPECT_THAT(Import(Json(3)).refusal, HasSubstr("not an object"));
}

TEST(ImportKubernetesTest, NamesThatMeetInAnIdAreToldApart) {
  const auto monitors =
      FromKubernetes({{"items", {CronJob("a-b", "c"), CronJob("a", "b-c")}}}, {.project = "p"});
  EXPECT_EQ((*monitors)[0].entry.id, "a-b-c");
  EXPECT_EQ((*monitors)[1].entry.id, "a-b-c-2");
}

TEST(ImportKubernetesTest, ANamespaceCanBeAProject) {
  const auto monitors = FromKubernetes({{"items", {CronJob("a", "x"), CronJob("b", "x")}}},
                                       {.project = "p", .project_per_namespace = true});
  ASSERT_THAT(*monitors, SizeIs(2));
  EXPECT_EQ((*monitors)[0].project, "a");
  EXPECT_EQ((*monitors)[0].entry.id, "x");
  EXPECT_EQ((*monitors)[1].project, "b");
  EXPECT_EQ((*monitors)[1].entry.id, "x");
}

TEST(ImportKubernetesTest, OneCronJobIsEnoughAndSomethingElseIsRefused) {
  EXPECT_THAT(*FromKubernetes(CronJob("a", "x"), {.project = "p"}), SizeIs(1));
  EXPECT_THAT(std::string(FromKubernetes(Json::array(), {}).status().message()),
              HasSubstr("kubectl get cronjobs"));
}

}  // namespace
}  // namespace tocsin::cli
