// Pages made at build time from the contract.
#include "gateway/rest/pages.h"

#include "gateway/rest/reference.h"

namespace tocsin::gateway {
namespace {

http::Response Page(const char* content_type, std::string_view body) {
  return {.content_type = content_type,
          .body = std::string(body),
          .headers = {{"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}}};
}

// Each is put together when it is first asked for: they are as large as all else in the process.
const http::CannedResponse& Docs() {
  static const auto& page = *new http::CannedResponse([] {
    http::Response response = Page("text/html; charset=utf-8", ReferenceHtml());
    response.headers.emplace_back(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'");
    return response;
  }());
  return page;
}

const http::CannedResponse& OpenApi() {
  static const auto& page = *new http::CannedResponse([] {
    http::Response response = Page("application/json", ReferenceOpenApi());
    // The description of the API is no secret, and tools in browsers read it.
    response.headers.emplace_back("Access-Control-Allow-Origin", "*");
    return response;
  }());
  return page;
}

const http::CannedResponse& ToDocs() {
  static const auto& page = *new http::CannedResponse(
      {.status = 307, .headers = {{"Location", "/docs"}, {"Cache-Control", "no-cache"}}});
  return page;
}

}  // namespace

const http::CannedResponse* FindPage(std::string_view path) {
  if (path == "/docs") return &Docs();
  if (path == "/openapi.json") return &OpenApi();
  if (path == "/" || path == "/docs/") return &ToDocs();
  return nullptr;
}

}  // namespace tocsin::gateway
