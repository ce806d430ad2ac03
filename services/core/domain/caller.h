// Who asks for something: what the API found out about a request, for the audit log.
#pragma once

#include <string>

namespace tocsin::core {

struct Caller {
  std::string actor;       // the key's full name, `anonymous`, or `system`
  std::string identity{};  // the same, but never that of another key: names can be given again
  std::string method;      // "tocsin.v1.MonitorService/UpdateMonitor"
  std::string source;      // the address it came from; empty when it is not known
  std::string request_id;  // as in the logs

  friend bool operator==(const Caller&, const Caller&) = default;
};

}  // namespace tocsin::core
