// Reading the query.
#include "gateway/scrape/scrape_query.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "gateway/rest/percent.h"

namespace tocsin::gateway {
namespace {

using internal::v1::ExportMonitorsRequest;

absl::Status Fault(const std::string& parameter, const std::string& what) {
  const std::string said = absl::StrCat(what, "; accepted are project and filter, each once");
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(parameter, ": ", said));
  AddFieldViolation(status, parameter, said);
  SetReason(status, "INVALID_FIELD");
  return status;
}

}  // namespace

absl::StatusOr<ExportMonitorsRequest> ReadScrapeQuery(std::string_view query) {
  std::optional<std::string> project, filter;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto name = DecodeStrictly(pair.substr(0, equals), Plus::kSpace);
    if (!name.ok()) {
      return Fault("query",
                   absl::StrCat("a parameter's name ", std::string(name.status().message())));
    }
    auto value = DecodeStrictly(pair.substr(std::min(equals + 1, pair.size())), Plus::kSpace);
    if (!value.ok()) return Fault(*name, std::string(value.status().message()));
    std::optional<std::string>* const known = *name == "project"  ? &project
                                              : *name == "filter" ? &filter
                                                                  : nullptr;
    if (known == nullptr) return Fault(*name, "is no parameter that is known here");
    if (known->has_value()) return Fault(*name, "is given twice");
    *known = *std::move(value);
  }
  ExportMonitorsRequest request;
  request.set_project(project.value_or(""));
  request.set_filter(filter.value_or(""));
  return request;
}

}  // namespace tocsin::gateway
