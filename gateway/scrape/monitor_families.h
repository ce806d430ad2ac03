// From pages of monitors to the text of their metrics, family by family.
//
// The format wants all lines of a family together, and core hands out each monitor once. So the
// family that has the texts of a monitor (owner, labels) is written while the pages come, and of
// each monitor no more is kept than its id and four numbers, some 45 bytes; the other families are
// written from these. That is one walk over the database instead of one for each family, and all
// numbers of a monitor are of one moment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tocsin/internal/v1/monitor_export_service.pb.h"

namespace tocsin::gateway {

// Not thread-safe, but may be used by one thread after another.
class MonitorFamilies {
 public:
  // What is kept of monitors, in bytes, at most.
  static constexpr size_t kMaxKept = size_t{64} << 20;

  explicit MonitorFamilies(size_t max_kept = kMaxKept) : max_kept_(max_kept) {}

  // The text of tocsin_monitor_info for this page is appended to `out`. RESOURCE_EXHAUSTED when
  // there are more monitors than can be kept.
  absl::Status AddPage(const internal::v1::ExportMonitorsResponse& page, std::string& out);

  // After the last page: appends the next piece of the other families, of some `piece` bytes. False
  // when that was the last one.
  bool AppendNext(size_t piece, std::string& out);

  size_t kept() const { return kept_; }

 private:
  // The monitors of a page, as records one after the other; see Pack and Unpack.
  struct Page {
    std::string project;
    std::string records;
  };

  void BeginInfo(std::string& out);

  const size_t max_kept_;
  size_t kept_ = 0;
  bool begun_ = false;
  std::vector<Page> pages_;
  // Where AppendNext goes on.
  size_t family_ = 0;
  size_t page_ = 0;
  size_t offset_ = 0;
};

}  // namespace tocsin::gateway
