// EventLoop and its handles: RAII over libuv. The order in which libuv wants
// things closed is handled here and nowhere else.
//
// Threads:   everything on the thread that runs the loop (or before it runs,
//            or after it has returned), except Post(), Stop() and
//            Signal::Send(): any thread.
// Ownership: a handle's memory outlives its C++ object until libuv's close
//            callback ran; a Timer may be destroyed from inside its callback,
//            a Poll, PrepareHook or Signal may not. Handles must be destroyed
//            before their loop.
// Errors:    libuv calls that can only fail by misuse or lack of memory are
//            checked; Poll reports a bad descriptor by its status.
#ifndef DNSD_CATALOG_BASE_EVENT_LOOP_H_
#define DNSD_CATALOG_BASE_EVENT_LOOP_H_

#include <uv.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace dnsd {

class EventLoop {
 public:
  EventLoop();
  // Closes what is still open and runs the close callbacks.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  [[nodiscard]] uv_loop_t* uv() { return &loop_; }

  // Runs until Stop().
  void Run();

  // Runs `task` on the loop's thread, in order of the calls. Tasks posted
  // before Run() run first thing; tasks posted after the loop has ended are
  // destroyed unrun.
  void Post(std::function<void()> task);
  void Stop();

 private:
  void RunTasks();

  uv_loop_t loop_;
  uv_async_t async_;
  std::mutex mutex_;  // any thread may Post(); guards tasks_
  std::vector<std::function<void()>> tasks_;
};

// Calls back after a delay, once or repeatedly. Milliseconds.
class Timer {
 public:
  Timer(EventLoop* loop, std::function<void()> callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void Start(uint64_t delay_ms, uint64_t repeat_ms = 0);
  void Stop();
  [[nodiscard]] bool active() const;

 private:
  struct Handle;
  Handle* handle_;
};

// Watches a descriptor it does not own. The descriptor must stay open until
// the Poll is destroyed.
class Poll {
 public:
  // `callback` gets UV_READABLE | UV_WRITABLE bits, or a negative libuv error.
  Poll(EventLoop* loop, int fd, std::function<void(int)> callback);
  ~Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  void Start(int events);
  void Stop();

 private:
  struct Handle;
  Handle* handle_;
};

// Calls back on the loop's thread when another thread says so. Some calls of
// Send() may become one callback, but the last one is always followed by one.
// It tells that there is something, not what: that is for atomics.
class Signal {
 public:
  Signal(EventLoop* loop, std::function<void()> callback);
  ~Signal();  // nobody sends any more
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  // Neither locks nor allocates. Before Run() the callback comes first thing;
  // after the loop has ended it does not come.
  void Send();

 private:
  struct Handle;
  Handle* handle_;
};

// Calls back right before the loop polls for I/O: where a reader goes
// offline.
class PrepareHook {
 public:
  PrepareHook(EventLoop* loop, std::function<void()> callback);
  ~PrepareHook();
  PrepareHook(const PrepareHook&) = delete;
  PrepareHook& operator=(const PrepareHook&) = delete;

 private:
  struct Handle;
  Handle* handle_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_EVENT_LOOP_H_
