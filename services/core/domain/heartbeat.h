// One received signal of a monitor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "services/core/domain/keys.h"

namespace tocsin::core {

// The numbers are stored: never change one.
enum class HeartbeatKind : int16_t { kUp = 1, kDown = 2, kStart = 3, kLog = 4 };
enum class Source : int16_t { kUnknown = 0, kHttp = 1, kGrpc = 2 };

inline constexpr size_t kMaxOutputBytes = 10'000;
// So much of its end is told with an alert.
inline constexpr size_t kSnapshotOutputBytes = 1024;

struct Heartbeat {
  HeartbeatKind kind = HeartbeatKind::kUp;
  absl::Time at;  // time of receipt, whole microseconds
  std::string
      message;  // empty stands for the default "OK"; at most 4,096 bytes of UTF-8 without NUL
  std::optional<double> value;         // finite
  std::optional<int32_t> exit_status;  // 0 to 255
  std::string run_id;                  // empty: none; at most 64 bytes
  Source source = Source::kUnknown;
  uint64_t push_id = 0;  // 0: none; otherwise the same on every retry of this heartbeat
  std::string output;    // what the job put out, any bytes; at most kMaxOutputBytes
  // How long the run took that it ended; known once it was decided.
  std::optional<absl::Duration> run_duration;
};

}  // namespace tocsin::core
