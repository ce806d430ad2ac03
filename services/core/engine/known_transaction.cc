// A transaction whose outcome is known in the end.
#include "services/core/engine/known_transaction.h"

#include "absl/strings/cord.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"

namespace tocsin::core {
namespace {

constexpr int kMaxAttempts = 4;

// Ends a transaction that was to be tried only.
constexpr char kValidated[] = "tocsin/validated";

}  // namespace

absl::Status TransactUntilKnown(Store& store, TransactionClass klass,
                                absl::FunctionRef<absl::Status(Transaction&, bool again)> body) {
  bool again = false;
  for (int run = 0; run < kMaxAttempts; ++run) {
    const absl::Status status =
        store.Transact(klass, [&](Transaction& transaction) { return body(transaction, again); });
    const bool look_again = absl::IsUnknown(status) || (again && absl::IsAlreadyExists(status));
    if (!look_again) return status;
    again = true;
  }
  return TryAgain("the database did not say whether the change was made; try again");
}

absl::Status TransactOrValidate(Store& store, bool validate_only,
                                absl::FunctionRef<absl::Status(Transaction&, bool again)> body) {
  if (!validate_only) return TransactUntilKnown(store, TransactionClass::kAdmin, body);
  const absl::Status status =
      store.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        RETURN_IF_ERROR(body(transaction, /*again=*/false));
        absl::Status validated = absl::CancelledError("validated");
        validated.SetPayload(kValidated, absl::Cord());
        return validated;
      });
  return status.GetPayload(kValidated).has_value() ? absl::OkStatus() : status;
}

}  // namespace tocsin::core
