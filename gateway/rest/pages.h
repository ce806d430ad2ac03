// What the gateway shows of itself: /docs, /openapi.json, and where / leads.
#pragma once

#include <string_view>

#include "gateway/http/message.h"

namespace tocsin::gateway {

// The page at `path`; nullptr when there is none. Lives as long as the process.
const http::CannedResponse* FindPage(std::string_view path);

}  // namespace tocsin::gateway
