// Bytes pass as they came, whoever is slow or gone.
#include "cli/exec/relay.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>

#include "cli/exec/descriptors.h"

namespace tocsin::cli {
namespace {

class RelayTest : public ::testing::Test {
 protected:
  RelayTest() {
    signal(SIGPIPE, SIG_IGN);
    EXPECT_TRUE(MakePipe(from_, command_));
    EXPECT_TRUE(MakePipe(reader_, to_));
    Make(to_);
  }

  ~RelayTest() override {
    for (const int fd : {command_, reader_, to_}) {
      if (fd >= 0) close(fd);
    }
  }

  void Make(int to) { relay_ = std::make_unique<Relay>(from_, to, tail_); }

  void Say(const std::string& text) {
    ASSERT_EQ(write(command_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  static void Close(int& fd) {
    close(fd);
    fd = -1;
  }

  // Everything that there is to read now.
  std::string Heard() {
    fcntl(reader_, F_SETFL, O_NONBLOCK);
    std::string all, block(100'000, '\0');
    for (ssize_t bytes = 0; (bytes = read(reader_, block.data(), block.size())) > 0;) {
      all.append(block, 0, static_cast<size_t>(bytes));
    }
    return all;
  }

  int from_ = -1, command_ = -1, reader_ = -1, to_ = -1;
  OutputTail tail_{10};
  std::unique_ptr<Relay> relay_;
};

TEST_F(RelayTest, BytesPassAtOnceAndTheirEndIsKept) {
  const std::string text("0123456789\0\xff\n", 13);
  Say(text);
  relay_->Move();
  EXPECT_EQ(Heard(), text);
  EXPECT_EQ(tail_.bytes(), text.substr(3));
  EXPECT_FALSE(relay_->ended());
  Close(command_);
  relay_->Move();
  EXPECT_TRUE(relay_->ended());
  EXPECT_TRUE(relay_->passed_on());
}

TEST_F(RelayTest, ASlowReaderHoldsTheCommandUpAndLosesNothing) {
  fcntl(command_, F_SETFL, O_NONBLOCK);
  std::string said, heard;
  const std::string block(1000, 'x');
  for (int i = 0; i < 10'000; ++i) {
    const std::string numbered = std::to_string(i) + block;
    const ssize_t bytes = write(command_, numbered.data(), numbered.size());
    if (bytes > 0) said.append(numbered, 0, static_cast<size_t>(bytes));
    relay_->Move();
  }
  EXPECT_LT(said.size(), 1'000'000u);
  for (size_t before = said.size() + 1; heard.size() < said.size() && heard.size() != before;) {
    before = heard.size();
    heard += Heard();
    relay_->Move();
  }
  EXPECT_EQ(heard, said);
}

TEST_F(RelayTest, WhatTheCommandWroteBeforeItEndedIsReadThoughNobodyTakesIt) {
  fcntl(command_, F_SETFL, O_NONBLOCK);
  const std::string block(4096, 'x');
  for (int i = 0; i < 1000; ++i) {
    if (write(command_, block.data(), block.size()) < 0) break;
    relay_->Move();
  }
  while (write(command_, "y", 1) == 1) {
  }
  relay_->CommandEnded();
  Close(command_);
  relay_->Move();
  relay_->Move();
  EXPECT_TRUE(relay_->ended());
  EXPECT_FALSE(relay_->passed_on());
}

TEST_F(RelayTest, AReaderThatHasGoneIsSeenByTheCommand) {
  Close(reader_);
  relay_->Move();
  EXPECT_TRUE(relay_->ended());
  EXPECT_EQ(write(command_, "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(RelayTest, AFullDiskLosesBytesAndNotTheCommand) {
  const int full = open("/dev/full", O_WRONLY);
  from_ = -1;
  relay_.reset();
  Close(command_);
  ASSERT_TRUE(MakePipe(from_, command_));
  Make(full);
  for (int i = 0; i < 3; ++i) {
    Say("text");
    relay_->Move();
  }
  EXPECT_EQ(relay_->lost(), ENOSPC);
  EXPECT_FALSE(relay_->ended());
  EXPECT_EQ(tail_.bytes(), "xttexttext");
  close(full);
}

TEST_F(RelayTest, ASocketIsNotWaitedForEither) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  relay_.reset();
  Close(command_);
  ASSERT_TRUE(MakePipe(from_, command_));
  Make(ends[0]);
  fcntl(command_, F_SETFL, O_NONBLOCK);
  const std::string block(60'000, 'x');
  for (int i = 0; i < 100; ++i) {
    if (write(command_, block.data(), block.size()) < 0) break;
    relay_->Move();
  }
  EXPECT_FALSE(relay_->passed_on());
  close(ends[1]);
  relay_->Move();
  EXPECT_TRUE(relay_->ended());
  close(ends[0]);
}

TEST(SinkTest, AFileOfOthersKeepsItsFlags) {
  int read_end = -1, write_end = -1;
  ASSERT_TRUE(MakePipe(read_end, write_end));
  const int before = fcntl(write_end, F_GETFL);
  Sink sink(write_end);
  const std::string much(1'000'000, 'x');
  EXPECT_GT(sink.Write(much), 0);
  EXPECT_EQ(sink.Write(much), 0);
  EXPECT_EQ(fcntl(write_end, F_GETFL), before);
  sink.Close();
  std::string block(2'000'000, '\0');
  while (read(read_end, block.data(), block.size()) > 0) {
  }
  EXPECT_EQ(read(read_end, block.data(), block.size()), 0);  // the end, and no wait for it
  close(read_end);
  close(write_end);
}

}  // namespace
}  // namespace tocsin::cli
