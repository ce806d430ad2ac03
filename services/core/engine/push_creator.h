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
// recorder as kMissing, but only when its key may create one; then the monitor is made, as the push
// key says, by a thread of its own. Nothing else is held up by that: what came in the same batch is
// answered meanwhile.
//
// Thread-safe. At most kMaxWaiting monitors wait to be made, and kMaxOfOneKey of one push key; what
// a key may not have is remembered for kRefusedFor, for kMaxRefused monitors. A project may get a
// monitor more than the key allows for each core that makes one at the same moment.
class PushCreator {
 public:
  static constexpr size_t kMaxWaiting = 1000;
  static constexpr size_t kMaxOfOneKey = 100;
  static constexpr size_t kMaxRefused = 10'000;
  static constexpr absl::Duration kRefusedFor = absl::Seconds(5);

  // What it is given must outlive it; the recorder must be stopped before it is.
  PushCreator(PushRecorder& recorder, MonitorAdmin& monitors, Store& store, const Clock& clock);
  ~PushCreator();

  // Starts the thread.
  void Start();
  // What waits for a monitor is unavailable from now on.
  void Stop();

  // As PushRecorder::Submit. What asks for a monitor that is missing is kBeingCreated: it is to be
  // sent again, and is recorded, or refused for good, when that is done.
  void Submit(std::vector<PushItem> batch, PushRecorder::Done done);

  // The same for one push of a client that does not come again: it is answered when its monitor is
  // made and the heartbeat recorded (kCreated).
  void SubmitOne(PushItem item, PushRecorder::Done done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::core
