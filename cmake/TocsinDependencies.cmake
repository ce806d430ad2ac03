# Everything comes from Debian packages; `tools/packages` lists them.

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
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
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
if(TOCSIN_BUILD_TESTS)
  find_package(GTest CONFIG REQUIRED)
endif()
if(TOCSIN_BUILD_BENCHMARKS)
  find_package(benchmark CONFIG REQUIRED)
endif()

# gRPC, Protobuf and Abseil are some seventy shared objects, of which a program uses a part. Linked
# statically, that part is all that is loaded: less memory, and a start without relocating them.
# (OpenSSL, libpq and libcurl stay shared: they get security updates of their own.) The sanitizers'
# builds need them shared: theirs replace functions of Abseil.
if(NOT TOCSIN_SANITIZE)
  add_link_options(-Wl,--gc-sections)
  get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
  list(FILTER imported INCLUDE REGEX "^(absl|gRPC|protobuf)::")
  foreach(target IN LISTS imported)
    get_target_property(configurations ${target} IMPORTED_CONFIGURATIONS)
    list(TRANSFORM configurations PREPEND IMPORTED_LOCATION_ OUTPUT_VARIABLE locations)
    foreach(location IN LISTS locations ITEMS IMPORTED_LOCATION)
      get_target_property(shared ${target} ${location})
      string(REGEX REPLACE "\\.so[.0-9]*$" ".a" static "${shared}")
      if(EXISTS "${static}")
        set_target_properties(${target} PROPERTIES ${location} "${static}")
      endif()
    endforeach()
  endforeach()
endif()

# google/api and google/rpc are not in libgrpc-dev; packages for Go (Debian 12) and Python (later)
# carry them.
find_path(TOCSIN_GOOGLEAPIS_DIR google/api/annotations.proto
  PATHS /usr/lib/python3/dist-packages
        /usr/share/gocode/src/github.com/grpc-ecosystem/grpc-gateway/third_party/googleapis
  REQUIRED)
# grpc/health/v1 is in no package for C++ either; the sources of the one for Go carry it.
find_path(TOCSIN_GRPC_PROTO_DIR grpc/health/v1/health.proto
  PATHS /usr/share/gocode/src/google.golang.org/grpc/debian/missing-sources/grpc/grpc-proto/master)
if(NOT TOCSIN_GRPC_PROTO_DIR)
  message(WARNING "grpc/health/v1/health.proto is not installed: core's reflection will name its "
    "health service, but not describe it.")
endif()
find_program(TOCSIN_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
find_program(TOCSIN_PROTOC protoc REQUIRED)
