// What this machine can do at most, measured: the yardsticks that bench_kernels.cc prints beside its figures.
#pragma once

#include <cstdint>
#include <string>

namespace check {

// Independent multiply-add instructions of one ISA variant on registers only, for about `seconds`.
// Returns operations per second of one thread (a multiply-add is two); 0 if the variant has no such loop.
double fma_peak(const std::string& isa, double seconds);   // float32
double int8_peak(const std::string& isa, double seconds);  // 8-bit products summed in 16 or 32 bits

// Bytes per second of reading `bytes` of memory with `threads` threads, each its own contiguous part.
double read_bandwidth(int threads, const uint8_t* data, int64_t bytes);

double now();  // seconds of a steady clock

}  // namespace check
