// Reads /proc/self.
#include "common/process_metrics.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace tocsin {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

double FieldAt(const std::vector<absl::string_view>& fields, size_t index) {
  double value = 0;
  if (index < fields.size()) (void)absl::SimpleAtod(fields[index], &value);
  return value;
}

double BootTimeSeconds(const std::string& stat) {
  for (absl::string_view line : absl::StrSplit(stat, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    if (words[0] == "btime") return FieldAt(words, 1);
  }
  return 0;
}

prometheus::MetricFamily Family(const char* name, const char* help, prometheus::MetricType type,
                                double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  family.metric.push_back(metric);
  return family;
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  using prometheus::MetricType;
  // proc(5): the second field of stat is a name in parentheses and may hold spaces; what
  // follows it begins with field 3.
  const std::string stat = ReadFile("/proc/self/stat");
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(stat).substr(name_end + 1), ' ', absl::SkipEmpty());
  const auto field = [&fields](size_t number) { return FieldAt(fields, number - 3); };
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double page = static_cast<double>(sysconf(_SC_PAGESIZE));

  std::error_code error;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  const double open_fds =
      error ? 0 : static_cast<double>(std::distance(begin(descriptors), end(descriptors)));
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);

  return {
      Family("process_cpu_seconds_total", "User and system CPU time spent.", MetricType::Counter,
             (field(14) + field(15)) / ticks),
      Family("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge,
             field(24) * page),
      Family("process_start_time_seconds", "Start of the process since the Unix epoch.",
             MetricType::Gauge, BootTimeSeconds(ReadFile("/proc/stat")) + field(22) / ticks),
      Family("process_threads", "Threads.", MetricType::Gauge, field(20)),
      Family("process_open_fds", "Open file descriptors.", MetricType::Gauge, open_fds),
      Family("process_max_fds", "Limit of open file descriptors.", MetricType::Gauge,
             static_cast<double>(limit.rlim_cur)),
  };
}

}  // namespace tocsin
