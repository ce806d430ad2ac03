// `tocsin listen`: a receiver of webhooks for terminals. Verifies each message and prints it.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "cli/table.h"
#include "common/clock.h"
#include "common/shutdown.h"
#include "common/standard_webhooks.h"
#include "common/status_macros.h"
#include "gateway/http/server.h"

namespace tocsin::cli {
namespace {

struct Flags {
  std::string address = "127.0.0.1:9099";
  std::vector<std::string> secrets;
};

// Prints on the one io thread of the server.
class Receiver : public http::Handler {
 public:
  Receiver(const std::vector<WebhookSecret>& secrets, const Clock& clock, bool json)
      : secrets_(secrets), clock_(clock), json_(json) {}

  void OnRequest(const http::Request& request, http::Responder responder) override {
    responder.Send(Answer(request));
  }

  http::Response OnRefusal(int status, std::string_view reason) override {
    return {.status = status, .content_type = "text/plain", .body = std::string(reason) + "\n"};
  }

 private:
  http::Response Answer(const http::Request& request) {
    if (request.method != "POST") {
      return {.status = 405,
              .content_type = "text/plain",
              .body = "Webhooks are sent with POST.\n",
              .headers = {{"Allow", "POST"}}};
    }
    const WebhookHeaders headers = {.id = Header(request, kWebhookIdHeader),
                                    .timestamp = Header(request, kWebhookTimestampHeader),
                                    .signature = Header(request, kWebhookSignatureHeader)};
    const absl::Status verified =
        VerifyWebhook(secrets_, headers,
                      absl::string_view(request.body.data(), request.body.size()), clock_.Now());
    if (!verified.ok()) {
      const std::string why =
          absl::StrCat("the signature could not be verified: ", verified.message());
      std::cerr << "tocsin: refused a message: " << OneLine(why) << std::endl;
      return OnRefusal(401, why);
    }
    Show(request.body);
    return {.status = 204};
  }

  static std::string Header(const http::Request& request, absl::string_view name) {
    return std::string(request.Header(std::string_view(name.data(), name.size())));
  }

  void Show(std::string_view body) const {
    const nlohmann::json message = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
    if (!message.is_object()) {
      std::cerr << "tocsin: a message with a good signature is no JSON object" << std::endl;
      return;
    }
    if (json_) {
      Print(absl::StrCat(message.dump(), "\n"));
      return;
    }
    std::string text = "message without a summary";
    if (const auto data = message.find("data"); data != message.end() && data->is_object()) {
      const auto summary = data->find("summary");
      if (summary != data->end() && summary->is_string()) text = summary->get<std::string>();
    }
    Print(absl::StrCat(OneLine(text), "\n"));
  }

  const std::vector<WebhookSecret>& secrets_;
  const Clock& clock_;
  const bool json_;
};

// "127.0.0.1:9099" or "[::1]:9099".
absl::StatusOr<http::ServerOptions> ServerOptionsOf(const std::string& address) {
  const size_t colon = address.rfind(':');
  http::ServerOptions options;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &options.port) ||
      options.port < 0 || options.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen: \"", address, "\" is no ADDRESS:PORT, e.g. 127.0.0.1:9099"));
  }
  options.address = address.substr(0, colon);
  if (options.address.size() > 2 && options.address.front() == '[') {
    options.address = options.address.substr(1, options.address.size() - 2);
  }
  if (options.address.empty() || options.address == "localhost") options.address = "127.0.0.1";
  return options;
}

absl::Status Listen(const Context& context, const Flags& flags) {
  Shutdown shutdown;
  std::vector<WebhookSecret> secrets;
  for (const std::string& text : flags.secrets) {
    auto secret = WebhookSecret::Parse(text);
    if (!secret.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--secret: ", secret.status().message()));
    }
    secrets.push_back(*std::move(secret));
  }
  ASSIGN_OR_RETURN(const http::ServerOptions options, ServerOptionsOf(flags.address));
  const SystemClock clock;
  const SystemMonotonicClock monotonic;
  ASSIGN_OR_RETURN(const auto server,
                   http::Server::Start(options, clock, monotonic, [&](http::EventLoop&) {
                     return std::make_unique<Receiver>(secrets, clock, context.json());
                   }));
  // Not to standard output, which is for messages.
  const bool v6 = options.address.find(':') != std::string::npos;
  std::cerr << "Listening on http://" << (v6 ? "[" : "") << options.address << (v6 ? "]" : "")
            << ":" << server->port() << "/" << std::endl;
  shutdown.Wait();
  return absl::OkStatus();
}

}  // namespace

void AddListenCommand(CLI::App& app, Context& context) {
  CLI::App* listen = app.add_subcommand("listen", "Receive webhooks and print them");
  auto flags = std::make_shared<Flags>();
  listen->add_option("--listen", flags->address, "Where to listen; port 0: any free one")
      ->capture_default_str();
  listen
      ->add_option(
          "--secret", flags->secrets,
          "Signing secret, whsec_…; may be repeated. Others on this machine can read a command "
          "line: better leave it in the environment")
      ->allow_extra_args(false)
      ->envname("TOCSIN_WEBHOOK_SECRET")
      ->required();
  listen->callback([flags, &context] {
    context.action = [flags](const Context& context) { return Listen(context, *flags); };
  });
}

}  // namespace tocsin::cli
