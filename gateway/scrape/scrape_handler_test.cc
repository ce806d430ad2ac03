// /metrics/monitors through a whole gateway, in front of a core that speaks real gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "gateway/testing/gateway_fixture.h"
#include "tocsin/internal/v1/monitor_export_service.grpc.pb.h"

namespace tocsin::gateway {
namespace {

using internal::v1::ExportMonitorsRequest;
using internal::v1::ExportMonitorsResponse;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kPage = 1000;

// Hands out `pages` of a thousand monitors each, and remembers what it was asked.
class Exports : public internal::v1::MonitorExportService::CallbackService {
 public:
  enum class End { kWhole, kError, kSilence };

  grpc::ServerWriteReactor<ExportMonitorsResponse>* ExportMonitors(
      grpc::CallbackServerContext* context, const ExportMonitorsRequest* request) override {
    absl::MutexLock lock(&mutex_);
    request_ = *request;
    ++calls_;
    for (const auto& [name, value] : context->client_metadata()) {
      metadata_[std::string(name.data(), name.size())] = std::string(value.data(), value.size());
    }
    return new Export(*this, pages_, display_name_, end_, status_);
  }

  void Set(int pages, End end = End::kWhole,
           absl::Status status = absl::UnavailableError("core stops")) {
    absl::MutexLock lock(&mutex_);
    pages_ = pages;
    end_ = end;
    status_ = std::move(status);
  }
  void SetDisplayName(const std::string& name) {
    absl::MutexLock lock(&mutex_);
    display_name_ = name;
  }
  ExportMonitorsRequest request() {
    absl::MutexLock lock(&mutex_);
    return request_;
  }
  std::string Metadata(const std::string& name) {
    absl::MutexLock lock(&mutex_);
    return metadata_[name];
  }
  int written() {
    absl::MutexLock lock(&mutex_);
    return written_;
  }
  int cancelled() {
    absl::MutexLock lock(&mutex_);
    return cancelled_;
  }
  int calls() {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }

 private:
  class Export : public grpc::ServerWriteReactor<ExportMonitorsResponse> {
   public:
    Export(Exports& exports, int pages, const std::string& name, End end,
           const absl::Status& status)
        : exports_(exports), left_(pages), display_name_(name), end_(end), status_(status) {
      Next();
    }
    void OnWriteDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::CANCELLED);
      {
        absl::MutexLock lock(&exports_.mutex_);
        ++exports_.written_;
      }
      Next();
    }
    void OnCancel() override {
      {
        absl::MutexLock lock(&exports_.mutex_);
        ++exports_.cancelled_;
      }
      if (silent_) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    void Next() {
      if (left_ == 0) {
        if (end_ == End::kWhole) return Finish(grpc::Status::OK);
        if (end_ == End::kError) return Finish(ToGrpcStatus(status_));
        silent_ = true;
        return;
      }
      --left_;
      page_.Clear();
      page_.set_project("p");
      for (int i = 0; i < kPage; ++i) {
        auto& monitor = *page_.add_monitors();
        monitor.set_id(absl::StrCat("m-", next_++));
        monitor.set_display_name(display_name_);
        monitor.set_state(v1::Monitor::STATE_DOWN);
        monitor.set_last_value(1);
      }
      StartWrite(&page_);
    }

    Exports& exports_;
    int left_;
    const std::string display_name_;
    const End end_;
    const absl::Status status_;
    std::atomic<bool> silent_{false};
    int next_ = 0;
    ExportMonitorsResponse page_;
  };

  absl::Mutex mutex_;
  int pages_ ABSL_GUARDED_BY(mutex_) = 1;
  std::string display_name_ ABSL_GUARDED_BY(mutex_);
  End end_ ABSL_GUARDED_BY(mutex_) = End::kWhole;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
  int written_ ABSL_GUARDED_BY(mutex_) = 0;
  int cancelled_ ABSL_GUARDED_BY(mutex_) = 0;
  ExportMonitorsRequest request_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> metadata_ ABSL_GUARDED_BY(mutex_);
};

constexpr char kScrape[] = "GET /metrics/monitors HTTP/1.1\r\nHost: x\r\n\r\n";

class ScrapeTest : public GatewayTest {
 protected:
  HttpResponse Scrape(const std::string& query = "", const std::string& headers = "") {
    return Push("/metrics/monitors" + query, "GET", headers);
  }
  static int Count(const std::string& text, const std::string& what) {
    int count = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
      ++count;
    }
    return count;
  }

