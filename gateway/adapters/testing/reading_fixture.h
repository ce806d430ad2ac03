// What a request in another monitor's form means and how it is answered, for tables of tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/adapters/adapter.h"

namespace tocsin::gateway {

struct SentRequest {
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
};

struct Reading {
  const Adapter* adapter = nullptr;
  absl::Status status;
  PushAddress to;
  PushParameters p;
};

inline Reading ReadAs(const SentRequest& sent) {
  Reading reading;
  const Target target = SplitTarget(sent.target);
  reading.adapter = FindAdapter(target);
  if (reading.adapter == nullptr) return reading;
  std::vector<http::HeaderField> fields;
  for (const auto& [name, value] : sent.headers) fields.push_back({name, value});
  const http::Request request{
      .method = "POST", .target = sent.target, .fields = fields, .body = sent.body, .peer = {}};
  reading.status = reading.adapter->Read(target, request, reading.to, reading.p);
  return reading;
}

inline http::Response AnswerOf(const Adapter& adapter, PushVerdict verdict,
                               std::string_view text = "what is wrong") {
  return adapter.Answer({.verdict = verdict,
                         .text = text,
                         .request_id = "id-1",
                         .retry_after = absl::Milliseconds(1500),
                         .took = absl::Milliseconds(3)});
}

inline std::string HeaderOf(const http::Response& response, std::string_view name) {
  for (const auto& [seen, value] : response.headers) {
    if (seen == name) return value;
  }
  return "";
}

}  // namespace tocsin::gateway
