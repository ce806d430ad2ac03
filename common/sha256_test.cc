// SHA-256 against the vectors of FIPS 180-4.
#include "common/sha256.h"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(Sha256Test, GivesThePublishedDigests) {
  EXPECT_EQ(Hex(Sha256Bytes("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(Sha256Bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, CanBeCalledAgainAndAgain) {
  const Sha256Digest first = Sha256("token");
  EXPECT_NE(Sha256(std::string("other")), first);
  EXPECT_EQ(Sha256(absl::string_view("token")), first);
  EXPECT_EQ(Sha256(std::string_view("token")), first);
}

TEST(Sha256Test, ConstantTimeEqualComparesContentAndLength) {
  EXPECT_TRUE(ConstantTimeEqual("secret", std::string("secret")));
  EXPECT_FALSE(ConstantTimeEqual("secret", "secreT"));
  EXPECT_FALSE(ConstantTimeEqual("secret", "secrets"));
}

}  // namespace
}  // namespace tocsin
