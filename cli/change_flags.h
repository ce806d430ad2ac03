// The flags that commands which change something share.
#pragma once

#include <string>

#include "CLI/App.hpp"
#include "absl/strings/string_view.h"

namespace tocsin::cli {

struct ChangeFlags {
  std::string etag, request_id, token_sha256;
  bool validate_only = false;
  bool allow_missing = false;
};

// Each adds a flag.
void AddEtag(CLI::App& app, ChangeFlags& flags);
void AddValidateOnly(CLI::App& app, ChangeFlags& flags);
void AddAllowMissing(CLI::App& app, ChangeFlags& flags, const std::string& help);
void AddRequestId(CLI::App& app, ChangeFlags& flags);
void AddTokenSha256(CLI::App& app, ChangeFlags& flags);

// A UUID of version 4.
std::string NewRequestId();

// The sentence before what would be; empty for what is.
absl::string_view Trial(bool validate_only);

}  // namespace tocsin::cli
