// Which names are time zones, and that nothing else is.
#include "services/core/domain/time_zone.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"

namespace tocsin::core {
namespace {

std::string Fault(std::string_view name) {
  const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(name);
  if (zone.ok()) return absl::StrCat("found: ", zone->name());
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, zone.status().code());
  EXPECT_EQ("time_zone", FieldViolations(zone.status())[0].field);
  return std::string(zone.status().message());
}

TEST(TimeZoneTest, NamesOfTheDatabaseAreFound) {
  for (const char* name : {"UTC", "Etc/UTC", "GMT", "Europe/Berlin", "Etc/GMT+5", "US/Pacific",
                           "America/Argentina/Buenos_Aires", "Antarctica/DumontDUrville", "W-SU"}) {
    EXPECT_EQ(absl::StrCat("found: ", name), Fault(name));
  }
}

TEST(TimeZoneTest, TheZoneIsTheOneThatWasNamed) {
  const absl::StatusOr<absl::TimeZone> zone = FindTimeZone("Asia/Kathmandu");
  ASSERT_TRUE(zone.ok()) << zone.status();
  EXPECT_EQ(5 * 3600 + 45 * 60, zone->At(absl::UnixEpoch() + absl::Hours(24 * 365 * 50)).offset);
}

TEST(TimeZoneTest, WhatDependsOnTheServerOrIsNoNameIsRefused) {
  for (const std::string name : {"localtime",
                                 "libc:localtime",
                                 "/etc/localtime",
                                 "/usr/share/zoneinfo/UTC",
                                 "../zoneinfo/UTC",
                                 "Europe/../UTC",
                                 "Europe//Berlin",
                                 "./UTC",
                                 "Europe/Berlin/",
                                 "Europe",
                                 "posix/Europe/Berlin",
                                 "right/Europe/Berlin",
                                 "posixrules",
                                 "Factory",
                                 "zone.tab",
                                 "tzdata.zi",
                                 "Fixed/UTC+01:00:00",
                                 "file:UTC",
                                 "+01:00",
                                 "CEST",
                                 "Mars/Olympus",
                                 " UTC"}) {
    EXPECT_EQ(absl::StrCat("time_zone: \"", name,
                           "\" is not known; accepted: a name of the IANA time zone database, e.g. "
                           "Europe/Berlin, or UTC"),
              Fault(name));
  }
  EXPECT_EQ(
      "time_zone: is empty; accepted: a name of the IANA time zone database, e.g. Europe/Berlin, "
      "or UTC",
      Fault(""));
  EXPECT_FALSE(FindTimeZone(std::string_view("UTC\0", 4)).ok());
}

TEST(TimeZoneTest, ANameInOtherLettersIsCorrected) {
  EXPECT_EQ("time_zone: \"europe/berlin\" is not known; accepted: Europe/Berlin",
            Fault("europe/berlin"));
  EXPECT_EQ("time_zone: \"utc\" is not known; accepted: UTC", Fault("utc"));
}

TEST(TimeZoneTest, LongNamesAreCutInErrors) {
  EXPECT_EQ(absl::StrCat("time_zone: \"", std::string(64, 'A'),
                         "\" is not known; accepted: a name of the IANA time zone database, e.g. "
                         "Europe/Berlin, or UTC"),
            Fault(std::string(100000, 'A')));
}

}  // namespace
}  // namespace tocsin::core
