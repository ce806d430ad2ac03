// Randomness by OpenSSL.
#include "common/random.h"

#include <openssl/rand.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace tocsin {
namespace {

constexpr size_t kTokenLength = 32;

void Fill(void* out, size_t n) {
  if (RAND_bytes(static_cast<unsigned char*>(out), static_cast<int>(n)) != 1) {
    std::fputs("fatal: the random number generator failed\n", stderr);
    std::abort();
  }
}

}  // namespace

std::string RandomBytes(size_t n) {
  std::string bytes(n, '\0');
  Fill(bytes.data(), n);
  return bytes;
}

std::string RandomToken() {
  return TokenOf([](int) { return RandomBytes(kTokenLength); });
}

std::string TokenOf(absl::FunctionRef<std::string(int round)> more) {
  static constexpr char kAlphabet[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string token;
  token.reserve(kTokenLength);
  for (int round = 0; token.size() < kTokenLength; ++round) {
    for (unsigned char byte : more(round)) {
      // 248 = 4 × 62: bytes above would favour the first letters.
      if (byte < 248 && token.size() < kTokenLength) token.push_back(kAlphabet[byte % 62]);
    }
  }
  return token;
}

uint64_t RandomId() {
  // One call of OpenSSL serves 64 ids.
  thread_local std::array<uint64_t, 64> pool;
  thread_local size_t next = pool.size();
  for (;;) {
    if (next == pool.size()) {
      Fill(pool.data(), sizeof(pool));
      next = 0;
    }
    if (uint64_t id = pool[next++]; id != 0) return id;
  }
}

double RandomFraction() { return static_cast<double>(RandomId() >> 11) * 0x1.0p-53; }

}  // namespace tocsin
