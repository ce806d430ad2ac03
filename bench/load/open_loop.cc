// Open-loop HTTP load: pushes leave by the clock, whether or not earlier ones were answered, and a
// latency counts from when its push was due. A slow server is thus not asked less (no coordinated
// omission). Prints one JSON object.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string host;
  int port = 0;
  double rate = 0;     // pushes a second
  double seconds = 0;  // how long pushes are due
  int connections = 0;
  int monitors = 0;  // tokens are bench and 17 digits, 0 to monitors - 1
};

struct Connection {
  int fd = -1;
  bool busy = false;
  Clock::time_point due;  // of the push in flight
  std::string received;
};

// The status of a complete response at the start of `text`, and its length; 0: not complete.
struct Response {
  int status = 0;
  size_t length = 0;
};

Response ParseResponse(std::string_view text) {
  const size_t head = text.find("\r\n\r\n");
  if (head == std::string_view::npos || text.size() < 12) return {};
  std::string lower(text.substr(0, head));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  size_t body = 0;
  const size_t at = lower.find("\r\ncontent-length:");
  if (at != std::string::npos) body = std::strtoul(lower.c_str() + at + 17, nullptr, 10);
  if (text.size() < head + 4 + body) return {};
  return {std::atoi(lower.c_str() + 9), head + 4 + body};
}

class OpenLoop {
 public:
  explicit OpenLoop(Options options)
      : options_(std::move(options)), connections_(options_.connections) {}

  // False: the server cannot be reached.
  bool Run();
  void Print() const;

 private:
  bool Connect(Connection& connection);
  void Send(Connection& connection, Clock::time_point due);
  void Read(Connection& connection);
  void Fail(Connection& connection);
  // Gives the connection the oldest push that waits for one, if any.
  void Release(Connection& connection);
  void SendDue(Clock::time_point now);
  void Wait(Clock::time_point until);
  Connection* Idle();

  const Options options_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  // The one that has rested longest is used first: none rests until the gateway closes it.
  std::deque<Connection*> idle_;
  std::deque<Clock::time_point> waiting_;
  std::vector<double> latencies_ms_;
  std::mt19937_64 random_{12345};
  Clock::time_point begin_;
  int64_t sent_due_ = 0;  // pushes that were due so far
  int64_t in_flight_ = 0;
  int64_t ok_ = 0;
  int64_t refused_ = 0;  // answered, not with 200
  int64_t failed_ = 0;   // not answered
};

bool OpenLoop::Connect(Connection& connection) {
  connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(options_.port));
  if (::inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1) return false;
  if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return false;
  }
  const int one = 1;
  ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  ::fcntl(connection.fd, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  connection.received.clear();
  return true;
}

void OpenLoop::Send(Connection& connection, Clock::time_point due) {
  char request[160];
  const uint64_t monitor = random_() % static_cast<uint64_t>(options_.monitors);
  const int length = std::snprintf(request, sizeof(request),
                                   "POST /api/push/bench%017llu HTTP/1.1\r\nHost: bench\r\n\r\n",
                                   static_cast<unsigned long long>(monitor));
  connection.busy = true;
  connection.due = due;
  ++in_flight_;
  // A request fits an empty socket buffer, so a short write is a broken connection.
  if (::send(connection.fd, request, static_cast<size_t>(length), MSG_NOSIGNAL) != length) {
    Fail(connection);
  }
}

void OpenLoop::Fail(Connection& connection) {
  if (connection.busy) {
    ++failed_;
    --in_flight_;
  } else {
    idle_.erase(std::remove(idle_.begin(), idle_.end(), &connection), idle_.end());
  }
  ::close(connection.fd);
  connection.busy = false;
  if (Connect(connection)) {
    idle_.push_back(&connection);
  } else {
    ::close(connection.fd);
    connection.fd = -1;
  }
}

void OpenLoop::Read(Connection& connection) {
  char buffer[16384];
  const ssize_t count = ::recv(connection.fd, buffer, sizeof(buffer), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    Fail(connection);
    return;
  }
  connection.received.append(buffer, static_cast<size_t>(count));
  const Response response = ParseResponse(connection.received);
  if (response.length == 0 || !connection.busy) return;
  connection.received.erase(0, response.length);
  const std::chrono::duration<double, std::milli> latency = Clock::now() - connection.due;
  latencies_ms_.push_back(latency.count());
  ++(response.status == 200 ? ok_ : refused_);
  --in_flight_;
  connection.busy = false;
  Release(connection);
}

