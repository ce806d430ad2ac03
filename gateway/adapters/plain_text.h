// Answers of one word or sentence, for the dialects that have them.
#pragma once

#include <string_view>

#include "gateway/dialect.h"

namespace tocsin::gateway {

inline void SayPlainText(std::string_view text, http::Response& out) {
  out.content_type = "text/plain; charset=utf-8";
  out.body = text;
}

}  // namespace tocsin::gateway
