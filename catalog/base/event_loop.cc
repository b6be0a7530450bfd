#include "catalog/base/event_loop.h"

#include <memory>
#include <utility>

#include "catalog/base/check.h"

namespace dnsd {

EventLoop::EventLoop() {
  DNSD_CHECK(uv_loop_init(&loop_) == 0);
  loop_.data = this;
  DNSD_CHECK(uv_async_init(&loop_, &async_, [](uv_async_t* async) {
               static_cast<EventLoop*>(async->loop->data)->RunTasks();
             }) == 0);
}

EventLoop::~EventLoop() {
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) {
        if (!uv_is_closing(handle)) uv_close(handle, nullptr);
      },
      nullptr);
  while (uv_run(&loop_, UV_RUN_DEFAULT) != 0) {
  }
  DNSD_CHECK(uv_loop_close(&loop_) == 0);
}

void EventLoop::Run() { uv_run(&loop_, UV_RUN_DEFAULT); }

void EventLoop::Post(std::function<void()> task) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  uv_async_send(&async_);
}

void EventLoop::Stop() {
  Post([this] { uv_stop(&loop_); });
}

void EventLoop::RunTasks() {
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) task();
}

namespace {

// Stops and closes a libuv handle embedded in `Holder` as `uv`, then deletes
// the holder when libuv lets go of it.
template <typename Holder>
void CloseAndDelete(Holder* holder) {
  holder->callback = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&holder->uv), [](uv_handle_t* h) {
    std::unique_ptr<Holder> last(static_cast<Holder*>(h->data));
  });
}

}  // namespace

struct Timer::Handle {
  uv_timer_t uv;
  std::function<void()> callback;
};

Timer::Timer(EventLoop* loop, std::function<void()> callback)
    : handle_(std::make_unique<Handle>().release()) {
  handle_->callback = std::move(callback);
  DNSD_CHECK(uv_timer_init(loop->uv(), &handle_->uv) == 0);
  handle_->uv.data = handle_;
}

Timer::~Timer() { CloseAndDelete(handle_); }

void Timer::Start(uint64_t delay_ms, uint64_t repeat_ms) {
  uv_timer_start(
      &handle_->uv,
      [](uv_timer_t* timer) {
        // A copy, because the callback may destroy the Timer.
        auto callback = static_cast<Handle*>(timer->data)->callback;
        if (callback) callback();
      },
      delay_ms, repeat_ms);
}

void Timer::Stop() { uv_timer_stop(&handle_->uv); }

bool Timer::active() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&handle_->uv)) != 0;
}

struct Poll::Handle {
  uv_poll_t uv;
  std::function<void(int)> callback;
};

Poll::Poll(EventLoop* loop, int fd, std::function<void(int)> callback)
    : handle_(std::make_unique<Handle>().release()) {
  handle_->callback = std::move(callback);
  DNSD_CHECK(uv_poll_init(loop->uv(), &handle_->uv, fd) == 0);
  handle_->uv.data = handle_;
}

// uv_close() leaves epoll at once: the descriptor may be closed right after
// this. uv_poll_stop() before it would be a system call more.
Poll::~Poll() { CloseAndDelete(handle_); }

void Poll::Start(int events) {
  uv_poll_start(&handle_->uv, events,
                [](uv_poll_t* poll, int status, int ready) {
                  // By reference: copying a std::function allocates, and this
                  // runs once per wake-up of the hot path. A Poll is not
                  // destroyed from inside its callback by its users.
                  auto& callback = static_cast<Handle*>(poll->data)->callback;
                  if (callback) callback(status < 0 ? status : ready);
                });
}

void Poll::Stop() {
  const auto* handle = reinterpret_cast<const uv_handle_t*>(&handle_->uv);
  if (uv_is_active(handle) != 0) uv_poll_stop(&handle_->uv);
}

struct Signal::Handle {
  uv_async_t uv;
  std::function<void()> callback;
};

Signal::Signal(EventLoop* loop, std::function<void()> callback)
    : handle_(std::make_unique<Handle>().release()) {
  handle_->callback = std::move(callback);
  DNSD_CHECK(uv_async_init(loop->uv(), &handle_->uv, [](uv_async_t* async) {
               auto& callback_ref = static_cast<Handle*>(async->data)->callback;
               if (callback_ref) callback_ref();
             }) == 0);
  handle_->uv.data = handle_;
}

Signal::~Signal() { CloseAndDelete(handle_); }

void Signal::Send() { uv_async_send(&handle_->uv); }

struct PrepareHook::Handle {
  uv_prepare_t uv;
  std::function<void()> callback;
};

PrepareHook::PrepareHook(EventLoop* loop, std::function<void()> callback)
    : handle_(std::make_unique<Handle>().release()) {
  handle_->callback = std::move(callback);
  DNSD_CHECK(uv_prepare_init(loop->uv(), &handle_->uv) == 0);
  handle_->uv.data = handle_;
  uv_prepare_start(&handle_->uv, [](uv_prepare_t* prepare) {
    auto& callback_ref = static_cast<Handle*>(prepare->data)->callback;
    if (callback_ref) callback_ref();
  });
}

PrepareHook::~PrepareHook() { CloseAndDelete(handle_); }

}  // namespace dnsd
