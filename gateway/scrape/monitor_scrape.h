// One scrape: monitors from core, page by page, as metrics to one client.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/http/event_loop.h"
#include "gateway/http/handler.h"
#include "gateway/rest/core_call.h"
#include "gateway/rest/translator.h"
#include "gateway/scrape/gzip.h"
#include "gateway/scrape/monitor_families.h"

namespace tocsin::gateway {

// How long a scrape may take in all, so that a client that takes drop by drop holds no place for
// ever.
inline constexpr absl::Duration kMaxScrape = absl::Minutes(2);

// Loop thread only. Text is made elsewhere, pages on gRPC's threads and the rest by the translator,
// and only while the client takes what it is sent: no more than a little text is ever buffered. A
// scrape that has begun and cannot be ended breaks the connection: half an answer would tell
// Prometheus that the other half of the monitors is gone.
class MonitorScrape final : public http::StreamListener,
                            public std::enable_shared_from_this<MonitorScrape> {
 public:
  // How it ended, said once; the scrape is done then.
  class Owner {
   public:
    virtual ~Owner() = default;
    // `status` is OK also for a client that went. `begun` and `whole`: of the answer.
    virtual void OnScrapeDone(uint64_t id, bool begun, bool whole, const absl::Status& status) = 0;
  };
  struct Parts {
    uint64_t id = 0;
    http::Responder responder;
    std::string request_id;
    bool gzip = false;
    absl::Duration patience;  // with core, for each message
    // All outlive the scrape. `calls` also counts what the translator is asked.
    http::EventLoop& loop;
    Translator& translator;
    CallCounter& calls;
    Owner& owner;
  };

  explicit MonitorScrape(Parts parts);

  // Begins the call. Once, right after the making.
  void Start(std::shared_ptr<grpc::Channel> channel, const std::string& request,
             const CallMetadata& metadata);

  // From the client.
  void OnRoom() override;
  void OnGone() override;

  // Gives up core, or the client. To be called about every second.
  void OnTurn(absl::Duration now);
  void Cancel() { call_->Cancel(); }

 private:
  // What makes the text; is used on one thread after another.
  struct Writer {
    MonitorFamilies families;
    std::optional<Gzip> gzip;
    std::string text;  // what is written now

    // Appends `text`, compressed if that is wanted, to `out`, and forgets it.
    void Pass(bool last, std::string& out);
  };

  void OnPage(const absl::Status& status, const std::string& piece);
  void OnEnd(const absl::Status& status);
  // After the last page.
  void AskNext();
  void OnPiece(const std::string& piece, bool last);
  // Whether the client still wants anything.
  bool Begin();
  void Write(const std::string& piece);
  // Asks for more, now or when there is room.
  void GoOn();
  void Fail(const absl::Status& status);
  void Done(bool whole, const absl::Status& status);

  Parts parts_;
  const std::shared_ptr<Writer> writer_ = std::make_shared<Writer>();
  std::shared_ptr<ServerStreamCall> call_;
  bool begun_ = false;
  bool done_ = false;
  bool all_pages_ = false;
  bool waits_for_room_ = false;
  bool waits_for_core_ = true;
  absl::Duration heard_at_;  // core last
  const absl::Duration end_at_;
};

}  // namespace tocsin::gateway
