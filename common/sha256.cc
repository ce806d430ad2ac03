// SHA-256 by OpenSSL's EVP interface, with the algorithm looked up once.
#include "common/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "absl/strings/escaping.h"

namespace tocsin {
namespace {

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

[[noreturn]] void Fail() {
  std::fputs("fatal: OpenSSL has no SHA-256\n", stderr);
  std::abort();
}

}  // namespace

Sha256Digest Sha256(AnyStringView bytes) {
  // EVP_sha256() would be fetched anew by each digest, which costs more than hashing a token.
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, ContextDeleter> context(EVP_MD_CTX_new());
  Sha256Digest digest;
  if (EVP_DigestInit_ex(context.get(), algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
    Fail();
  }
  return digest;
}

std::string Sha256Bytes(AnyStringView bytes) {
  const Sha256Digest digest = Sha256(bytes);
  return std::string(digest.begin(), digest.end());
}

std::string Hex(AnyStringView bytes) { return absl::BytesToHexString(bytes.absl()); }

bool ConstantTimeEqual(AnyStringView a, AnyStringView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tocsin
