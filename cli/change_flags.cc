// The flags that commands which change something share.
#include "cli/change_flags.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"

namespace tocsin::cli {

void AddEtag(CLI::App& app, ChangeFlags& flags) {
  app.add_option("--etag", flags.etag,
                 "Only if it is as it was read: the etag that \"-o json\" shows");
}

void AddValidateOnly(CLI::App& app, ChangeFlags& flags) {
  app.add_flag("--validate-only", flags.validate_only,
               "Check everything, change nothing, show what would be");
}

void AddAllowMissing(CLI::App& app, ChangeFlags& flags, const std::string& help) {
  app.add_flag("--allow-missing", flags.allow_missing, help);
}

void AddRequestId(CLI::App& app, ChangeFlags& flags) {
  app.add_option("--request-id", flags.request_id,
                 "A UUID: the same command again within a day makes nothing more");
}

void AddTokenSha256(CLI::App& app, ChangeFlags& flags) {
  app.add_option("--push-token-sha256", flags.token_sha256,
                 "SHA-256 of a push token of your own, in hexadecimal");
}

std::string NewRequestId() {
  std::string bytes = RandomBytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  const std::string hex = absl::BytesToHexString(bytes);
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                      hex.substr(16, 4), "-", hex.substr(20));
}

absl::string_view Trial(bool validate_only) {
  return validate_only ? "Nothing was changed; this is what would be:\n\n" : "";
}

}  // namespace tocsin::cli