void OpenLoop::Release(Connection& connection) {
  if (waiting_.empty()) {
    idle_.push_back(&connection);
    return;
  }
  const Clock::time_point due = waiting_.front();
  waiting_.pop_front();
  Send(connection, due);
}

Connection* OpenLoop::Idle() {
  if (idle_.empty()) return nullptr;
  Connection* connection = idle_.front();
  idle_.pop_front();
  return connection;
}

void OpenLoop::SendDue(Clock::time_point now) {
  const std::chrono::duration<double> elapsed = now - begin_;
  const auto due_by_now =
      static_cast<int64_t>(std::min(elapsed.count(), options_.seconds) * options_.rate);
  for (; sent_due_ < due_by_now; ++sent_due_) {
    const Clock::time_point due =
        begin_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                     static_cast<double>(sent_due_ + 1) / options_.rate));
    if (Connection* connection = Idle()) {
      Send(*connection, due);
    } else {
      waiting_.push_back(due);
    }
  }
}

void OpenLoop::Wait(Clock::time_point until) {
  const auto left =
      std::chrono::duration_cast<std::chrono::nanoseconds>(until - Clock::now()).count();
  const int64_t nanos = std::clamp<int64_t>(left, 0, 100'000'000);
  const timespec timeout{nanos / 1'000'000'000, static_cast<long>(nanos % 1'000'000'000)};
  epoll_event events[256];
  const int count = ::epoll_pwait2(epoll_, events, 256, &timeout, nullptr);
  for (int i = 0; i < count; ++i) Read(*static_cast<Connection*>(events[i].data.ptr));
}

bool OpenLoop::Run() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  latencies_ms_.reserve(static_cast<size_t>(options_.rate * options_.seconds) + 1);
  for (Connection& connection : connections_) {
    if (!Connect(connection)) return false;
    idle_.push_back(&connection);
  }
  begin_ = Clock::now();
  const Clock::time_point end = begin_ + std::chrono::duration_cast<Clock::duration>(
                                             std::chrono::duration<double>(options_.seconds));
  const Clock::time_point give_up = end + std::chrono::seconds(10);
  while (true) {
    const Clock::time_point now = Clock::now();
    SendDue(now);
    const bool over = now >= end && in_flight_ == 0 && waiting_.empty();
    if (over || now >= give_up) break;
    const Clock::time_point next =
        begin_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                     static_cast<double>(sent_due_ + 1) / options_.rate));
    Wait(now >= end ? give_up : next);
  }
  failed_ += in_flight_ + static_cast<int64_t>(waiting_.size());
  return true;
}

void OpenLoop::Print() const {
  std::vector<double> sorted = latencies_ms_;
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&sorted](double share) {
    if (sorted.empty()) return 0.0;
    const auto rank = static_cast<size_t>(share * static_cast<double>(sorted.size()));
    return sorted[std::min(rank, sorted.size() - 1)];
  };
  std::printf(
      "{\"due\": %lld, \"ok\": %lld, \"refused\": %lld, \"failed\": %lld, \"p50_ms\": %.3f, "
      "\"p90_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f}\n",
      static_cast<long long>(sent_due_), static_cast<long long>(ok_),
      static_cast<long long>(refused_), static_cast<long long>(failed_), at(0.50), at(0.90),
      at(0.99), at(0.999), sorted.empty() ? 0.0 : sorted.back());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: %s HOST PORT PUSHES_PER_SECOND SECONDS CONNECTIONS MONITORS\n",
                 argv[0]);
    return 2;
  }
  OpenLoop load({argv[1], std::atoi(argv[2]), std::atof(argv[3]), std::atof(argv[4]),
                 std::atoi(argv[5]), std::atoi(argv[6])});
  if (!load.Run()) {
    std::fprintf(stderr, "cannot reach %s:%s\n", argv[1], argv[2]);
    return 1;
  }
  load.Print();
  return 0;
}
