// Contract of the audit log.
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Audit : public StoreContract {
 protected:
  AuditRecord Record(const std::string& resource, absl::Time at) {
    return {.at = at,
            .caller = {.actor = "anonymous",
                       .method = "tocsin.v1.MonitorService/UpdateMonitor",
                       .source = "192.0.2.1",
                       .request_id = "r1"},
            .project = project(),
            .project_id = "default",
            .resource = resource,
            .changes = {{"labels.odd \"key\"", "", "ü,=\\\n\t'"}, {"owner", "a", ""}}};
  }
  void Write(const AuditRecord& record) {
    Do([&](Transaction& transaction) { return transaction.AddAudit(record); });
  }
  std::vector<std::string> Resources(const AuditQuery& query) {
    std::vector<std::string> resources;
    const std::vector<AuditView> views = store().ListAudit(query).value();
    for (const AuditView& view : views) resources.push_back(view.record.resource);
    return resources;
  }
};

TEST_P(Audit, AnEntryIsReadAsItWasWritten) {
  const AuditRecord record = Record("projects/default/monitors/job", kStart);
  Write(record);
  const std::vector<AuditView> views = store().ListAudit({.project = project()}).value();
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].record, record);
  EXPECT_GT(views[0].key, 0);
}

TEST_P(Audit, EntriesComeNewestFirstAndByTheirFilters) {
  Write(Record("a", kStart));
  AuditRecord other = Record("b", kStart + absl::Seconds(1));
  other.caller.actor = "projects/default/keys/k";
  Write(other);
  AuditRecord nowhere = Record("c", kStart + absl::Seconds(2));
  nowhere.project = 0;
  nowhere.project_id = "";
  Write(nowhere);
  Write(Record("d", kStart));  // written last, made at the same time as the first
  EXPECT_THAT(Resources({}), ElementsAre("c", "b", "d", "a"));
  EXPECT_THAT(Resources({.project = project()}), ElementsAre("b", "d", "a"));
  EXPECT_THAT(Resources({.project = project() + 1000}), IsEmpty());
  EXPECT_THAT(Resources({.resource = "d"}), ElementsAre("d"));
  EXPECT_THAT(Resources({.actor = "anonymous"}), ElementsAre("c", "d", "a"));
  EXPECT_THAT(Resources({.start = kStart + absl::Seconds(1), .end = kStart + absl::Seconds(2)}),
              ElementsAre("b"));
}

TEST_P(Audit, PagesGoOnWhereTheLastOneEnded) {
  for (const char* resource : {"a", "b", "c"}) Write(Record(resource, kStart));
  AuditQuery query = {.limit = 2};
  const std::vector<AuditView> page = store().ListAudit(query).value();
  ASSERT_EQ(page.size(), 2u);
  query.before = page[1].record.at;
  query.before_key = page[1].key;
  EXPECT_THAT(Resources(query), ElementsAre("a"));
}

TEST_P(Audit, WhatIsRolledBackLeavesNoEntry) {
  const absl::Status status =
      store().Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        EXPECT_TRUE(transaction.AddAudit(Record("a", kStart)).ok());
        return absl::AbortedError("no");
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(Resources({}), IsEmpty());
}

TEST_P(Audit, OldEntriesAreDropped) {
  const RetentionPolicy policy;
  Write(Record("old", kStart - policy.audit - absl::Seconds(1)));
  Write(Record("young", kStart - policy.audit + absl::Seconds(1)));
  EXPECT_TRUE(store().Maintain(policy, kStart).ok());
  EXPECT_THAT(Resources({}), ElementsAre("young"));
}

INSTANTIATE_TEST_SUITE_P(Stores, Audit, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
