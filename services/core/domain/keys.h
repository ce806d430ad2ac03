// The identities that the domain uses: small integers inside, names outside.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace tocsin::core {

// Surrogate keys, drawn by the store, never shown to users. 0 is no key.
using ProjectKey = int64_t;
using MonitorKey = int64_t;
using ChannelKey = int64_t;
using IncidentKey = int64_t;
using EventKey = int64_t;
using DeliveryKey = int64_t;
using ApiKeyKey = int64_t;
using MaintenanceKey = int64_t;

// SHA-256 of a push token.
using TokenHash = std::array<uint8_t, 32>;

}  // namespace tocsin::core
