// The only file that knows which libpqxx it is built with: 6.4 (Debian 12) or 7 (Debian 13).
#pragma once

#include <cstddef>
#include <pqxx/pqxx>
#include <string>
#include <vector>

namespace tocsin::core::pg {

// libpqxx 6 deprecates the switch that keeps it from reconnecting by itself, libpqxx 7.10 the
// call that both versions share.
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
      params.append(std::string(value));
    }
  }
  for (const std::string& value : binary) {
    params.append(std::basic_string<std::byte>(reinterpret_cast<const std::byte*>(value.data()),
                                               value.size()));
  }
  return transaction.exec_prepared(pqxx::zview(name), params);
}

#endif

#pragma GCC diagnostic pop

}  // namespace tocsin::core::pg
