// From the first page to the last piece.
#include "gateway/scrape/monitor_scrape.h"

#include <utility>

#include "common/grpc_status.h"
#include "common/status_details.h"
#include "gateway/rest/problem.h"
#include "gateway/scrape/metric_text.h"
#include "tocsin/internal/v1/monitor_export_service.pb.h"

namespace tocsin::gateway {
namespace {

constexpr char kMethod[] = "/tocsin.internal.v1.MonitorExportService/ExportMonitors";
// What a client has not taken; beyond it nothing more is made.
constexpr size_t kMaxPending = size_t{64} << 10;
// What is made at once.
constexpr size_t kPiece = size_t{128} << 10;

}  // namespace

void MonitorScrape::Writer::Pass(bool last, std::string& out) {
  if (!gzip) {
    out.append(text);
  } else {
    gzip->Add(text, out);
    if (last) gzip->End(out);
  }
  text.clear();
}

MonitorScrape::MonitorScrape(Parts parts)
    : parts_(std::move(parts)),
      heard_at_(parts_.loop.now()),
      end_at_(parts_.loop.now() + kMaxScrape) {
  if (parts_.gzip) writer_->gzip.emplace();
}

void MonitorScrape::Start(std::shared_ptr<grpc::Channel> channel, const std::string& request,
                          const CallMetadata& metadata) {
  const std::weak_ptr<MonitorScrape> weak = weak_from_this();
  http::EventLoop& loop = parts_.loop;
  ServerStreamCall::Listener listener{
      .on_message =
          [weak, &loop, writer = writer_](const std::string& bytes) {
            internal::v1::ExportMonitorsResponse page;
            std::string piece;
            absl::Status status = absl::InternalError("core's page cannot be read");
            if (page.ParseFromString(bytes)) {
              status = writer->families.AddPage(page, writer->text);
              writer->Pass(false, piece);
            }
            loop.Post([weak, status = std::move(status), piece = std::move(piece)] {
              if (const auto to = weak.lock()) to->OnPage(status, piece);
            });
          },
      .on_end =
          [weak, &loop](const grpc::Status& status, EndedCall call) {
            loop.Post([weak, status = FromGrpcStatus(status), call = std::move(call)] {
              if (const auto to = weak.lock()) to->OnEnd(status);
            });
          }};
  call_ = ServerStreamCall::Start(std::move(channel), kMethod, request, metadata, parts_.calls,
                                  std::move(listener));
}

void MonitorScrape::OnPage(const absl::Status& status, const std::string& piece) {
  if (done_) return;
  heard_at_ = parts_.loop.now();
  waits_for_core_ = false;
  if (!status.ok()) return Fail(status);
  if (!Begin()) return;
  Write(piece);
}

void MonitorScrape::OnEnd(const absl::Status& status) {
  if (done_) return;
  if (!status.ok()) return Fail(status);
  waits_for_core_ = false;
  all_pages_ = true;
  if (Begin()) GoOn();
}

void MonitorScrape::AskNext() {
  const std::weak_ptr<MonitorScrape> weak = weak_from_this();
  http::EventLoop& loop = parts_.loop;
  CallCounter& calls = parts_.calls;
  calls.Add();
  parts_.translator.Post([weak, &loop, &calls, writer = writer_] {
    std::string piece;
    const bool more = writer->families.AppendNext(kPiece, writer->text);
    writer->Pass(!more, piece);
    loop.Post([weak, piece = std::move(piece), more] {
      if (const auto to = weak.lock()) to->OnPiece(piece, !more);
    });
    calls.Done();
  });
}

void MonitorScrape::OnPiece(const std::string& piece, bool last) {
  if (done_) return;
  if (!last) return Write(piece);
  parts_.responder.Write(piece);
  parts_.responder.End();
  Done(true, absl::OkStatus());
}

bool MonitorScrape::Begin() {
  if (std::exchange(begun_, true)) return true;
  http::Response head{.content_type = kMetricTextType,
                      .headers = {{"Cache-Control", "no-store"},
                                  {"Vary", "Accept-Encoding"},
                                  {"X-Request-Id", parts_.request_id}}};
  if (parts_.gzip) head.headers.emplace_back("Content-Encoding", "gzip");
  if (parts_.responder.Begin(head, weak_from_this())) return true;
  // It asked with HEAD, or has gone.
  call_->Cancel();
  Done(true, absl::OkStatus());
  return false;
}

void MonitorScrape::Write(const std::string& piece) {
  parts_.responder.Write(piece);
  GoOn();
}

void MonitorScrape::GoOn() {
  waits_for_room_ = parts_.responder.Pending() > kMaxPending;
  if (waits_for_room_) return;
  if (all_pages_) return AskNext();
  heard_at_ = parts_.loop.now();
  waits_for_core_ = true;
  call_->ReadOn();
}

void MonitorScrape::OnRoom() {
  if (done_ || !waits_for_room_) return;
  GoOn();
}

void MonitorScrape::OnGone() {
  if (done_) return;
  call_->Cancel();
  Done(false, absl::OkStatus());
}

void MonitorScrape::OnTurn(absl::Duration now) {
  if (done_) return;
  if (now >= end_at_) {
    Fail(absl::DeadlineExceededError("the scrape took too long"));
  } else if (waits_for_core_ && now - heard_at_ >= parts_.patience) {
    Fail(absl::DeadlineExceededError("core said nothing"));
  }
}

void MonitorScrape::Fail(const absl::Status& status) {
  call_->Cancel();
  if (begun_) {
    parts_.responder.Break();
  } else {
    parts_.responder.Send(ProblemAnswer(status, parts_.request_id));
  }
  Done(false, status);
}

void MonitorScrape::Done(bool whole, const absl::Status& status) {
  done_ = true;
  parts_.owner.OnScrapeDone(parts_.id, begun_, whole, status);
}

}  // namespace tocsin::gateway
