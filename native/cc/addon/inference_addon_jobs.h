// Jobs of one engine: they run one after the other on a libuv worker thread and settle a promise each.
#pragma once

#include <napi.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace bitnet {

using AbortFlag = std::shared_ptr<std::atomic<bool>>;

struct Job {
  Job(Napi::Env env, AbortFlag flag)
      : deferred(Napi::Promise::Deferred::New(env)),
        abort(flag ? std::move(flag) : std::make_shared<std::atomic<bool>>(false)) {}

  Napi::Promise::Deferred deferred;
  AbortFlag abort;
  std::function<void()> run;                     // on the worker thread; may throw
  std::function<Napi::Value(Napi::Env)> result;  // on the JavaScript thread, after a successful run
};

class JobQueue : public std::enable_shared_from_this<JobQueue> {
 public:
  // Runs the job after those before it. On the JavaScript thread, as all methods.
  Napi::Promise push(Napi::Env env, std::unique_ptr<Job> job);
  // Ends the running job soon and rejects it and the waiting ones: the engine was disposed.
  void close(Napi::Env env);

 private:
  class Worker;
  void start_next(Napi::Env env);

  std::deque<std::unique_ptr<Job>> waiting_;
  AbortFlag running_;  // flag of the running job
  bool closed_ = false;
};

// An Error with a `code` by which the TypeScript face picks its class: ABORTED, DISPOSED, GGUF, REQUEST or
// FAILED.
Napi::Error coded_error(Napi::Env env, const std::string& message, const char* code);
Napi::Error disposed_error(Napi::Env env);

}  // namespace bitnet
