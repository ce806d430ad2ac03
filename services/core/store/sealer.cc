// AES-256-GCM by OpenSSL.
#include "services/core/store/sealer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/random.h"
#include "common/sha256.h"

namespace tocsin::core {
namespace {

constexpr char kVersion = 1;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

CipherContext NewContext() {
  CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  if (context == nullptr) std::abort();  // out of memory
  return context;
}

const uint8_t* AsBytes(const std::string& s) { return reinterpret_cast<const uint8_t*>(s.data()); }
uint8_t* AsBytes(std::string& s) { return reinterpret_cast<uint8_t*>(s.data()); }

std::string Hmac(const std::string& key, const std::string& text) {
  std::string code(32, '\0');
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), AsBytes(text), text.size(),
           AsBytes(code), &length) == nullptr) {
    std::abort();  // no input makes it fail: OpenSSL itself is broken
  }
  return code;
}

}  // namespace

absl::StatusOr<Sealer> Sealer::FromText(const std::string& text) {
  std::vector<Key> keys;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const std::string encoded(absl::StripAsciiWhitespace(line));
    if (encoded.empty() || encoded.front() == '#') continue;
    std::string bytes;
    Key key;
    if (!absl::Base64Unescape(encoded, &bytes) || bytes.size() != key.bytes.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("secret key, line ", number,
                       ": not the base64 of 32 bytes; make one with: openssl rand -base64 32"));
    }
    std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
    key.id = Sha256Bytes(bytes).substr(0, kKeyIdBytes);
    keys.push_back(std::move(key));
  }
  if (keys.empty()) {
    return absl::InvalidArgumentError(
        "secret key: none given; make one with: openssl rand -base64 32");
  }
  return Sealer(std::move(keys));
}

absl::StatusOr<Sealer> Sealer::FromFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("secret key file ", path, ": cannot be read"));
  std::ostringstream text;
  text << file.rdbuf();
  absl::StatusOr<Sealer> sealer = FromText(text.str());
  if (sealer.ok()) return sealer;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", sealer.status().message()));
}

std::string Sealer::Seal(const std::string& plain, const std::string& context) const {
  const Key& key = keys_.front();
  const std::string nonce = RandomBytes(kNonceBytes);
  std::string ciphertext(plain.size(), '\0'), tag(kTagBytes, '\0');
  const CipherContext cipher = NewContext();
  int length = 0;
  const bool sealed =
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(),
                         AsBytes(nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &length, AsBytes(context), context.size()) == 1 &&
      EVP_EncryptUpdate(cipher.get(), AsBytes(ciphertext), &length, AsBytes(plain), plain.size()) ==
          1 &&
      EVP_EncryptFinal_ex(cipher.get(), nullptr, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, AsBytes(tag)) == 1;
  if (!sealed) std::abort();  // no input makes it fail: OpenSSL itself is broken
  return absl::StrCat(std::string(1, kVersion), key.id, nonce, ciphertext, tag);
}

absl::StatusOr<std::string> Sealer::Open(const std::string& sealed,
                                         const std::string& context) const {
  constexpr size_t kOverhead = 1 + kKeyIdBytes + kNonceBytes + kTagBytes;
  if (sealed.size() < kOverhead || sealed[0] != kVersion) {
    return absl::DataLossError("a sealed value is damaged");
  }
  const std::string key_id = sealed.substr(1, kKeyIdBytes);
  const auto key = std::find_if(keys_.begin(), keys_.end(),
                                [&](const Key& candidate) { return candidate.id == key_id; });
  if (key == keys_.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat("a value is sealed with key ", Hex(key_id), ", which the key file lacks"));
  }
  const std::string nonce = sealed.substr(1 + kKeyIdBytes, kNonceBytes);
  const std::string ciphertext =
      sealed.substr(1 + kKeyIdBytes + kNonceBytes, sealed.size() - kOverhead);
  std::string tag = sealed.substr(sealed.size() - kTagBytes);
  std::string plain(ciphertext.size(), '\0');
  const CipherContext cipher = NewContext();
  int length = 0;
  const bool opened =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key->bytes.data(),
                         AsBytes(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &length, AsBytes(context), context.size()) == 1 &&
      EVP_DecryptUpdate(cipher.get(), AsBytes(plain), &length, AsBytes(ciphertext),
                        ciphertext.size()) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, AsBytes(tag)) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), nullptr, &length) == 1;
  if (!opened) return absl::DataLossError("a sealed value is damaged, or is not of this place");
  return plain;
}

std::optional<std::string> Sealer::Derive(const std::string& key_id,
                                          const std::string& context) const {
  const auto key = std::find_if(keys_.begin(), keys_.end(),
                                [&](const Key& candidate) { return candidate.id == key_id; });
  if (key == keys_.end()) return std::nullopt;
  const std::string bytes(key->bytes.begin(), key->bytes.end());
  return Hmac(Hmac(bytes, "tocsin derived secrets, 1"), context);
}

}  // namespace tocsin::core
