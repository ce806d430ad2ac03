// How much of a list one answer carries.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tocsin::core {

// Clients of gRPC take messages of 4 MiB when nobody tells them otherwise; what is around the items
// needs room as well.
inline constexpr size_t kMaxListBytes = size_t{3} << 20;

// Adds to `out` the first of `items`, at most `most`, of which all fit into kMaxListBytes, but one
// in any case. Returns how many: a page that ends before the last item has a next page. ToProto
// takes an item and returns the message.
template <typename Items, typename Message, typename ToProto>
size_t AddFitting(const Items& items, size_t most, google::protobuf::RepeatedPtrField<Message>& out,
                  ToProto to_proto) {
  size_t bytes = 0;
  const size_t end = std::min(most, items.size());
  for (size_t i = 0; i < end; ++i) {
    Message message = to_proto(items[i]);
    bytes += message.ByteSizeLong();
    if (i > 0 && bytes > kMaxListBytes) return i;
    *out.Add() = std::move(message);
  }
  return end;
}

}  // namespace tocsin::core
