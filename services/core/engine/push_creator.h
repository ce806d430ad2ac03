// Makes the monitors that pushes ask for, outside of the committers.
#pragma once

#include <memory>
#include <vector>

#include "common/clock.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// What the API gives pushes to. A push that asks for a monitor that is missing comes back from the
// recorder as unknown; then the monitor is made, as its push key says, by a thread of its own, and
// the push is recorded after all. Nothing that exists already is held up by that, save for what
// came in the same batch.
//
// Thread-safe. At most kMaxWaiting batches wait for monitors to be made; what comes then is
// unavailable. A project may get a monitor more than the key allows for each core that makes one
// at the same moment.
class PushCreator {
 public:
  static constexpr size_t kMaxWaiting = 1000;

  // What it is given must outlive it; the recorder must be stopped before it is.
  PushCreator(PushRecorder& recorder, MonitorAdmin& monitors, Store& store, const Clock& clock);
  ~PushCreator();

  // Starts the thread.
  void Start();
  // Pushes that wait for a monitor are unavailable from now on.
  void Stop();

  // As PushRecorder::Submit; an item with `create` may also be kCreated and kMayNotCreate.
  void Submit(std::vector<PushItem> batch, PushRecorder::Done done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::core
