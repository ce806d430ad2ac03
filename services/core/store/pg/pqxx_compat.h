// The only file that knows which libpqxx it is built with: 6.4 (Debian 12) or 7 (Debian 13).
#pragma once

#include <cstddef>
#include <pqxx/pqxx>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::core::pg {

// libpqxx 6 deprecates the switch that keeps it from reconnecting by itself, late versions of 7
// the calls and classes that both share.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#if PQXX_VERSION_MAJOR < 7

// A connection of this version would reconnect in the middle of what was a transaction.
inline void ForbidReconnecting(pqxx::connection& connection) {
  connection.inhibit_reactivation(true);
}

// Parameters in text format (nullptr: NULL) come first, those in binary format after.
inline pqxx::result ExecPrepared(pqxx::transaction_base& transaction, const std::string& name,
                                 const std::vector<const char*>& text,
                                 const std::vector<std::string>& binary) {
  const std::vector<pqxx::binarystring> wrapped(binary.begin(), binary.end());
  return transaction.exec_prepared(name, pqxx::prepare::make_dynamic_params(text),
                                   pqxx::prepare::make_dynamic_params(wrapped));
}

#else

inline void ForbidReconnecting(pqxx::connection&) {}

inline pqxx::result ExecPrepared(pqxx::transaction_base& transaction, const std::string& name,
                                 const std::vector<const char*>& text,
                                 const std::vector<std::string>& binary) {
  pqxx::params params;
  params.reserve(text.size() + binary.size());
  for (const char* value : text) {
    if (value == nullptr) {
      params.append();
    } else {
      params.append(pqxx::zview(value));
    }
  }
  for (const std::string& value : binary) params.append(pqxx::binary_cast(value));
  return transaction.exec_prepared(pqxx::zview(name), params);
}

#endif

// Collects the payloads of the notifications on one channel.
class Inbox : public pqxx::notification_receiver {
 public:
  Inbox(pqxx::connection& connection, const std::string& channel)
      : pqxx::notification_receiver(connection, channel) {}

  void operator()(const std::string& payload, int) override { payloads_.push_back(payload); }

  std::vector<std::string> Take() { return std::exchange(payloads_, {}); }

 private:
  std::vector<std::string> payloads_;
};

#pragma GCC diagnostic pop

}  // namespace tocsin::core::pg
