// What the protos' comments say, in the words of REST.
#pragma once

#include "gateway/describe/comments.h"
#include "gateway/describe/schemas.h"

namespace tocsin::gateway {

// Names fields in every summary and description of the document as JSON does: "page_size" becomes
// "pageSize". Words that no field of the contract has as its name stay.
void NameFieldsAsInJson(const Contract& contract, OrderedJson& document);

}  // namespace tocsin::gateway
