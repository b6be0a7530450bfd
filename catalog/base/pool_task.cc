#include "catalog/base/pool_task.h"

#include <memory>
#include <utility>

#include "catalog/base/check.h"

namespace dnsd {
namespace {

struct Task {
  uv_work_t uv;
  std::function<void()> work;
  std::function<void()> done;
};

}  // namespace

void RunOnPool(EventLoop* loop, std::function<void()> work,
               std::function<void()> done) {
  auto task = std::make_unique<Task>();
  task->uv.data = task.get();
  task->work = std::move(work);
  task->done = std::move(done);
  auto run = [](uv_work_t* uv) { static_cast<Task*>(uv->data)->work(); };
  auto finish = [](uv_work_t* uv, int) {
    std::unique_ptr<Task> finished(static_cast<Task*>(uv->data));
    finished->done();
  };
  // libuv gives it back to finish().
  DNSD_CHECK(uv_queue_work(loop->uv(), &task.release()->uv, run, finish) == 0);
}

}  // namespace dnsd
