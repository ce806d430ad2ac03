// Encrypts the few secrets that must be read back: webhook URLs and signing secrets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tocsin::core {

// AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. A sealed value is
//   version (1 byte, 1) | key id (4) | nonce (12) | ciphertext | tag (16)
// where the key id is the first bytes of the key's SHA-256, so that values sealed under an older
// key can be opened while keys rotate. Immutable, thread-safe, cheap to copy.
class Sealer {
 public:
  // Each line of `text` is the base64 of a 32-byte key; the first seals, all of them open. Blank
  // lines and lines that begin with # are skipped. INVALID_ARGUMENT says which line is at fault
  // and never repeats it.
  static absl::StatusOr<Sealer> FromText(const std::string& text);
  // As FromText, from a file. NOT_FOUND when it cannot be read.
  static absl::StatusOr<Sealer> FromFile(const std::string& path);

  // `context` is bound to the value (as associated data): what was sealed for one place does not
  // open at another.
  std::string Seal(const std::string& plain, const std::string& context) const;
  // FAILED_PRECONDITION: sealed with a key that this sealer lacks (its id is named). DATA_LOSS:
  // damaged, or sealed for another context.
  absl::StatusOr<std::string> Open(const std::string& sealed, const std::string& context) const;

  // The id of the first key.
  std::string first_key_id() const { return keys_.front().id; }
  // 32 bytes that nobody can guess who lacks the key of that id, and that whoever has it makes
  // again from the same context: HMAC-SHA256 (RFC 2104) under a key that is derived from it for
  // this alone. nullopt when this sealer lacks the key.
  std::optional<std::string> Derive(const std::string& key_id, const std::string& context) const;

 private:
  static constexpr size_t kKeyIdBytes = 4;
  struct Key {
    std::array<uint8_t, 32> bytes;
    std::string id;  // kKeyIdBytes
  };

  explicit Sealer(std::vector<Key> keys) : keys_(std::move(keys)) {}

  std::vector<Key> keys_;  // not empty
};

}  // namespace tocsin::core
