// What this machine can do at most, measured: the yardsticks that benchmarks print beside their figures.
#pragma once

#include <cstdint>
#include <string>

namespace bitnet {

// Independent multiply-add instructions of one variant on registers only, for about `seconds`, on `threads`
// threads at once. Returns operations per second of all threads (a multiply-add is two); 0 if the variant has
// no such loop. The variant must be supported here.
double fma_peak(const std::string& variant, double seconds, int threads);   // float32
double int8_peak(const std::string& variant, double seconds, int threads);  // summed in 16 or 32 bits
double bf16_peak(const std::string& variant, double seconds, int threads);  // summed in float32

// Bytes per second of reading `bytes` of memory with `threads` threads, the best of a few runs.
double read_bandwidth(int threads, const uint8_t* data, int64_t bytes);

double steady_seconds();  // of a steady clock

}  // namespace bitnet
