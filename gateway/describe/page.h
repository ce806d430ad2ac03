// The OpenAPI document as a page for people: one file, no script, nothing from elsewhere.
#pragma once

#include <string>

#include "gateway/describe/schemas.h"

namespace tocsin::gateway {

std::string MakePage(const OrderedJson& document, const std::string& stylesheet);

// The part of CommonMark that the comments use: paragraphs, lists, blocks and spans of code.
// Escapes all else.
std::string Markdown(const std::string& text);

// A command that calls the operation, with an example of everything that it needs.
std::string CurlExample(const OrderedJson& document, const std::string& path,
                        const std::string& method, const OrderedJson& operation);

}  // namespace tocsin::gateway
