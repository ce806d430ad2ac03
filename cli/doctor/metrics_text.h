// Figures of a service, as its /metrics gives them. Pure.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// The sum over the series of `family` that have every label of `labels`, e.g. `outcome="recorded"`
// (one or none). Nothing when there is no such series.
std::optional<double> SumOf(absl::string_view metrics, absl::string_view family,
                            absl::string_view label = "");

// The value of `label` of the first series of `family`; empty when there is none.
std::string LabelOf(absl::string_view metrics, absl::string_view family, absl::string_view label);

}  // namespace tocsin::cli
