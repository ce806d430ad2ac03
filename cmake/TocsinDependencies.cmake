# Everything comes from Debian packages; `tools/packages` lists them.

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(civetweb CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
if(POLICY CMP0167)
  cmake_policy(SET CMP0167 NEW)  # Boost's own package file
endif()
find_package(Boost 1.74 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PQXX REQUIRED IMPORTED_TARGET libpqxx)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
if(TOCSIN_BUILD_TESTS)
  find_package(GTest CONFIG REQUIRED)
endif()
if(TOCSIN_BUILD_BENCHMARKS)
  find_package(benchmark CONFIG REQUIRED)
endif()

# google/api and google/rpc are not in libgrpc-dev; packages for Go (Debian 12) and Python (later)
# carry them.
find_path(TOCSIN_GOOGLEAPIS_DIR google/api/annotations.proto
  PATHS /usr/lib/python3/dist-packages
        /usr/share/gocode/src/github.com/grpc-ecosystem/grpc-gateway/third_party/googleapis
  REQUIRED)
find_program(TOCSIN_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
find_program(TOCSIN_PROTOC protoc REQUIRED)
