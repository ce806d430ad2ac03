// What a receiver means by its answer.
#pragma once

#include <string>

#include "services/notifier/channel/delivery.h"
#include "services/notifier/channel/http_client.h"
#include "services/notifier/delivery/outcome.h"

namespace tocsin::notifier {

// The outcome of an attempt in this format. The HTTP status alone does not tell a chat whose
// webhook was deleted (nothing will cure it) from a proxy that has a bad minute, so the receiver's
// own words decide: Slack's `no_service` and the like, and Discord's "unknown webhook", are kGone.
// A message that is refused (400, 413) would be refused again: kRejected, so that it does not hold
// up what follows; except Mattermost's 400, which it also gives while its database is away.
Outcome JudgeAnswer(Format format, const HttpResult& result);

// How the answer began, for people who look for what is wrong: one line of at most 200 bytes. Empty
// when the delivery arrived and was no test, and when the answer repeats a part of the URL, or of a
// secret, that nobody should see.
std::string AnswerToShow(const Delivery& delivery, const HttpResult& result);

}  // namespace tocsin::notifier
