#include "addon/inference_addon_jobs.h"

#include <new>

#include "inference/engine.h"
#include "inference/gguf_file.h"

namespace bitnet {

Napi::Error coded_error(Napi::Env env, const std::string& message, const char* code) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", code);
  return error;
}

Napi::Error disposed_error(Napi::Env env) { return coded_error(env, "the engine is disposed", "DISPOSED"); }

class JobQueue::Worker : public Napi::AsyncWorker {
 public:
  Worker(Napi::Env env, std::shared_ptr<JobQueue> queue, std::unique_ptr<Job> job)
      : Napi::AsyncWorker(env, "bitnet-engine"), queue_(std::move(queue)), job_(std::move(job)) {}

  void Execute() override {
    try {
      job_->run();
    } catch (const Aborted&) {
      fail("the operation was aborted", "ABORTED");
    } catch (const GgufError& error) {
      fail(error.what(), "GGUF");
    } catch (const RequestError& error) {
      fail(error.what(), "REQUEST");
    } catch (const std::bad_alloc&) {
      fail("not enough memory", "FAILED");
    } catch (const std::exception& error) {
      fail(error.what(), "FAILED");
    }
    job_->run = nullptr;  // lets go of what it holds before the promise settles
  }

  void OnOK() override {
    const Napi::Env env = Env();
    // The next job does not wait for JavaScript.
    const std::shared_ptr<JobQueue> queue = queue_;
    queue->running_.reset();
    try {
      settle(env);
    } catch (const Napi::Error&) {
      return;  // the environment is going away: nobody listens
    }
    queue->start_next(env);
  }

 private:
  void settle(Napi::Env env) {
    if (queue_->closed_) {
      job_->deferred.Reject(disposed_error(env).Value());
    } else if (code_) {
      job_->deferred.Reject(coded_error(env, message_, code_).Value());
    } else {
      job_->deferred.Resolve(job_->result(env));
    }
  }

  void fail(const std::string& message, const char* code) {
    message_ = message;
    code_ = code;
  }

  std::shared_ptr<JobQueue> queue_;
  std::unique_ptr<Job> job_;
  std::string message_;
  const char* code_ = nullptr;
};

Napi::Promise JobQueue::push(Napi::Env env, std::unique_ptr<Job> job) {
  const Napi::Promise promise = job->deferred.Promise();
  if (closed_) {
    job->deferred.Reject(disposed_error(env).Value());
    return promise;
  }
  waiting_.push_back(std::move(job));
  if (!running_) start_next(env);
  return promise;
}

void JobQueue::start_next(Napi::Env env) {
  if (waiting_.empty()) return;
  std::unique_ptr<Job> job = std::move(waiting_.front());
  waiting_.pop_front();
  running_ = job->abort;
  (new Worker(env, shared_from_this(), std::move(job)))->Queue();
}

void JobQueue::close(Napi::Env env) {
  closed_ = true;
  if (running_) running_->store(true);
  for (const auto& job : waiting_) job->deferred.Reject(disposed_error(env).Value());
  waiting_.clear();
}

}  // namespace bitnet
