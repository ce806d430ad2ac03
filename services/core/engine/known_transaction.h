// A transaction whose outcome is known in the end, also when a commit was in doubt.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Runs `body` as Store::Transact does. After a commit in doubt it runs again with `again` set: an
// earlier run may or may not have been committed, and the body has to look before it repeats
// anything. ALREADY_EXISTS from a repeated run makes it look once more, since what exists may be
// its own. UNAVAILABLE when the outcome stays in doubt.
absl::Status TransactUntilKnown(Store& store, TransactionClass klass,
                                absl::FunctionRef<absl::Status(Transaction&, bool again)> body);

// As TransactUntilKnown; with `validate_only` everything that `body` wrote is rolled back after it
// returned OK, so that every check was made and nothing is seen of it.
absl::Status TransactOrValidate(Store& store, bool validate_only,
                                absl::FunctionRef<absl::Status(Transaction&, bool again)> body);

}  // namespace tocsin::core
