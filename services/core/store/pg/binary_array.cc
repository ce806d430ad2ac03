// Writes array_recv's format, element by element.
#include "services/core/store/pg/binary_array.h"

#include <bit>
#include <limits>
#include <utility>

namespace tocsin::core::pg {
namespace {

constexpr size_t kHeaderBytes = 5 * sizeof(int32_t);

template <typename Unsigned>
void PutBigEndian(char* at, Unsigned value) {
  for (size_t i = 0; i < sizeof(Unsigned); ++i) {
    at[i] = static_cast<char>(value >> (8 * (sizeof(Unsigned) - 1 - i)));
  }
}

template <typename Unsigned>
void AppendElement(std::string& bytes, Unsigned value) {
  char buffer[sizeof(uint32_t) + sizeof(Unsigned)];
  PutBigEndian<uint32_t>(buffer, sizeof(Unsigned));
  PutBigEndian(buffer + sizeof(uint32_t), value);
  bytes.append(buffer, sizeof(buffer));
}

}  // namespace

int64_t ToPostgresMicros(absl::Time time) {
  if (time == absl::InfiniteFuture()) return std::numeric_limits<int64_t>::max();
  if (time == absl::InfinitePast()) return std::numeric_limits<int64_t>::min();
  constexpr int64_t kEpochMicros = 946'684'800'000'000;  // 2000-01-01 after 1970-01-01
  return absl::ToUnixMicros(time) - kEpochMicros;
}

BinaryArray::BinaryArray(ElementType type, size_t expected) {
  bytes_.reserve(kHeaderBytes + expected * (sizeof(uint32_t) + sizeof(uint64_t)));
  bytes_.assign(kHeaderBytes, '\0');
  PutBigEndian(&bytes_[8], static_cast<uint32_t>(type));
}

void BinaryArray::AddInt8(int64_t value) {
  AppendElement(bytes_, static_cast<uint64_t>(value));
  ++size_;
}

void BinaryArray::AddInt4(int32_t value) {
  AppendElement(bytes_, static_cast<uint32_t>(value));
  ++size_;
}

void BinaryArray::AddInt2(int16_t value) {
  AppendElement(bytes_, static_cast<uint16_t>(value));
  ++size_;
}

void BinaryArray::AddBool(bool value) {
  AppendElement(bytes_, static_cast<uint8_t>(value));
  ++size_;
}

void BinaryArray::AddFloat8(double value) {
  AppendElement(bytes_, std::bit_cast<uint64_t>(value));
  ++size_;
}

void BinaryArray::AddBytes(std::string_view value) {
  char length[sizeof(uint32_t)];
  PutBigEndian(length, static_cast<uint32_t>(value.size()));
  bytes_.append(length, sizeof(length)).append(value);
  ++size_;
}

void BinaryArray::AddNull() {
  bytes_.append(sizeof(uint32_t), '\xff');
  has_null_ = true;
  ++size_;
}

std::string BinaryArray::Finish() && {
  PutBigEndian<uint32_t>(&bytes_[4], has_null_ ? 1 : 0);
  if (size_ == 0) {
    bytes_.resize(3 * sizeof(int32_t));  // no dimension
  } else {
    PutBigEndian<uint32_t>(&bytes_[0], 1);
    PutBigEndian<uint32_t>(&bytes_[12], static_cast<uint32_t>(size_));
    PutBigEndian<uint32_t>(&bytes_[16], 1);
  }
  return std::move(bytes_);
}

}  // namespace tocsin::core::pg
