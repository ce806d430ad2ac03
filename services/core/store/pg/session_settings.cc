// Writes a session class as SET statements.
#include "services/core/store/pg/session_settings.h"

#include "absl/strings/str_cat.h"

namespace tocsin::core::pg {
namespace {

std::string Milliseconds(absl::Duration duration) {
  return absl::StrCat("'", absl::ToInt64Milliseconds(duration), "ms'");
}

}  // namespace

std::string SettingsOf(const SessionClass& klass) {
  std::string settings = absl::StrCat(
      "SET client_min_messages = error; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; "
      "SET bytea_output = 'hex'; SET extra_float_digits = 1; SET jit = off; "
      "SET random_page_cost = 1.1; SET default_transaction_isolation = 'read committed'; ",
      "SET statement_timeout = ", Milliseconds(klass.statement_timeout),
      "; SET lock_timeout = ", Milliseconds(klass.lock_timeout),
      "; SET idle_in_transaction_session_timeout = ",
      Milliseconds(klass.idle_in_transaction_timeout));
  absl::StrAppend(
      &settings, "; SET plan_cache_mode = ",
      klass.plan_life > absl::ZeroDuration() ? "force_generic_plan" : "force_custom_plan");
  if (klass.by_key_only) {
    absl::StrAppend(&settings,
                    "; SET enable_seqscan = off; SET enable_bitmapscan = off; "
                    "SET enable_hashjoin = off; SET enable_mergejoin = off");
  }
  if (klass.no_scans) {
    absl::StrAppend(&settings,
                    "; SET enable_seqscan = off; SET max_parallel_workers_per_gather = 0");
  }
  return settings;
}

}  // namespace tocsin::core::pg
