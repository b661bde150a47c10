// What this machine can do at most, for benchmarks:
//
//   measureFmaPeak, measureInt8Peak, measureBf16Peak (threads, seconds) -> Promise<operations per second>
//   measureReadBandwidth(threads, bytes) -> Promise<bytes per second>
//
// The peaks are 0 where the active variant has no loop for them; the memory should be larger than the caches.
//
// Typed by native/machine_peaks.ts.
#include <cstring>

#include "addon/addon.h"
#include "addon/inference_addon_jobs.h"
#include "core/measured_peaks.h"
#include "core/variant_registry.h"
#include "inference/aligned_buffer.h"

namespace bitnet {
namespace {

// Runs `measure` off the JavaScript thread.
Napi::Value measured(Napi::Env env, std::function<double()> measure) {
  auto value = std::make_shared<double>(0);
  auto job = std::make_unique<Job>(env, nullptr);
  job->run = [value, measure = std::move(measure)] { *value = measure(); };
  job->result = [value](Napi::Env result_env) { return Napi::Number::New(result_env, *value); };
  return std::make_shared<JobQueue>()->push(env, std::move(job));
}

using Peak = double(const std::string& variant, double seconds, int threads);

template <Peak& peak>
Napi::Value measure_peak(const Napi::CallbackInfo& info) {
  const int threads = info[0].As<Napi::Number>().Int32Value();
  const double seconds = info[1].As<Napi::Number>().DoubleValue();
  const std::string variant = active_variant().name;
  return measured(info.Env(), [=] { return peak(variant, seconds, threads); });
}

Napi::Value measure_read_bandwidth(const Napi::CallbackInfo& info) {
  const int threads = info[0].As<Napi::Number>().Int32Value();
  const int64_t bytes = info[1].As<Napi::Number>().Int64Value();
  return measured(info.Env(), [=] {
    const AlignedBuffer buffer(static_cast<size_t>(bytes), AlignedBuffer::Pages::huge);
    // Pages that were never written are all the same one.
    std::memset(buffer.data(), 1, buffer.size());
    return read_bandwidth(threads, buffer.data(), bytes);
  });
}

}  // namespace

void init_measurement(Napi::Env env, Napi::Object exports) {
  exports.Set("measureFmaPeak", Napi::Function::New(env, measure_peak<fma_peak>, "measureFmaPeak"));
  exports.Set("measureInt8Peak", Napi::Function::New(env, measure_peak<int8_peak>, "measureInt8Peak"));
  exports.Set("measureBf16Peak", Napi::Function::New(env, measure_peak<bf16_peak>, "measureBf16Peak"));
  exports.Set("measureReadBandwidth",
              Napi::Function::New(env, measure_read_bandwidth, "measureReadBandwidth"));
}

}  // namespace bitnet
