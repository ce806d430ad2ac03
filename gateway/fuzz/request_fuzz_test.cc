// The fuzz entry on some thousand inputs: mutations of real requests, from a fixed seed.
#include "gateway/fuzz/request_fuzz.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace tocsin::gateway {
namespace {

const std::vector<std::string> kSeeds = {
    "GET /api/push/t?status=up&msg=a%20b&value=1.5&run=r HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /api/push/t HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 39"
    "\r\n\r\n{\"status\":\"down\",\"msg\":\"\\u00e9\",\"value\":1}",
    "POST /api/push/t HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Transfer-Encoding: chunked\r\n\r\n5\r\nmsg=a\r\n8;x=y\r\n&value=3\r\n0\r\nT: t\r\n\r\n",
    "GET /api/push/t HTTP/1.0\r\n\r\nHEAD /api/push/t HTTP/1.1\r\nHost: x\r\nExpect: "
    "100-continue\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 52\r\n\r\n"
    "{\"status\":\"firing\",\"alerts\":[{\"status\":\"firing\"}],\"a\":1}",
    "POST /ping/07c2f548-9850-4b27-af5d-6c9dc157ec02/17?rid=07c2f548-9850-4b27-af5d-6c9dc157ec02 "
    "HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\xFF\x80z",
    "GET /ping/key/my_job/start?create=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /ping/key/job?state=fail&message=a%20b&metric=duration:1.5&series=s&status_code=2 "
    "HTTP/1.1\r\nHost: x\r\n\r\nGET /p/key/job/run HTTP/1.1\r\nHost: x\r\n\r\n",
    "PUT /v2/heartbeats/My%20job/ping HTTP/1.1\r\nHost: x\r\nAuthorization: GenieKey k\r\n\r\n",
    "POST /api/v1/endpoints/a_b/external?success=false&error=e&duration=1m2.5s HTTP/1.1\r\nHost: "
    "x\r\nAuthorization: Bearer k\r\nContent-Length: 13\r\n\r\n{\"error\":\"e\"}",
    "POST /api/1/cron/job/key/?check_in_id=83a7c03ed0a04e1b97e2e3b18d38f244 HTTP/1.1\r\nHost: "
    "x\r\nContent-Length: 36\r\n\r\n{\"status\":\"in_progress\",\"duration\":1}",
    "GET /api/v1/projects/p/monitors?pageSize=20&filter=a%20b&show_deleted=true HTTP/1.1\r\nHost: "
    "x\r\n\r\n",
    "GET /api/v1/projects/-/auditEntries?startTime=2026-01-05T12:00:00.5Z&actor=%C3%A9 HTTP/1.1\r\n"
    "Host: x\r\n\r\n",
    "POST /api/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 57\r\n\r\n"
    "{\"pushToken\":\"t\",\"value\":1e3,\"exitStatus\":2,\"pushId\":\"7\"}",
    "PATCH /api/v1/projects/p/monitors/m HTTP/1.1\r\nHost: x\r\nContent-Length: 78\r\n\r\n"
    "{\"labels\":{\"a\":\"b\"},\"severity\":2,\"schedule\":{\"heartbeat\":{\"grace\":\"0.5s\"}}}  "
    " ",
};

TEST(RequestFuzzTest, HoldsOnMutationsOfRealRequests) {
  std::mt19937_64 random(20260105);
  const std::string tokens[] = {"\r\n", "\r\n\r\n", ":",   " ",         "%", "\"",
                                "{",    "}",        "\\u", "&",         "=", std::string(1, '\0'),
                                "\xFF", "\xE2\x82", "0",   "9999999999"};
  for (int i = 0; i < 50'000; ++i) {
    std::string input = kSeeds[random() % kSeeds.size()];
    if (random() % 4 == 0) input += kSeeds[random() % kSeeds.size()];
    for (uint64_t n = random() % 6; n > 0; --n) {
      const size_t at = random() % (input.size() + 1);
      switch (random() % 4) {
        case 0:
          input.insert(at, tokens[random() % std::size(tokens)]);
          break;
        case 1:
          input.erase(at, random() % 8);
          break;
        case 2:
          if (at < input.size()) input[at] = static_cast<char>(random());
          break;
        default:
          input.insert(at, input.substr(random() % input.size(), random() % 40));
      }
      if (input.empty()) input = "G";
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  }
}

}  // namespace
}  // namespace tocsin::gateway
