// A transaction whose outcome is known in the end.
#include "services/core/engine/known_transaction.h"

#include "services/core/domain/errors.h"

namespace tocsin::core {
namespace {

constexpr int kMaxRuns = 4;

}  // namespace

absl::Status TransactUntilKnown(Store& store, TransactionClass klass,
                                absl::FunctionRef<absl::Status(Transaction&, bool again)> body) {
  bool again = false;
  for (int run = 0; run < kMaxRuns; ++run) {
    const absl::Status status =
        store.Transact(klass, [&](Transaction& transaction) { return body(transaction, again); });
    const bool look_again = absl::IsUnknown(status) || (again && absl::IsAlreadyExists(status));
    if (!look_again) return status;
    again = true;
  }
  return TryAgain("the database did not say whether the change was made; try again");
}

}  // namespace tocsin::core
