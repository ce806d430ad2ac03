// Rollups as they are stored.
#include "services/core/store/rollup_codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace tocsin::core {
namespace {

constexpr char kVersion = 1;
constexpr uint64_t kMostOfABucket = uint64_t{1} << 48;

// Seven bits a byte, the lowest first.
void PutNumber(uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

// Small also when it is negative.
void PutSigned(int64_t number, std::string& out) {
  PutNumber(static_cast<uint64_t>(number << 1) ^ static_cast<uint64_t>(number >> 63), out);
}

void PutDouble(double number, std::string& out) {
  const auto bits = std::bit_cast<uint64_t>(number);
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

void Put(const Histogram& histogram, std::string& out) {
  PutNumber(histogram.buckets.size(), out);
  if (histogram.count == 0) return;
  PutDouble(histogram.min, out);
  PutDouble(histogram.max, out);
  PutDouble(histogram.mean, out);
  int32_t before = 0;
  for (const auto& [bucket, count] : histogram.buckets) {
    PutSigned(bucket - before, out);
    PutNumber(static_cast<uint64_t>(count), out);
    before = bucket;
  }
}

// Takes from the front; what is not there reads as 0 and is remembered.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  uint64_t Number() {
    uint64_t number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = Byte();
      number |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
    Spoil();
    return 0;
  }

  int64_t Signed() {
    const uint64_t number = Number();
    return static_cast<int64_t>(number >> 1) ^ -static_cast<int64_t>(number & 1);
  }

  double Double() {
    uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 8) bits |= static_cast<uint64_t>(Byte()) << shift;
    const auto number = std::bit_cast<double>(bits);
    if (!std::isfinite(number)) Spoil();
    return number;
  }

  Histogram Read() {
    Histogram histogram;
    const uint64_t size = Number();
    if (size == 0 || !good_) return histogram;
    histogram.min = Double();
    histogram.max = Double();
    histogram.mean = Double();
    int64_t bucket = 0;
    for (uint64_t i = 0; i < size && good_; ++i) {
      // Bounds keep sums of what is damaged from overflowing.
      bucket += std::clamp<int64_t>(Signed(), -3 * kLastBucket, 3 * kLastBucket);
      const auto count = static_cast<int64_t>(std::min(Number(), kMostOfABucket));
      if (count == 0 || bucket < -kLastBucket || bucket > kLastBucket) Spoil();
      if (!histogram.buckets.try_emplace(static_cast<int32_t>(bucket), count).second) Spoil();
      histogram.count += count;
    }
    return histogram;
  }

  uint8_t Byte() {
    if (rest_.empty()) Spoil();
    if (!good_) return 0;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }

  // Whether all was there, and nothing more.
  bool Complete() const { return good_ && rest_.empty(); }

 private:
  void Spoil() { good_ = false; }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::string EncodeRollup(const Rollup& rollup) {
  std::string out(1, kVersion);
  Put(rollup.gaps, out);
  Put(rollup.silences, out);
  Put(rollup.lateness, out);
  Put(rollup.values, out);
  return out;
}

absl::StatusOr<Rollup> DecodeRollup(std::string_view bytes, absl::Time start) {
  Reader reader(bytes);
  if (reader.Byte() != kVersion) return absl::DataLossError("a rollup of an unknown version");
  Rollup rollup;
  rollup.start = start;
  rollup.gaps = reader.Read();
  rollup.silences = reader.Read();
  rollup.lateness = reader.Read();
  rollup.values = reader.Read();
  if (!reader.Complete()) return absl::DataLossError("a rollup that is damaged");
  return rollup;
}

}  // namespace tocsin::core
