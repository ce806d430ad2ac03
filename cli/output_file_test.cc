// What a job put out, to be sent with its heartbeat.
#include "cli/output_file.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tocsin::cli {
namespace {

TEST(OutputFileTest, BytesStayAsTheyAre) {
  const std::string bytes("a\0\r\n\xFF end", 9);
  std::istringstream in(bytes);
  EXPECT_EQ(ReadTail(in), bytes);
  std::istringstream nothing("");
  EXPECT_EQ(ReadTail(nothing), "");
}

TEST(OutputFileTest, TheEndOfALongOneIsKept) {
  for (const size_t size :
       {kMaxOutputBytes, kMaxOutputBytes + 1, 3 * kMaxOutputBytes, size_t{200'000}}) {
    std::istringstream in(std::string(size, 'x') + "the end");
    const std::string tail = ReadTail(in);
    EXPECT_EQ(tail.size(), kMaxOutputBytes) << size;
    EXPECT_EQ(tail.substr(kMaxOutputBytes - 8), "xthe end") << size;
  }
}

TEST(OutputFileTest, WhatCannotBeReadIsNamed) {
  for (const char* path : {"/no/such/file", "/"}) {
    const auto read = ReadOutput(path);
    ASSERT_FALSE(read.ok()) << path;
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(read.status().message().find(path), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace tocsin::cli
