// The JSON Schema of the files that `tocsin apply` reads. Pure.
#pragma once

#include <string>

namespace tocsin::cli {

// Of draft 2020-12, made of the messages of tocsin.v1, so that it has every field that files have.
// Indented JSON with a newline at its end. It is about shape: limits of values are core's, which
// checks them before anything is changed.
std::string ApplySchema();

}  // namespace tocsin::cli
