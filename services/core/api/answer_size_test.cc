// A list is no longer than what clients take.
#include "services/core/api/answer_size.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tocsin/v1/incident_service.pb.h"

namespace tocsin::core {
namespace {

v1::Incident Saying(const std::string& message) {
  v1::Incident incident;
  incident.set_message(message);
  return incident;
}

TEST(AnswerSizeTest, APageEndsWhereTheAnswerIsFull) {
  const std::vector<std::string> messages(1000, std::string(4096, 'x'));
  v1::ListIncidentsResponse response;
  const size_t shown = AddFitting(messages, 1000, *response.mutable_incidents(), Saying);
  EXPECT_EQ(response.incidents_size(), static_cast<int>(shown));
  EXPECT_GT(shown, 700u);
  EXPECT_LT(response.ByteSizeLong(), size_t{4} << 20);
  EXPECT_GT(response.ByteSizeLong(), size_t{2} << 20);
}

TEST(AnswerSizeTest, ShortItemsAreAsManyAsAreAskedFor) {
  const std::vector<std::string> messages(51, "short");
  v1::ListIncidentsResponse response;
  EXPECT_EQ(AddFitting(messages, 50, *response.mutable_incidents(), Saying), 50u);
  EXPECT_EQ(AddFitting(messages, 60, *response.mutable_incidents(), Saying), 51u);
  EXPECT_EQ(response.incidents_size(), 101);
}

TEST(AnswerSizeTest, OneThatIsTooLargeComesAlone) {
  const std::vector<std::string> messages(2, std::string(kMaxListBytes + 1, 'x'));
  v1::ListIncidentsResponse response;
  EXPECT_EQ(AddFitting(messages, 2, *response.mutable_incidents(), Saying), 1u);
}

}  // namespace
}  // namespace tocsin::core
