// What sealing promises: values come back, wrong keys and places are told apart, keys rotate.
#include "services/core/store/sealer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace tocsin::core {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string KeyLine(char c) { return absl::Base64Escape(std::string(32, c)) + "\n"; }

Sealer SealerOf(const std::string& text) { return Sealer::FromText(text).value(); }

TEST(Sealer, OpensWhatItSealed) {
  const Sealer sealer = SealerOf(KeyLine('a'));
  const std::string sealed = sealer.Seal("https://example.com/secret", "channel 1");
  EXPECT_THAT(sealed, Not(HasSubstr("example")));
  EXPECT_EQ(sealer.Open(sealed, "channel 1").value(), "https://example.com/secret");
  EXPECT_EQ(sealer.Open(sealer.Seal("", "x"), "x").value(), "");
}

TEST(Sealer, SealsTheSameValueDifferentlyEachTime) {
  const Sealer sealer = SealerOf(KeyLine('a'));
  EXPECT_NE(sealer.Seal("x", "c"), sealer.Seal("x", "c"));
}

TEST(Sealer, RefusesAValueOfAnotherPlace) {
  const Sealer sealer = SealerOf(KeyLine('a'));
  EXPECT_EQ(sealer.Open(sealer.Seal("x", "channel 1"), "channel 2").status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(Sealer, RefusesADamagedValue) {
  const Sealer sealer = SealerOf(KeyLine('a'));
  std::string sealed = sealer.Seal("x", "c");
  sealed.back() ^= 1;
  EXPECT_EQ(sealer.Open(sealed, "c").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(sealer.Open("short", "c").status().code(), absl::StatusCode::kDataLoss);
}

TEST(Sealer, NamesTheKeyThatItLacks) {
  const std::string sealed = SealerOf(KeyLine('a')).Seal("x", "c");
  const absl::Status status = SealerOf(KeyLine('b')).Open(sealed, "c").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("3ba3f5f4"));  // of SHA-256("a" * 32)
}

TEST(Sealer, SealsWithTheFirstKeyAndOpensWithAll) {
  const Sealer old_sealer = SealerOf(KeyLine('a'));
  const Sealer both = SealerOf("# rotated\n\n" + KeyLine('b') + KeyLine('a'));
  const std::string old_value = old_sealer.Seal("x", "c");
  EXPECT_EQ(both.Open(old_value, "c").value(), "x");
  EXPECT_EQ(SealerOf(KeyLine('b')).Open(both.Seal("x", "c"), "c").value(), "x");
  EXPECT_FALSE(old_sealer.Open(both.Seal("x", "c"), "c").ok());
}

TEST(Sealer, SaysWhichLineOfTheKeyFileIsAtFaultWithoutRepeatingIt) {
  const absl::Status status = Sealer::FromText(KeyLine('a') + "hunter2\n").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("line 2"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
  EXPECT_EQ(Sealer::FromText("\n").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Sealer::FromFile("/nonexistent").status().code(), absl::StatusCode::kNotFound);
}

TEST(Sealer, DerivesTheSameFromTheSameKeyAndContextAndNothingElse) {
  const Sealer sealer = SealerOf(KeyLine('a'));
  const std::string id = sealer.first_key_id();
  const std::optional<std::string> secret = sealer.Derive(id, "request 1");
  ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(secret->size(), 32u);
  EXPECT_EQ(sealer.Derive(id, "request 1"), secret);
  EXPECT_NE(sealer.Derive(id, "request 2"), secret);
  const Sealer rotated = SealerOf(KeyLine('b') + KeyLine('a'));
  EXPECT_NE(rotated.first_key_id(), id);
  EXPECT_EQ(rotated.Derive(id, "request 1"), secret);
  EXPECT_NE(rotated.Derive(rotated.first_key_id(), "request 1"), secret);
  EXPECT_EQ(SealerOf(KeyLine('b')).Derive(id, "request 1"), std::nullopt);
}

}  // namespace
}  // namespace tocsin::core