  Exports exports_;
  FakeCore core_{0, true, {&exports_}};
};

TEST_F(ScrapeTest, ShowsEveryMonitorFamilyByFamily) {
  exports_.Set(3);
  Start({&core_});
  const HttpResponse response = Scrape("?project=p&filter=labels.team%20%3D%20pay",
                                       "Authorization: Bearer tk_x\r\nX-Request-Id: r-1\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response.Header("Content-Encoding"), "");
  EXPECT_EQ(response.Header("X-Request-Id"), "r-1");
  EXPECT_EQ(Count(response.body, "\ntocsin_monitor_info{"), 3 * kPage);
  EXPECT_EQ(Count(response.body, "state=\"down\"} 1\n"), 3 * kPage);
  EXPECT_EQ(Count(response.body, "\ntocsin_monitor_state{"), 4 * 3 * kPage);
  EXPECT_EQ(Count(response.body, "\ntocsin_monitor_last_value{"), 3 * kPage);
  EXPECT_EQ(exports_.request().project(), "p");
  EXPECT_EQ(exports_.request().filter(), "labels.team = pay");
  EXPECT_EQ(exports_.Metadata("authorization"), "Bearer tk_x");
  EXPECT_EQ(exports_.Metadata("x-request-id"), "r-1");
  EXPECT_TRUE(AwaitMetric(R"(tocsin_gateway_api_requests_total{kind="scrape",status="2xx"} 1)"));
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_monitor_scrape_duration_seconds_count 1"));
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_monitor_scrapes 0"));
}

TEST_F(ScrapeTest, OfNoMonitorsIsAWholeAnswer) {
  exports_.Set(0);
  Start({&core_});
  const HttpResponse response = Scrape();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Count(response.body, "# TYPE "), 6);
}

TEST_F(ScrapeTest, CompressesForWhoTakesIt) {
  exports_.Set(3);
  Start({&core_});
  const HttpResponse response = Scrape("", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("Content-Encoding"), "gzip");
  EXPECT_EQ(response.Header("Vary"), "Accept-Encoding");
  EXPECT_EQ(response.body.substr(0, 2), "\x1f\x8b");
  EXPECT_LT(response.body.size() * 10, Scrape().body.size());
}

TEST_F(ScrapeTest, RefusesInWordsAndAsksCoreOnlyWhatCanBeAsked) {
  Start({&core_});
  const HttpResponse unknown = Scrape("?label=a");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(unknown.Header("Content-Type"), "application/problem+json");
  EXPECT_EQ(json::parse(unknown.body)["violations"][0]["field"], "label");
  const HttpResponse bad_key = Scrape("", "Authorization: Bearer \xff\r\n");
  EXPECT_EQ(bad_key.status, 401);
  EXPECT_EQ(bad_key.Header("WWW-Authenticate"), "Bearer");
  const HttpResponse post = Push("/metrics/monitors", "POST");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.Header("Allow"), "GET, HEAD");
  EXPECT_EQ(exports_.calls(), 0);
  EXPECT_EQ(Push("/metrics/monitors/", "GET").status, 404);
  EXPECT_EQ(Push("/metrics", "GET").status, 404);
}

TEST_F(ScrapeTest, TellsWhatCoreRefused) {
  absl::Status status = absl::PermissionDeniedError("the key gives access to projects/p only");
  SetReason(status, "OTHER_PROJECT");
  exports_.Set(0, Exports::End::kError, status);
  Start({&core_});
  const HttpResponse response = Scrape("?project=q");
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(json::parse(response.body)["reason"], "OTHER_PROJECT");
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_monitor_scrapes_cut_total 0"));
}

