// The entry that libFuzzer and the smoke test call.
#pragma once

#include <cstddef>
#include <cstdint>

// Aborts when something that must hold does not. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
