// A core that answers "recorded" to everything at once: measures the gateway alone.
#include <cstdio>
#include <cstdlib>

#include "common/shutdown.h"
#include "gateway/testing/fake_core.h"

// null_core [PORT]: prints the port that it listens on and serves until SIGTERM.
int main(int argc, char** argv) {
  tocsin::Shutdown shutdown;
  tocsin::testing::FakeCore core(argc > 1 ? std::atoi(argv[1]) : 0, /*record=*/false);
  core.AllowAll();
  std::printf("%d\n", core.port());
  std::fflush(stdout);
  shutdown.Wait();
  return 0;
}