TEST_F(ScrapeTest, AnswersHeadWithoutABody) {
  Start({&core_});
  HttpClient client(gateway_->port());
  client.Send("HEAD /metrics/monitors HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.Receive(/*head=*/true).status, 200);
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_monitor_scrapes 0"));
}

TEST_F(ScrapeTest, IsCutOffWhenCoreEndsBeforeTheEnd) {
  exports_.Set(2, Exports::End::kError);
  Start({&core_});
  HttpClient client(gateway_->port());
  client.Send(kScrape);
  const std::string received = client.ReceiveUntil("\r\n0\r\n\r\n");
  EXPECT_THAT(received, HasSubstr("200 OK"));
  EXPECT_THAT(received, HasSubstr("m-1999"));
  EXPECT_THAT(received, Not(HasSubstr("\r\n0\r\n\r\n")));
  EXPECT_TRUE(client.AtEnd());
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_monitor_scrapes_cut_total 1"));
}

TEST_F(ScrapeTest, IsCutOffWhenCoreSaysNothingMore) {
  options_.api.timeout = absl::Milliseconds(200);
  exports_.Set(1, Exports::End::kSilence);
  Start({&core_});
  HttpClient client(gateway_->port());
  client.Send(kScrape);
  EXPECT_THAT(client.ReceiveUntil("\r\n0\r\n\r\n"), Not(HasSubstr("\r\n0\r\n\r\n")));
  EXPECT_TRUE(client.AtEnd());
  exports_.Set(0, Exports::End::kSilence);
  EXPECT_EQ(Scrape().status, 504);
  EXPECT_TRUE(Eventually([&] { return exports_.cancelled() == 2; }));
}

TEST_F(ScrapeTest, ReadsOnOnlyWhileTheClientTakesWhatItIsSent) {
  constexpr int kPages = 60;
  exports_.Set(kPages);
  exports_.SetDisplayName(std::string(1000, 'x'));
  Start({&core_});
  HttpClient client(gateway_->port());
  client.Send(kScrape);
  ASSERT_TRUE(Eventually([&] { return exports_.written() > 0; }));
  // It stands still: as much is written as fits into sockets and windows.
  int before = -1;
  for (int same = 0; same < 200; same = exports_.written() == before ? same + 1 : 0) {
    before = exports_.written();
    Admin("/healthz");
  }
  EXPECT_LT(exports_.written(), kPages);
  const HttpResponse response = client.Receive();
  EXPECT_EQ(Count(response.body, "\ntocsin_monitor_info{"), kPages * kPage);
  EXPECT_EQ(exports_.written(), kPages);
}

TEST_F(ScrapeTest, OfAClientThatLeavesIsCancelled) {
  exports_.Set(1, Exports::End::kSilence);
  Start({&core_});
  HttpClient client(gateway_->port());
  client.Send(kScrape);
  client.ReceiveUntil("m-999");
  client.Close();
  EXPECT_TRUE(Eventually([&] { return exports_.cancelled() == 1; }));
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_monitor_scrapes 0"));
}

TEST_F(ScrapeTest, AreBoundedAndPushesAreServedMeanwhile) {
  options_.api.max_scrapes = 1;
  core_.Allow("token");
  exports_.Set(1, Exports::End::kSilence);
  Start({&core_});
  HttpClient client(gateway_->port());
  client.Send(kScrape);
  client.ReceiveUntil("m-999");
  const HttpResponse busy = Scrape();
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.Header("Retry-After"), "1");
  EXPECT_EQ(json::parse(busy.body)["reason"], "GATEWAY_BUSY");
  EXPECT_EQ(Push("/api/push/token").status, 200);
  client.Close();
  exports_.Set(1);
  EXPECT_TRUE(Eventually([&] { return Scrape().status == 200; }));
}

TEST_F(ScrapeTest, SaysThatNoCoreIsConnected) {
  Start({&core_});
  core_.Stop();
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_core_streams 0"));
  EXPECT_EQ(Scrape().status, 503);
}

}  // namespace
}  // namespace tocsin::gateway
