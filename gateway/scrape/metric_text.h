// Pieces of Prometheus' text format, version 0.0.4. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::gateway {

// Of everything that the functions below write.
inline constexpr char kMetricTextType[] = "text/plain; version=0.0.4; charset=utf-8";

// The two lines that begin a family of gauges. `help` is one line without a backslash.
void AppendGaugeHead(std::string_view name, std::string_view help, std::string& out);

// `name="value"`, the value escaped; the name is taken as it is.
void AppendLabel(std::string_view name, std::string_view value, std::string& out);

// The shortest text that reads back as the same number; "NaN", "+Inf" and "-Inf".
void AppendNumber(double value, std::string& out);
// Microseconds since 1970 as seconds, without needless zeros: a double's usual digits would round.
void AppendSeconds(int64_t micros, std::string& out);

// "label_" and the key of a monitor's label with "_" for what no name of Prometheus can have.
std::string LabelNameOf(std::string_view key);

}  // namespace tocsin::gateway
