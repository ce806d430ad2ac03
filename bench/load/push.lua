-- Pushes for a monitor drawn anew each time. The same script drives nginx, the ceiling.
-- Arguments: number of monitors; then "close" for a new connection per push, or "from N" to take
-- the monitors in order, beginning with number N, instead of drawing them.
local monitors, headers, next_one

local thread_number = 0
function setup(thread)
  thread_number = thread_number + 1
  thread:set("seed", thread_number)
  thread:set("threads", 2)  -- as tools.py starts
end

function init(args)
  monitors = tonumber(args[1])
  headers = {}
  if args[2] == "close" then headers["Connection"] = "close" end
  if args[2] == "from" then next_one = tonumber(args[3]) + seed - 1 end
  math.randomseed(seed * 7919)
end

local function draw()
  if not next_one then return math.random(0, monitors - 1) end
  local this = next_one % monitors
  next_one = next_one + threads
  return this
end

function request()
  return wrk.format("POST", string.format("/api/push/bench%017d", draw()), headers)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\nJSON {"requests": %d, "seconds": %.6f, "not_2xx": %d, "socket_errors": %d, ' ..
    '"p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
